"""Code lists: the right edition by date, unknown against expired, translations, and the lists themselves."""

import csv
from datetime import date
from pathlib import Path

import pytest

from broker.model.errors import Misconfigured
from broker.registry.codelists import EXPIRED, UNKNOWN, load_code_list, load_code_lists
from tests.support.paths import ROOT

LISTS = load_code_lists(ROOT / "mappings" / "codelists")
PUBLISHED = {
    "iso-3166-1", "iso-4217", "unece-rec-19", "unece-rec-20", "unece-rec-21", "uncl-1001", "uncl-1225", "uncl-1373",
    "uncl-4343", "uncl-4405", "uncl-7143", "eas", "iso-6523", "incoterms", "wco-class",
}  # fmt: skip


def test_the_published_lists_are_there():
    assert set(LISTS) >= PUBLISHED


@pytest.mark.parametrize("name", sorted(LISTS))
def test_every_edition_can_be_read(name):
    assert LISTS[name].agency
    for edition in LISTS[name].editions:
        assert edition.source
        assert edition.codes
        assert all(code == code.strip() for code in edition.codes)
        for code in edition.codes.values():
            assert not (code.valid_from and code.valid_to) or code.valid_from <= code.valid_to


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("iso-3166-1", "PE"), ("iso-3166-1", "SG"), ("iso-4217", "PEN"), ("iso-4217", "USD"), ("unece-rec-20", "KGM"),
        ("unece-rec-20", "C62"), ("unece-rec-20", "XBX"), ("unece-rec-21", "BX"), ("unece-rec-19", "1"),
        ("uncl-1001", "861"), ("uncl-1001", "851"), ("uncl-1001", "380"), ("uncl-4405", "70"), ("uncl-1225", "9"),
        ("uncl-1373", "43"), ("uncl-4343", "RE"), ("eas", "0195"), ("eas", "9959"), ("iso-6523", "0060"),
        ("incoterms", "DPU"), ("wco-class", "68A"), ("uncl-7143", "HS"),
    ],
)  # fmt: skip
def test_codes_we_meet(name, code):
    assert LISTS[name].reason_against(code, None) is None
    assert LISTS[name].reason_against(code, date(2026, 11, 22)) is None


@pytest.mark.parametrize("code", ["", "ZZ", "pe", "P E", "PER", " PE"])
def test_unknown_names_list_and_edition(code):
    kind, reason = LISTS["iso-3166-1"].reason_against(code, None)
    assert kind == UNKNOWN
    assert "iso-3166-1, edition 2020" in reason
    assert repr(code) in reason


def test_the_day_decides_on_a_code_that_was_withdrawn():
    countries = LISTS["iso-3166-1"]
    assert countries.reason_against("AN", date(2009, 5, 1)) is None
    assert countries.reason_against("AN", date(2010, 12, 15)) is None
    kind, reason = countries.reason_against("AN", date(2010, 12, 16))
    assert kind == EXPIRED
    assert "2010-12-15" in reason
    assert countries.reason_against("AN", None)[0] == EXPIRED


def test_the_day_decides_on_a_code_that_was_new():
    assert LISTS["iso-3166-1"].reason_against("SS", date(2009, 5, 1))[0] == EXPIRED
    assert LISTS["iso-3166-1"].reason_against("SS", date(2012, 5, 1)) is None


@pytest.mark.parametrize(
    ("day", "edition"),
    [(None, "2020"), (date(2026, 1, 1), "2020"), (date(2020, 1, 1), "2020"), (date(2019, 12, 31), "2010"),
     (date(2005, 1, 1), "2000"), (date(1990, 1, 1), "2000")],
)  # fmt: skip
def test_the_day_picks_the_edition(day, edition):
    assert LISTS["incoterms"].edition(day).version == edition


def test_a_code_of_another_edition_is_expired_not_unknown():
    terms = LISTS["incoterms"]
    assert terms.reason_against("DAT", date(2015, 1, 1)) is None
    kind, reason = terms.reason_against("DAT", date(2021, 1, 1))
    assert kind == EXPIRED
    assert "edition 2020" in reason
    assert "edition 2010" in reason
    assert terms.reason_against("XYZ", date(2021, 1, 1))[0] == UNKNOWN


def test_an_edition_can_be_pinned():
    pinned = LISTS["incoterms"].pin("2010")
    assert pinned.reason_against("DAT", date(2026, 1, 1)) is None
    assert pinned.reason_against("DPU", date(2026, 1, 1))[0] == EXPIRED
    with pytest.raises(Misconfigured, match="2000, 2010, 2020"):
        LISTS["incoterms"].pin("2011")


def test_the_minor_units_of_currencies_stand_in_the_list_for_people():
    lines = LISTS["iso-4217"].edition(None).file.read_text(encoding="utf-8").splitlines()
    minor = {row["code"]: row["minor_units"] for row in csv.DictReader(lines)}
    assert [minor[c] for c in ("USD", "PEN", "JPY", "CLP", "KWD", "XAU")] == ["2", "2", "0", "0", "3", ""]


@pytest.mark.parametrize(
    ("table", "text", "code"),
    [
        ("cod-unit-to-rec-20", "UNIDADES", "C62"),
        ("cod-unit-to-rec-20", "unidades ", "C62"),
        ("cod-mass-unit-to-rec-20", "KILOGRAMOS", "KGM"),
        ("cod-mass-unit-to-rec-20", "Kgs.", "KGM"),
        ("cod-currency-to-iso-4217", "DOLARES ESTADOUNIDENSES", "USD"),
        ("cod-currency-to-iso-4217", "Dólares  Estadounidenses", "USD"),
        ("cod-transport-to-rec-19", "Marítimo", "1"),
        ("cod-transport-to-rec-19", "TERRESTRE", "3"),
        ("cod-unit-to-rec-20", "puñados", None),
        ("cod-unit-to-rec-20", "", None),
    ],
)
def test_translations_disregard_case_accents_and_blanks(table, text, code):
    assert LISTS[table].edition(None).translate(text) == code


TARGETS = {
    "cod-unit-to-rec-20": "unece-rec-20",
    "cod-mass-unit-to-rec-20": "unece-rec-20",
    "cod-currency-to-iso-4217": "iso-4217",
    "cod-transport-to-rec-19": "unece-rec-19",
    "ubl-type-to-uncl-1001": "uncl-1001",
    "sunat-type-to-uncl-1001": "uncl-1001",
    "item-list-to-uncl-7143": "uncl-7143",
}


@pytest.mark.parametrize("table", sorted(TARGETS))
def test_translations_end_in_valid_codes(table):
    for edition in LISTS[table].editions:
        for source, target in edition.codes.items():
            assert LISTS[TARGETS[table]].reason_against(target.name, None) is None, source


def written(folder: Path, toml: str, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    (folder / "list.toml").write_text(toml)
    return folder / "list.toml"


EDITION = '\n[[editions]]\nversion = "one"\nsource = "a test"\n'


@pytest.mark.parametrize(
    ("toml", "files", "told"),
    [
        ('agency = "x"\ntitle = "y"\n', {}, "editions"),
        (f'title = "y"\n{EDITION}', {"one": "code,name\n"}, "agency"),
        (f'agency = "x"\ntitle = "y"\n{EDITION}', {}, "one.csv is missing"),
        (f'agency = "x"\ntitle = "y"\nkind = "tabel"\n{EDITION}', {"one": "code\n"}, "kind"),
        (f'agency = "x"\ntitle = "y"\ncolour = "red"\n{EDITION}', {"one": "code\n"}, "colour"),
        ("agency = ", {}, "not TOML"),
    ],
)
def test_a_wrong_description_is_told(tmp_path, toml, files, told):
    with pytest.raises(Misconfigured, match=told):
        load_code_list(written(tmp_path / "list", toml, **files))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("code,name\nA,x\nA,y\n", "line 3: 'A'"),
        ("code,name\n,x\n", "line 2: ''"),
        ("code,name\nA,x,y\n", "line 2"),
        ("code,name,valid_to\nA,x,2020-13-01\n", "line 2: '2020-13-01'"),
    ],
)
def test_a_wrong_table_is_told_with_its_line(tmp_path, text, told):
    found = load_code_list(written(tmp_path / "list", f'agency = "x"\ntitle = "y"\n{EDITION}', one=text))
    with pytest.raises(Misconfigured, match=told):
        found.reason_against("A", None)
