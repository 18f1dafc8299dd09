"""Every row has a sample, every mandatory element a row; the stored reports say what the mappings are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from broker import catalogue
from broker.cli import report
from broker.mapping.lineage.report import markdown
from broker.mapping.lineage.report_page import page
from broker.workbench import evidence

pytestmark = pytest.mark.proof

CATALOGUE = catalogue.load()
TYPES = sorted(CATALOGUE.document_types.values(), key=lambda kind: kind.name)


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_every_row_has_a_sample_and_every_mandatory_element_a_row(kind):
    found = evidence.coverage_of(kind, CATALOGUE)
    assert found.unexercised == ()
    assert found.unfilled == ()


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_the_stored_report_is_what_the_mapping_is(kind):
    found = evidence.report_of(kind, CATALOGUE)
    stored = (Path(kind.folder) / evidence.REPORT).read_text(encoding="utf-8")
    assert stored == markdown(found), f"run: swb report --write {kind.name}"
    text = page(found)
    assert found.record in re.sub(r"<[^>]*>", "", text)
    assert not re.search(r"(src|href)\s*=", text)


def test_the_code_that_a_mapping_becomes_can_be_read():
    shown = CliRunner().invoke(report.command, ["invoice/ubl-2.1", "--code"])
    assert shown.exit_code == 0
    compile(shown.output, "shown", "exec")


def test_an_unknown_format_is_told_with_those_there_are():
    shown = CliRunner().invoke(report.command, ["invoice/nothing"])
    assert shown.exit_code == 2
    assert "invoice/ubl-2.1" in shown.output
