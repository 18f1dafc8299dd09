"""Data that an official can read: short lines, one row a statement, one reason a drop, labels in both languages."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from broker.content.conditions import read_condition
from broker.mapping.language.statements import WHY
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAPPINGS = ROOT / "mappings"
MAPPING_FILES = sorted(MAPPINGS.glob("documents/*/*/mapping.toml"))
LONGEST = 160


def name(file: Path) -> str:
    return str(file.relative_to(MAPPINGS))


def groups(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The document and every group in it."""
    yield data
    for group in data.get("groups", ()):
        yield from groups(group)


def every(file: Path, key: str) -> list[dict[str, Any]]:
    data = tomllib.loads(file.read_text("utf-8"))
    return [entry for group in groups(data) for entry in group.get(key, ())]


def test_no_line_of_a_data_file_is_longer_than_a_screen() -> None:
    long = [
        f"{name(file)}:{number}"
        for file in sorted(MAPPINGS.rglob("*.toml"))
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
        if len(line) > LONGEST
    ]
    assert long == []


@pytest.mark.parametrize("file", MAPPING_FILES, ids=name)
def test_every_label_is_there_in_spanish_too(file: Path) -> None:
    labels = [row["label"] for row in every(file, "fields") if "label" in row]
    assert [label for label in labels if not (isinstance(label, list) and len(label) == 2 and all(label))] == []


@pytest.mark.parametrize("file", MAPPING_FILES, ids=name)
def test_a_statement_is_one_row(file: Path) -> None:
    """A constant code of its own says no more than what the statement is."""
    codes = [row for row in every(file, "fields") if row.get("to", "").endswith("StatementCode") and "value" in row]
    assert codes == []


@pytest.mark.parametrize("file", MAPPING_FILES, ids=name)
def test_a_reason_to_drop_stands_once_in_a_group(file: Path) -> None:
    for group in groups(tomllib.loads(file.read_text("utf-8"))):
        reasons = [drop["why"] for drop in group.get("drops", ()) if "why" in drop]
        assert len(reasons) == len(set(reasons)), group.get("each")


def test_every_rule_that_says_something_says_it_in_spanish() -> None:
    files = [*MAPPINGS.glob("documents/*/*/rules.toml"), *MAPPINGS.glob("rules/*.toml")]
    rules = [(name(file), rule) for file in files for rule in tomllib.loads(file.read_text("utf-8"))["rules"]]
    assert [(file, rule["id"]) for file, rule in rules if rule.get("message") and not rule["message"].get("es")] == []


def test_a_condition_has_one_name_and_routes_and_rows_one_language() -> None:
    """``when`` everywhere; what it says is read by the same reader, names in braces put in."""
    conditions = []
    for file in MAPPINGS.glob("participants/*/participant.toml"):
        for route in tomllib.loads(file.read_text("utf-8")).get("accepts", ()):
            assert not {"unless", "if", "condition", "where"} & route.keys(), (name(file), route["id"])
            conditions.append(route.get("when", "."))
    for file in MAPPING_FILES:
        conditions += [row["when"] for row in every(file, "fields") if "when" in row]
    for text in conditions:
        assert isinstance(text, str)
        assert not re.search(r"\bin '", text), text
        read_condition(re.sub(r"\{\w+\}", "x", re.sub(r"\w+:", "", text)), {})
    assert len(conditions) > 100


@pytest.mark.parametrize("file", MAPPING_FILES, ids=name)
def test_a_report_tells_a_statement_in_one_row_by_its_code(file: Path) -> None:
    report = (file.parent / "report.md").read_text("utf-8")
    codes = [
        row["statement"] for row in every(file, "fields") if isinstance(row.get("statement"), str) and "from" in row
    ]
    told = set(re.findall(r"^\| [\w/]*AdditionalInformation \((.+?)\) \| 225 \|", report, re.MULTILINE))
    assert {code.partition("[")[0] for code in codes} <= told
    assert WHY not in report
