"""Rules that several windows share stand once, and a participant may take over another."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from broker.catalogue import data_root
from broker.model.documents import Rule, Tolerance
from broker.model.errors import Misconfigured
from broker.model.findings import Severity
from broker.registry.participants import load_participant, load_participants
from broker.registry.rules import load_shared, rules_of, tolerances_of
from broker.toml_table import Table

if TYPE_CHECKING:
    from pathlib import Path


MAPPINGS = data_root() / "mappings"
SHARED = """
[[rules]]
id = "NET"
each = "Item"
when = "Net"
test = "Net <= Gross"
at = "Net"
message.en = "Net is more than gross."
message.es = "El neto supera al bruto."
"""
WINDOW = """
name = "A window"
kind = "window"
profile = "our own, for this test"
accepts = [{ id = "A-1" }, { id = "A-2", family = "sps" }]
[answers]
accepted = [{ function = "01" }]
rejected = [{ function = "03" }]
[limits]
size = 1_000
rate = 60
[[rules]]
id = "A-NET"
extends = "NET"
code = "A1"
[[rules]]
id = "A-OWN"
code = "A2"
test = "Item"
message.en = "There is an item."
"""


@pytest.fixture
def mappings(tmp_path: Path) -> Path:
    write(tmp_path / "rules/goods.toml", SHARED)
    write(tmp_path / "participants/aa-one/participant.toml", WINDOW)
    return tmp_path


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def rules(mappings: Path, code: str) -> dict[str, Rule]:
    return {r.id: r for r in load_participant(mappings / f"participants/{code}/participant.toml").rules}


def test_a_window_takes_over_a_shared_rule_with_its_own_id_and_code(mappings: Path) -> None:
    rule = rules(mappings, "aa-one")["A-NET"]
    assert (rule.code, rule.each, rule.when, rule.test, rule.at) == ("A1", "Item", "Net", "Net <= Gross", "Net")
    assert rule.message == {"en": "Net is more than gross.", "es": "El neto supera al bruto."}


def test_what_a_window_says_itself_stands_and_sentences_are_replaced_by_language(mappings: Path) -> None:
    own = 'extends = "NET"\nseverity = "warning"\ntest = "Net < Gross"\nmessage.es = "Otro."'
    write(mappings / "participants/aa-one/participant.toml", WINDOW.replace('extends = "NET"', own))
    rule = rules(mappings, "aa-one")["A-NET"]
    assert (rule.severity, rule.test, rule.at) == (Severity.WARNING, "Net < Gross", "Net")
    assert rule.message == {"en": "Net is more than gross.", "es": "Otro."}


@pytest.mark.parametrize(
    ("shared", "window", "complaint"),
    [
        (SHARED, WINDOW.replace('"NET"', '"NETT"'), r"rules\[1\]: there is no shared rule 'NETT' in mappings/rules"),
        (SHARED, WINDOW.replace('code = "A1"', ""), r"rules\[1\]: code is missing"),
        (SHARED + SHARED, WINDOW, "the shared rule NET exists already"),
        (SHARED.replace("at =", "et ="), WINDOW, r"goods\.toml: rules\[1\]: unknown key et"),
        (SHARED.replace("message.en", "message.zh"), WINDOW, r"goods\.toml: rules\[1\]: NET: message\.en is missing"),
    ],
)
def test_a_shared_rule_that_cannot_be_is_told_with_its_place(
    shared: str, window: str, complaint: str, mappings: Path
) -> None:
    write(mappings / "rules/goods.toml", shared)
    write(mappings / "participants/aa-one/participant.toml", window)
    with pytest.raises(Misconfigured, match=complaint):
        load_participants(mappings / "participants")


def test_a_participant_takes_over_another_and_says_what_differs(mappings: Path) -> None:
    text = """
    extends = "aa-one"
    name = "A second window"
    accepts = [{ id = "A-1", remove = true }, { id = "B-1" }]
    limits = { size = 2_000 }
    rules = [{ id = "A-OWN", remove = true }, { id = "A-NET", code = "B1", extends = "NET", at = "." }]
    """
    write(mappings / "participants/bb-two/participant.toml", text)
    one, two = load_participants(mappings / "participants").values()
    assert (two.name, two.kind, two.profile, two.answers, two.extends) == (
        "A second window", "window", one.profile, one.answers, "aa-one",
    )  # fmt: skip
    assert [rule.id for rule in two.accepts] == ["A-2", "B-1"]
    assert [(rule.id, rule.code, rule.at) for rule in two.rules] == [("A-NET", "B1", ".")]
    assert (two.limits.size, two.limits.rate) == (2_000, 60)
    assert [rule.id for rule in one.accepts] == ["A-1", "A-2"]


def test_participants_that_extend_each_other_or_nobody_are_told(mappings: Path) -> None:
    write(mappings / "participants/bb-two/participant.toml", 'extends = "cc-three"')
    with pytest.raises(Misconfigured, match=r"cc-three/participant\.toml: the file is missing"):
        load_participants(mappings / "participants")
    write(mappings / "participants/cc-three/participant.toml", 'extends = "bb-two"')
    with pytest.raises(Misconfigured, match="extends this participant itself"):
        load_participants(mappings / "participants")


def test_no_rule_of_windows_is_written_twice_and_every_shared_one_is_used() -> None:
    """Two windows that ask the same of the same nodes share the rule."""
    files = sorted((MAPPINGS / "participants").glob("*/participant.toml"))
    entries = [rule for file in files for rule in tomllib.loads(file.read_text("utf-8")).get("rules", [])]
    own = [(r.get("each"), r.get("when"), r["test"], r.get("at")) for r in entries if "extends" not in r]
    assert sorted({f"{one}" for one in own if own.count(one) > 1}) == []
    assert {r["extends"] for r in entries if "extends" in r} == set(load_shared(MAPPINGS / "rules"))


def test_shared_rules_have_a_sentence_in_every_language_of_the_house() -> None:
    for rule in load_shared(MAPPINGS / "rules").values():
        assert set(rule["message"]) == {"en", "es", "zh"}, rule["id"]
        assert re.search(r"[\u4e00-\u9fff]", rule["message"]["zh"]), rule["id"]


def test_rules_and_tolerances_are_read_from_toml() -> None:
    table = Table({"rules": [{"id": "A", "test": "x", "message": {"en": "No."}}]}, "rules.toml")
    assert rules_of(table) == (Rule("A", ".", "x", ".", {"en": "No."}),)
    with pytest.raises(Misconfigured, match="tst"):
        rules_of(Table({"rules": [{"id": "A", "test": "x", "tst": "y", "message": {"en": "No."}}]}, "rules.toml"))
    table = Table({"tolerates": [{"id": "q", "why": "w", "ignore": "x"}]}, "document.toml")
    assert tolerances_of(table) == (Tolerance("q", "w", "x"),)
    for wrong in (
        {"id": "q", "why": "w"},
        {"id": "q", "why": "w", "ignore": "x", "trim": "y"},
        {"id": "q", "ignore": "x"},
    ):
        with pytest.raises(Misconfigured, match=r"document\.toml"):
            tolerances_of(Table({"tolerates": [wrong]}, "document.toml"))
