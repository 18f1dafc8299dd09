"""The payload against its schema and the rules beside it."""

import pytest
from lxml import etree

from broker.model.documents import Payload
from broker.model.errors import Refused
from broker.validate import Schema, check, validate_payload
from tests.support.note_kit import GOOD, document
from tests.support.paths import ROOT


@pytest.fixture(scope="session")
def wco() -> Schema:
    return Schema(ROOT / "xsd" / "wco" / "3.6" / "payload.xsd")


DEC = "urn:wco:datamodel:WCO:DEC-DMS:2"
DECLARATION = f"""<md:MetaData xmlns:md="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2">
<md:WCODataModelVersionCode>3.6</md:WCODataModelVersionCode><md:WCOTypeName>DEC</md:WCOTypeName>
<Declaration xmlns="{DEC}" xmlns:ds="urn:wco:datamodel:WCO:Declaration_DS:DMS:2"><FunctionCode>9</FunctionCode>
<FunctionalReferenceID>x</FunctionalReferenceID>
<IssueDateTime><ds:DateTimeString formatCode="102">20260417</ds:DateTimeString></IssueDateTime><TypeCode>861</TypeCode>
<GoodsItemQuantity>1</GoodsItemQuantity><Exporter><Name>Agro Valle Nuevo SAC</Name></Exporter><GoodsShipment>
<GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric>
<Commodity><Description>Tea</Description></Commodity></GovernmentAgencyGoodsItem></GoodsShipment></Declaration></md:MetaData>"""


def payload_findings(wco, schema, text) -> list[str]:
    class Catalogue:
        payload_schema = wco

    root = etree.fromstring(text)
    payload = Payload(text.encode(), root.find(f"{{{DEC}}}Declaration"))
    findings = ()
    try:
        validate_payload(payload, document(schema, GOOD), Catalogue())
    except Refused as refusal:
        findings = refusal.findings
    assert {(f.code, f.pointer, f.line) for f in findings} <= {("payload.invalid", "/n:Note", 1)}
    return [f.message for f in findings]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("", "", ""),
        ("<Description>Tea</Description>", "", "/Commodity/Description: Description is missing in Commodity."),
        ('formatCode="102"', 'formatCode="304"', "WCO-DATE"),
        (">20260417<", ">20260417093000Z<", "WCO-DATE"),
        ("<GoodsItemQuantity>1<", "<GoodsItemQuantity>2<", "WCO-ITEMS"),
        ("<Exporter><Name>Agro Valle Nuevo SAC</Name></Exporter>", "<Exporter/>", "WCO-EMPTY"),
        ("<TypeCode>861<", "<TypeCode>INV<", "WCO-CANCEL"),
        ("<md:WCOTypeName>DEC<", "<md:WCOTypeName>RES<", "WCO-TYPE"),
    ],
)
def test_the_payload_is_held_against_schema_and_rules(wco, schema, old, new, told):
    messages = payload_findings(wco, schema, DECLARATION.replace(old, new, 1) if old else DECLARATION)
    assert bool(messages) is bool(told)
    assert any(told in m for m in messages) or not told


def test_an_original_without_goods_is_refused(wco, schema):
    start, end = DECLARATION.index("<GoodsShipment>"), DECLARATION.index("</Declaration>")
    text = DECLARATION[:start] + DECLARATION[end:]
    assert any("WCO-ORIGINAL" in m for m in payload_findings(wco, schema, text))
    assert payload_findings(wco, schema, text.replace("<FunctionCode>9<", "<FunctionCode>13<")) == []


def test_the_rules_of_the_payload_are_xpath(wco):
    check(wco.rules, wco.namespaces)
    assert len({r.id for r in wco.rules}) == len(wco.rules) == 6
