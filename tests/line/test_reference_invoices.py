"""Invoices and despatch advices as libraries and test suites write them: carried, or refused for a published reason."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from lxml import etree

from broker.catalogue import load
from broker.content.detect import detect
from broker.line.process import process
from broker.mapping import explain
from broker.model.documents import Message
from broker.model.ids import NO_MESSAGE_ID

CATALOGUE = load()
EXPECTED = {
    # no document of ours: templates that are no XML, or none of an invoice
    "sunat-xhandler": (85, {"type.unknown": 8, "content.not-xml": 2, "schema": 1}),
    "xrechnung": (39, {}),
    # ZUGFeRD 1 is another format; MINIMUM and BASIC WL have no lines, which EN 16931 asks for (BR-16)
    "facturx-mustang": (28, {"type.unknown": 7, "schema": 3, "CII-04": 3}),
    "facturx-horstoeko": (7, {"schema": 2}),
    "peppol-logistics": (12, {}),
    "peppol-poacc": (2, {}),
}
PUBLISHED = {
    "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice": (
        "xsd/uncefact-cii/d16b/data/standard/CrossIndustryInvoice_100pD16B.xsd"
    ),
    **{
        f"{{urn:oasis:names:specification:ubl:schema:xsd:{name}-2}}{name}": f"xsd/ubl-2.1/maindoc/UBL-{name}-2.1.xsd"
        for name in ("Invoice", "CreditNote", "DespatchAdvice")
    },
}


def reason(codes: set[str]) -> str:
    """Why a document is refused: by its schema, else by the rule or the reader that says so."""
    if any(code.startswith("schema.") for code in codes):
        return "schema"
    return "CII-04" if "CII-04" in codes else min(codes)


@pytest.mark.parametrize("family", EXPECTED)
def test_each_family_is_carried_or_refused_for_a_reason_that_is_published(family, reference) -> None:
    accepted, reasons = EXPECTED[family]
    refused: Counter[str] = Counter()
    carried = 0
    for file in sorted((Path(reference) / "samples" / family).glob("*.xml")):
        content = file.read_bytes()
        outcome = process(Message(NO_MESSAGE_ID, content), CATALOGUE)
        if outcome.payload is not None:
            carried += 1
            assert explain(detect(content, CATALOGUE), NO_MESSAGE_ID).content == outcome.payload.content
            continue
        why = reason({finding.code for finding in outcome.findings if finding.is_error})
        refused[why] += 1
        if why == "schema":
            root = etree.fromstring(content)
            assert not etree.XMLSchema(etree.parse(Path(reference) / PUBLISHED[root.tag])).validate(root), file.name
    assert (carried, dict(refused)) == (accepted, reasons)
