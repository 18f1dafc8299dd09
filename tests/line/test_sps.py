"""SPS certificates and permits on the line: what their samples show beyond the stored payloads."""

import re

import pytest
from lxml import etree

from broker import catalogue as catalogues
from broker.content.detect import detect
from broker.content.parts import split
from broker.line.process import process
from broker.mapping import explain
from broker.model.documents import Message
from broker.model.ids import NO_MESSAGE_ID
from tests.support.paths import ROOT

pytestmark = pytest.mark.proof

FAMILY = ROOT / "mappings" / "documents" / "sps"
CERTIFICATES = FAMILY / "sps-certificate-17" / "samples"
D = {"d": "urn:wco:datamodel:WCO:DEC-DMS:2"}
ACCEPTED = sorted(p.with_name(p.name.replace(".payload", "")) for p in FAMILY.glob("*/samples/*.payload.xml"))
ACCEPTED = [p for p in ACCEPTED if p.exists()]  # the rest are variants, told as a base and a change


@pytest.fixture(scope="module")
def catalogue():
    return catalogues.load()


def payload(name: str, catalogue) -> etree._Element:
    outcome = process(Message(NO_MESSAGE_ID, (CERTIFICATES / f"{name}.xml").read_bytes()), catalogue)
    assert outcome.is_accepted, outcome.findings
    return outcome.payload.root


def texts(root: etree._Element, path: str) -> list[str]:
    return [e.text for e in root.xpath(path, namespaces=D)]


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda p: f"{p.parents[1].name}-{p.stem}")
def test_every_leaf_is_accounted_for(path, catalogue) -> None:
    explanation = explain(detect(path.read_bytes(), catalogue), NO_MESSAGE_ID)
    counts = explanation.counts
    assert counts["carried"] + counts["folded"] + counts["decided"] + counts["dropped"] == counts["leaves"]
    assert not [loss for loss in explanation.loss if loss.state == "dropped" and not loss.why]


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda p: f"{p.parents[1].name}-{p.stem}")
def test_no_marker_of_absence_reaches_the_payload(path, catalogue) -> None:
    outcome = process(Message(NO_MESSAGE_ID, path.read_bytes()), catalogue)
    found = [e.text for e in outcome.payload.root.iter(etree.Element) if not len(e)]
    assert not [text for text in found if re.fullmatch(r"(?i)null|n/a|sin dato|", text or "")]


@pytest.mark.parametrize(
    ("wrapped", "plain"),
    [
        ("hub-deliver-envelope", "phytosanitary-pe-sg"),
        ("hub-typed-envelope", "phytosanitary-pe-sg"),
        ("hub-phyto-envelope", "phytosanitary-pe-sg"),
        ("hub-plain-envelope", "phytosanitary-pe-sg"),
        ("hub-validate-envelope", "veterinary-cl-pe"),
        ("hub-pulled-envelope", "veterinary-cl-pe"),
        ("hub-pulled-envelopes", "veterinary-cl-pe"),
        ("traces-response", "veterinary-cl-pe"),
        ("one-line-with-bom", "veterinary-cl-pe"),
        ("iso-8859-1", "veterinary-cl-pe"),
    ],
)
def test_wrapping_and_writing_change_nothing(wrapped, plain, catalogue) -> None:
    assert etree.tostring(payload(wrapped, catalogue)) == etree.tostring(payload(plain, catalogue))


def test_two_certificates_in_one_envelope_are_two_messages(catalogue) -> None:
    """A message is one document: the line takes none of several, and each by itself."""
    content = (CERTIFICATES / "hub-pulled-envelopes.xml").read_text()
    envelope = content[content.index("<hub:Envelope>") : content.index("</hub:Envelope>") + len("</hub:Envelope>")]
    two = content.replace(envelope, envelope * 2).encode()
    told = process(Message(NO_MESSAGE_ID, two), catalogue)
    assert [f.code for f in told.findings] == ["envelope.several"]
    parts = split(two, catalogue.envelopes)
    assert [p.content for p in parts] == [content.encode()] * 2
    assert [p.skipped for p in parts] == [0, envelope.count("\n")]


def test_a_fault_inside_the_hub_content_has_the_line_of_the_file(catalogue) -> None:
    content = (CERTIFICATES / "refused-in-hub-content.xml").read_bytes()
    (finding,) = process(Message(NO_MESSAGE_ID, content), catalogue).findings
    assert b"777" in content.splitlines()[finding.line - 1]


def test_withdrawal_and_replacement_ask_for_a_change(catalogue) -> None:
    for name, previous in (("withdrawn", "2026-PE-000417"), ("replacement", "2026-PE-000417")):
        root = payload(name, catalogue)
        assert texts(root, "d:FunctionCode") == ["13"]
        assert texts(root, "d:GoodsShipment/d:PreviousDocument/d:ID") == [previous]
        assert texts(root, "d:GoodsShipment/d:PreviousDocument/d:TypeCode") == ["851"]
    assert texts(payload("phytosanitary-pe-sg", catalogue), "d:FunctionCode") == ["9"]


def test_the_certificate_stands_at_every_item(catalogue) -> None:
    root = payload("phytosanitary-pe-sg", catalogue)
    items = root.xpath("d:GoodsShipment/d:GovernmentAgencyGoodsItem", namespaces=D)
    assert [texts(item, "d:SequenceNumeric") for item in items] == [["1"], ["2"]]
    for item in items:
        assert texts(item, "d:AdditionalDocument[d:TypeCode = '851']/d:ID") == ["2026-PE-000417"]


def test_treatments_are_kept_apart(catalogue) -> None:
    root = payload("phytosanitary-pe-sg", catalogue)
    statement = "d:GoodsShipment/d:GovernmentAgencyGoodsItem[2]/d:AdditionalInformation[d:StatementCode = 'TTL1']"
    assert texts(root, f"{statement}/d:StatementTypeCode") == ["T01", "T02"]
    assert texts(root, f"{statement}/d:StatementDescription") == ["CHT", "CT"]


def test_an_address_that_does_not_fit_says_where_it_belongs(catalogue) -> None:
    root = payload("long-texts", catalogue)
    for party, section in (("Consignor", "30A"), ("Consignee", "27A")):
        statement = f"d:AdditionalInformation[d:StatementCode = '{party.upper()}-ADDRESS']"
        assert texts(root, f"{statement}/d:Pointer/d:DocumentSectionCode") == ["42A", "67A", section, "04A"]
        assert texts(root, f"{statement}/d:Pointer[4]/d:TagID") == ["239"]
        assert not texts(root, f"d:GoodsShipment/d:{party}/d:Address/d:Line")


def test_no_unit_is_guessed(catalogue) -> None:
    root = payload("absent-values", catalogue)
    item = "d:GoodsShipment/d:GovernmentAgencyGoodsItem"
    statement = f"{item}/d:AdditionalInformation[d:StatementCode = 'NET-WEIGHT']"
    assert not root.xpath(f"{item}/d:Commodity/d:GoodsMeasure", namespaces=D)
    assert texts(root, f"{statement}/d:StatementDescription") == ["120"]
