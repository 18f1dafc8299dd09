"""Identifiers: the vectors of each numbering, near misses, and the data that describes them."""

import pytest

from broker.catalogue import load, warm
from broker.line.process import process
from broker.model.documents import Message
from broker.model.errors import Misconfigured
from broker.model.ids import NO_MESSAGE_ID
from broker.paths import data_root
from broker.registry.identifiers import load_identifiers

KNOWN = load_identifiers(data_root() / "mappings/codelists/identifiers.toml")
check, doubt, kind_of = KNOWN.check, KNOWN.doubt, KNOWN.kind_of

# Published examples of each numbering.
GOOD = [
    ("ruc", "20131312955"),
    ("ruc", "20512333797"),
    ("ruc", "10054148289"),
    ("uen", "00192200M"),
    ("uen", "197401143C"),
    ("uen", "T01FC6132D"),
    ("uen", "S16FC0121D"),
    ("lei", "213800KUD8LAJWSQ9D15"),
    ("lei", "5493000IBP32UQZ0KL24"),
    ("gln", "9429041098400"),
    ("duns", "150483782"),
    ("ein", "12-3456789"),
    ("cbp-importer", "12-345678901"),
    ("cbp-importer", "12-3456789AB"),
    ("cbp-importer", "123-45-6789"),
    ("cbp-importer", "261234-12345"),
    ("cbp-entry", "ABC-1234567-6"),
    ("cbp-entry", "999-9999999-0"),
    ("cbp-in-bond", "257700030"),
    ("cbp-in-bond", "257700052"),
    ("awb", "589-81140743"),
    ("s10", "RR473124829GB"),
    ("container", "CSQU3054383"),
    ("imo-ship", "9319466"),
    ("rut", "76086428-5"),
    ("nit", "213123432-1"),
    ("rfc", "GODE561231GR8"),
    ("abn", "51824753556"),
    ("uscc", "91110000600037341L"),
    ("ubn", "00501503"),
    ("jp-corporate", "5835678256246"),
    ("brn", "116-82-00276"),
    ("bn", "123026635RC0001"),
    ("dni", "05414828"),
]

BAD = [
    ("ruc", "20131312956"),
    ("ruc", "30131312955"),
    ("ruc", "2013131295"),
    ("uen", "00192200N"),
    ("uen", "197401143D"),
    ("uen", "T01FC6132E"),
    ("lei", "213800KUD8LAJWSQ9D16"),
    ("gln", "9429041098401"),
    ("gln", "942904109840"),
    ("duns", "15048378"),
    ("duns", "15048378A"),
    ("ein", "123-456789"),
    ("cbp-importer", "12-34567"),
    ("cbp-entry", "ABC-1234567-7"),
    ("cbp-in-bond", "257700031"),
    ("awb", "589-81140744"),
    ("s10", "RR473124828GB"),
    ("container", "CSQU3054384"),
    ("imo-ship", "9319465"),
    ("rut", "76086428-6"),
    ("nit", "213123432-2"),
    ("rfc", "12345"),
    ("abn", "51824753557"),
    ("uscc", "91110000600037342L"),
    ("ubn", "00501504"),
    ("jp-corporate", "4835678256246"),
    ("brn", "116-82-0027"),
    ("bn", "123026636"),
    ("dni", "0541482"),
]


@pytest.mark.parametrize(("kind", "value"), GOOD)
def test_good(kind, value):
    assert check(kind, value) is None


@pytest.mark.parametrize(("kind", "value"), BAD)
def test_bad(kind, value):
    reason = check(kind, value)
    assert reason is not None
    assert value in reason


CHANGED = {
    "ruc": "20131312955",
    "abn": "51824753556",
    "gln": "9429041098400",
    "rut": "760864285",
    "lei": "213800KUD8LAJWSQ9D15",
    "cbp-entry": "99999999990",
}


def test_every_changed_digit_of_a_checked_number_is_found():
    changed = [
        (kind, value[:at] + other + value[at + 1 :])
        for kind, value in CHANGED.items()
        for at, digit in enumerate(value)
        if digit.isdigit()
        for other in set("0123456789") - {digit}
    ]
    missed = [value for kind, value in changed if check(kind, value) is None]
    assert len(changed) == 585
    assert missed == []


@pytest.mark.parametrize("value", [" 20131312955 ", "20.131.312.955", "20-13131295-5"])
def test_blanks_dots_and_hyphens_do_not_count(value):
    assert check("ruc", value) is None


@pytest.mark.parametrize("value", ["", " ", "٢٠١٣١٣١٢٩٥٥", "20131312955\n20131312955", "x" * 10_000, "<RUC>"])
def test_rubbish_is_refused(value):
    assert check("ruc", value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("rfc", "GODE561231GR9"), ("ein", "07-1234567"), ("duns", "150483783")],
)
def test_what_real_ones_fail_too_is_only_doubted(kind, value):
    assert check(kind, value) is None
    assert doubt(kind, value)


@pytest.mark.parametrize(("kind", "value"), [("rfc", "GODE561231GR8"), ("ein", "12-3456789"), ("ruc", "20131312955")])
def test_no_doubt(kind, value):
    assert doubt(kind, value) is None


@pytest.mark.parametrize(
    ("schemes", "scheme", "kind"),
    [("iso-6523", "0195", "uen"), ("iso-6523", "0060", "duns"), ("iso-6523", "9959", "ein"), ("sunat-06", "6", "ruc"),
     ("party", "RUC", "ruc"), ("party", "0151", "abn"), ("iso-6523", "4711", None), ("iso-6523", "", None)],
)  # fmt: skip
def test_schemes_of_documents(schemes, scheme, kind):
    assert kind_of(schemes, scheme) == kind


@pytest.mark.parametrize(
    ("number", "code"),
    [("GODE561231GR8", None), ("GODE561231GR9", "identifier.doubtful"), ("G561231", "identifier.invalid")],
)
def test_a_wrong_or_unusual_identifier_is_told_and_travels_on(toy, number, code):
    mapping = toy / "mappings/documents/toy/note-1/mapping.toml"
    text = mapping.read_text().replace(
        "fields = [", 'fields = [{ to = "Exporter/ID", from = "n:To", identifier = "rfc" },', 1
    )
    mapping.write_text(text.replace('{ from = "n:To", why = "nobody asks" }, ', ""))
    note = f"<Note xmlns='urn:toy'><Number>1</Number><Date>2026-05-04</Date><To>{number}</To><Line>Tea</Line></Note>"
    outcome = process(Message(NO_MESSAGE_ID, note.encode()), load(toy))
    assert outcome.is_accepted
    assert f">{number}</ID>".encode() in outcome.payload.content
    told = [(f.code, f.pointer, f.line, f.is_error) for f in outcome.findings if f.code.startswith("identifier")]
    assert told == ([(code, "/Note/To", 1, False)] if code else [])


@pytest.mark.parametrize("named", ['identifier = "rucc"', 'scheme = "@kind", scheme_list = "iso"', 'scheme = "@kind"'])
def test_a_mapping_that_names_what_nobody_described_is_found_before_a_document(toy, named):
    mapping = toy / "mappings/documents/toy/note-1/mapping.toml"
    text = mapping.read_text().replace("fields = [", f'fields = [{{ to = "Exporter/ID", from = "n:To", {named} }},', 1)
    mapping.write_text(text)
    with pytest.raises(Misconfigured, match="no identifier"):
        warm(load(toy))


def test_a_data_folder_has_its_own_numberings_and_no_others(toy):
    mapping = toy / "mappings/documents/toy/note-1/mapping.toml"
    text = mapping.read_text().replace(
        "fields = [", 'fields = [{ to = "Exporter/ID", from = "n:To", identifier = "ours" },', 1
    )
    mapping.write_text(text.replace('{ from = "n:To", why = "nobody asks" }, ', ""))
    ours = toy / "mappings/codelists/identifiers.toml"
    ours.write_text('[kinds.ours]\nname = "number of ours"\npattern = "A[0-9]"\n', encoding="utf-8")
    note = "<Note xmlns='urn:toy'><Number>1</Number><Date>2026-05-04</Date><To>B1</To><Line>Tea</Line></Note>"
    outcome = process(Message(NO_MESSAGE_ID, note.encode()), load(toy))
    assert "'B1' does not have the form of a number of ours" in outcome.findings[0].message
    ours.unlink()
    with pytest.raises(Misconfigured, match="no identifier kind 'ours'; there are none"):
        warm(load(toy))


def test_unknown_names_are_faults_of_the_data():
    with pytest.raises(Misconfigured, match="there are ruc"):
        check("rucc", "1")
    with pytest.raises(Misconfigured, match="iso-6523"):
        kind_of("iso", "0195")


def test_every_kind_has_a_good_and_a_bad_vector():
    kinds = set(KNOWN.kinds)
    told_elsewhere = {"cnpj", "cuit", "ec-ruc", "py-ruc", "uy-rut", "jp-invoice"}
    assert kinds - told_elsewhere == {kind for kind, _ in GOOD} == {kind for kind, _ in BAD}


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("cnpj", "16.727.230/0001-97", "16.727.230/0001-98"),
        ("cuit", "20-05536168-2", "20-05536168-3"),
        ("ec-ruc", "1792060346001", "1763154690001"),
        ("py-ruc", "80028061-0", "80028061-1"),
        ("uy-rut", "211003420017", "211003420018"),
        ("jp-invoice", "T5835678256246", "5835678256246"),
    ],
)
def test_numbers_of_neighbours(kind, good, bad):
    assert check(kind, good) is None
    assert check(kind, bad)
