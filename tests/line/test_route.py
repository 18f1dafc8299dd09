"""Each part of a routing rule decides, and a window that declines says why in plain words."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from lxml import etree

from broker.content.conditions import read_condition
from broker.content.payload_path import values, written
from broker.line.route import route
from broker.model.documents import DocumentType, Payload
from broker.model.outcomes import Catalogue
from broker.model.participants import Limits, Participant, RoutingRule, ValueRange

DECLARATION = """
<MetaData xmlns="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2">
  <Declaration xmlns="urn:wco:datamodel:WCO:DEC-DMS:2" xmlns:ds="urn:wco:datamodel:WCO:Declaration_DS:DMS:2">
    <IssueDateTime><ds:DateTimeString formatCode="102">20250310</ds:DateTimeString></IssueDateTime>
    <InvoiceAmount currencyID="USD">800.50</InvoiceAmount>
    <AdditionalInformation><StatementCode>AGR</StatementCode><StatementDescription>A38</StatementDescription>
    </AdditionalInformation>
    <GoodsShipment>
      <Destination><CountryCode>PE</CountryCode></Destination>
      <ExportCountry><ID>CL</ID></ExportCountry>
      <GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric>
        <Commodity><Classification><ID>080610</ID></Classification></Commodity></GovernmentAgencyGoodsItem>
      <GovernmentAgencyGoodsItem><SequenceNumeric>2</SequenceNumeric>
        <Commodity><Classification><ID>44071100</ID></Classification></Commodity></GovernmentAgencyGoodsItem>
    </GoodsShipment>
  </Declaration>
</MetaData>
"""


def payload(text: str = DECLARATION) -> Payload:
    root = etree.fromstring(text.strip())
    return Payload(text.encode(), root[0])


def document_type(name: str = "origin/aladi-cod-1.8") -> DocumentType:
    return DocumentType(name, "", name.partition("/")[0], "", "", {}, None, None, (), "")


def catalogue(*rules: RoutingRule) -> Catalogue:
    window = Participant("zz-window", "A window", "window", "ZZ", rules)
    agency = Participant("zz-agency", "An agency", "agency", "ZZ")
    return Catalogue({}, (), {"zz-window": window, "zz-agency": agency}, {}, None)


def ask(rule: RoutingRule):
    (routing,) = route(document_type(), payload(), catalogue(rule))
    return routing


def when(condition: str) -> RoutingRule:
    return RoutingRule("R", when=read_condition(condition, {}), when_text=condition)


AGREEMENT = "AdditionalInformation[StatementCode='AGR']/StatementDescription"
HOLDS = [
    RoutingRule("R"),
    RoutingRule("R", family="origin"),
    RoutingRule("R", types=("origin/aladi-cod-1.8", "sps/uncefact-17")),
    when("matches(GoodsShipment/Destination/CountryCode, 'CO|PE') and GoodsShipment/ExportCountry/ID = 'CL'"),
    when("GoodsShipment/Importer/ID or GoodsShipment/ExportCountry/ID = 'CL'"),
    when("GoodsShipment/ExportCountry/ID != GoodsShipment/Destination/CountryCode"),
    when("GoodsShipment/GovernmentAgencyGoodsItem/SequenceNumeric = '2'"),
    when(f"{AGREEMENT} = 'A38'"),
    when("GoodsShipment/ExportCountry/ID"),
    when("not(GoodsShipment/ExportCountry/ID = 'PE' or GoodsShipment/Importer/ID)"),
    when("not(GoodsShipment/ExportCountry/ID = 'CL' and GoodsShipment/Importer/ID)"),
    RoutingRule("R", chapters=("44",)),
    RoutingRule("R", value=ValueRange("InvoiceAmount", Decimal("800.50"), Decimal("800.5"), "USD")),
    RoutingRule("R", valid_from=date(2025, 3, 10), valid_until=date(2025, 3, 10)),
]
DECLINES = [
    (RoutingRule("R", family="sps"), "R: takes sps documents, this is origin"),
    (RoutingRule("R", types=("sps/uncefact-17",)), "R: takes sps/uncefact-17, this is origin/aladi-cod-1.8"),
    (
        when("matches(GoodsShipment/Destination/CountryCode, 'SG|MY')"),
        "R: wants GoodsShipment/Destination/CountryCode = SG or MY, found PE",
    ),
    (
        when("matches(GoodsShipment/Destination/CountryCode, '[A-C].')"),
        "R: wants GoodsShipment/Destination/CountryCode [A-C]., found PE",
    ),
    (
        when("GoodsShipment/Destination/CountryCode = 'SG' or GoodsShipment/ExportCountry/ID = 'SG'"),
        (
            "R: wants GoodsShipment/Destination/CountryCode = SG, found PE"
            " or wants GoodsShipment/ExportCountry/ID = SG, found CL"
        ),
    ),
    (
        when("GoodsShipment/ExportCountry/ID = GoodsShipment/Destination/CountryCode"),
        "R: wants GoodsShipment/ExportCountry/ID = GoodsShipment/Destination/CountryCode, found CL",
    ),
    (when("matches(GoodsShipment/Importer/ID, '.*')"), "R: wants GoodsShipment/Importer/ID .*, found nothing"),
    (when("GoodsShipment/Importer/ID"), "R: wants GoodsShipment/Importer/ID, found nothing"),
    (
        when("GoodsShipment/ExportCountry/ID and not(GoodsShipment/ExportCountry/ID = 'CL')"),
        "R: does not take GoodsShipment/ExportCountry/ID = CL",
    ),
    (when("not(GoodsShipment/ExportCountry/ID)"), "R: does not take GoodsShipment/ExportCountry/ID = CL"),
    (RoutingRule("R", chapters=("01", "02")), "R: takes HS chapters 01, 02, found 08, 44"),
    (
        RoutingRule("R", value=ValueRange("InvoiceAmount", at_most=Decimal(800))),
        "R: wants InvoiceAmount at most 800, found 800.50",
    ),
    (
        RoutingRule("R", value=ValueRange("InvoiceAmount", Decimal(1), Decimal(2), "PEN")),
        "R: wants InvoiceAmount in PEN, found USD",
    ),
    (
        RoutingRule("R", value=ValueRange("GoodsItemQuantity", Decimal(1))),
        "R: needs a value at GoodsItemQuantity, found none",
    ),
    (RoutingRule("R", valid_from=date(2025, 3, 11)), "R: is in force from 2025-03-11, this was issued on 20250310"),
    (RoutingRule("R", valid_until=date(2025, 3, 9)), "R: was in force until 2025-03-09, this was issued on 20250310"),
]


@pytest.mark.parametrize("rule", HOLDS, ids=str)
def test_a_rule_holds_when_every_part_does(rule):
    routing = ask(rule)
    assert routing.is_accepted
    assert routing.rule == "R"


@pytest.mark.parametrize(("rule", "reason"), DECLINES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_rule_that_does_not_hold_says_which_part(rule, reason):
    routing = ask(rule)
    assert not routing.is_accepted
    assert routing.reason == reason


def test_only_windows_are_asked_and_one_holding_rule_is_enough():
    rules = (RoutingRule("ONE", family="sps"), RoutingRule("TWO", family="origin"))
    assert [(r.participant, r.rule) for r in route(document_type(), payload(), catalogue(*rules))] == [
        ("zz-window", "TWO")
    ]


def test_a_window_without_any_rule_says_so():
    (routing,) = route(document_type(), payload(), catalogue())
    assert routing.reason == "it accepts no documents at all"


def test_paths_need_no_prefixes_and_places_are_written_the_same_way():
    declaration = payload().root
    assert values(declaration, "IssueDateTime/DateTimeString[@formatCode='102']") == ("20250310",)
    assert values(declaration, "substring(IssueDateTime/DateTimeString, 1, 4)") == ("2025",)
    assert values(declaration, "count(GoodsShipment/*) div 2") == ("2.0",)
    second = declaration.xpath("//*[local-name()='ID']")[-1]
    assert (
        written(second)
        == "/MetaData/Declaration/GoodsShipment/GovernmentAgencyGoodsItem[2]/Commodity/Classification/ID"
    )


def test_a_payload_larger_than_a_window_takes_is_not_routed_to_it():
    one = payload()
    small = replace(catalogue(RoutingRule("R")).participants["zz-window"], limits=Limits(size=len(one.content) - 1))
    (routing,) = route(document_type(), one, Catalogue({}, (), {"zz-window": small}, {}, None))
    assert not routing.is_accepted
    assert routing.reason == f"takes {len(one.content) - 1:,} bytes, the payload has {len(one.content):,}"
    wide = replace(small, limits=Limits(size=len(one.content)))
    (routing,) = route(document_type(), one, Catalogue({}, (), {"zz-window": wide}, {}, None))
    assert routing.is_accepted
