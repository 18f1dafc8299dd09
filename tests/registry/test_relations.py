"""What a document calls itself and what it amends, from the payloads of our own samples."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from broker.catalogue import data_root
from broker.registry.relations import DocumentName, load

MAPPINGS = data_root() / "mappings"
RELATIONS = load(MAPPINGS / "relations.toml")


def declaration(sample: str) -> etree._Element:
    return etree.parse(MAPPINGS / "documents" / f"{sample}.payload.xml").getroot().find("{*}Declaration")


@pytest.mark.parametrize(
    ("sample", "kind", "number"),
    [
        ("sps/sps-certificate-17/samples/replacement", "851", "2026-PE-000431"),
        ("invoice/ubl-2.1-credit-note/samples/peppol-be-nl", "381", "C-2026-0009"),
        ("origin/aladi-cod-1.8/samples/a14-complete", "864", "BR107A14240000009900"),
    ],
)
def test_what_a_document_calls_itself(sample, kind, number):
    name = RELATIONS.own(declaration(sample))
    assert name == DocumentName(kind, number)
    assert name.key("co-ica") == f"co-ica\n{kind}\n{number}".encode()


@pytest.mark.parametrize(
    ("sample", "does", "kind", "number"),
    [
        ("sps/sps-certificate-17/samples/replacement", "replaces", "851", "2026-PE-000417"),
        ("sps/sps-certificate-17/samples/withdrawn", "withdraws", "851", "2026-PE-000417"),
        ("invoice/ubl-2.1-credit-note/samples/peppol-be-nl", "corrects", "380", "2026-00417"),
    ],
)
def test_what_a_document_amends(sample, does, kind, number):
    (relation,) = RELATIONS.related(declaration(sample))
    assert (relation.does, relation.document) == (does, DocumentName(kind, number))


def test_several_earlier_documents_and_none():
    several = RELATIONS.related(declaration("invoice/ubl-2.1-credit-note/samples/shipment-iso-8859-1"))
    assert [r.document.number for r in several] == ["SB-1", "CN-1", "DN-1", "SC-1"]
    assert RELATIONS.related(declaration("origin/aladi-cod-1.8/samples/a14-complete")) == ()


def test_an_invoice_that_only_mentions_an_earlier_document_amends_nothing():
    credit = etree.tostring(declaration("invoice/ubl-2.1-credit-note/samples/shipment-iso-8859-1"))
    assert RELATIONS.related(etree.fromstring(credit.replace(b">381</TypeCode>", b">380</TypeCode>", 1))) == ()
    other = credit.replace(b">SB-1<", b">AD-1<").replace(b">389</TypeCode>", b">916</TypeCode>")
    assert [r.document.number for r in RELATIONS.related(etree.fromstring(other))] == ["CN-1", "DN-1", "SC-1"]


def test_a_document_without_a_number_has_no_name():
    assert RELATIONS.own(declaration("origin/aladi-cod-1.8/samples/a36-exporter-unsigned")) is None


def test_a_reference_to_an_invoice_finds_it_whatever_kind_of_invoice_it_was():
    root = declaration("invoice/ubl-2.1-credit-note/samples/peppol-be-nl")
    (corrected,) = RELATIONS.related(root)
    for kind in ("380", "388", "384", "325"):
        original = etree.fromstring(
            etree.tostring(root).replace(b"381</", f"{kind}</".encode()).replace(b"C-2026-0009", b"2026-00417")
        )
        assert RELATIONS.own(original) == corrected.document


def test_a_certificate_that_is_issued_again_under_its_number_replaces_itself_and_is_not_withdrawn():
    """ISPM 12: a replacement may keep the number; only a withdrawal (40, 44) gives a reason (WCO 099)."""
    ended = etree.tostring(declaration("sps/sps-certificate-17/samples/withdrawn"))
    again = re.sub(rb"<Amendment>.*?</Amendment>", b"", ended)
    assert again != ended
    assert [r.does for r in RELATIONS.related(etree.fromstring(ended))] == ["withdraws"]
    assert [r.does for r in RELATIONS.related(etree.fromstring(again))] == ["replaces"]
