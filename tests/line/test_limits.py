"""A declaration takes 999 goods items (WCO Data Model 3.6): one finding says so, before any payload is made."""

from __future__ import annotations

import copy
from decimal import Decimal

import pytest
from lxml import etree

from broker.catalogue import load
from broker.content.detect import detect
from broker.line.process import process
from broker.model.documents import Message
from broker.model.errors import Refused
from broker.model.ids import NO_MESSAGE_ID
from broker.validate import validate
from tests.support.paths import ROOT

CATALOGUE = load()


def invoice(lines: int) -> bytes:
    """The minimal invoice with so many lines, and totals that fit."""
    root = etree.parse(ROOT / "mappings/documents/invoice/ubl-2.1/samples/minimal.xml").getroot()
    line = root.find("{*}InvoiceLine")
    amount = line.find("{*}LineExtensionAmount")
    total = root.find("{*}LegalMonetaryTotal")
    for one in (*total.findall("{*}LineExtensionAmount"), *total.findall("{*}PayableAmount")):
        one.text = str(Decimal(amount.text) * lines)
    for _ in range(lines - 1):
        root.append(copy.deepcopy(line))
    return etree.tostring(root)


def test_999_lines_are_taken() -> None:
    outcome = process(Message(NO_MESSAGE_ID, invoice(999)), CATALOGUE)
    assert outcome.is_accepted


def test_1002_are_one_finding_that_names_the_limit_and_the_first_too_many() -> None:
    content = invoice(1002)
    with pytest.raises(Refused) as refused:
        validate(detect(content, CATALOGUE))
    outcome = process(Message(NO_MESSAGE_ID, content), CATALOGUE)
    (finding,) = [f for f in refused.value.findings if f.is_error]
    assert [f for f in outcome.findings if f.is_error] == [finding]
    assert finding.code == "mapping.too-many"
    assert finding.pointer.endswith("InvoiceLine[1000]")
    assert "1,002" in finding.message
    assert "999" in finding.message
