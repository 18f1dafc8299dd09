"""The facts of a UN/CEFACT Cross Industry Invoice, D16B and later; EN 16931, Factur-X, XRechnung."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tests.support.independent import forms
from tests.support.independent.facts import Facts, Line, Party, Value, Values
from tests.support.independent.trees import (
    allowed,
    amounts,
    constant,
    find,
    measures,
    moments,
    place,
    tariffs,
    text_of,
    values,
)

if TYPE_CHECKING:
    from lxml import etree

ROOTS = {"{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice"}
ADDRESS = "PostalTradeAddress/CountryID"


def read(root: etree._Element) -> Facts:
    """The facts of one invoice."""
    (trade,) = find(root, "SupplyChainTradeTransaction")
    agreement, delivery, settlement = (
        f"ApplicableHeaderTrade{part}" for part in ("Agreement", "Delivery", "Settlement")
    )
    currency = next((v.text for v in values(trade, f"{settlement}/InvoiceCurrencyCode")), "")
    seller, buyer = party(trade, f"{agreement}/SellerTradeParty"), party(trade, f"{agreement}/BuyerTradeParty")
    receiver = party(trade, f"{delivery}/ShipToTradeParty", f"{delivery}/UltimateShipToTradeParty")
    leaves = values(trade, f"{delivery}/ShipFromTradeParty/{ADDRESS}")
    consignment = f"{delivery}/RelatedSupplyChainConsignment"
    movement = f"{consignment}/SpecifiedLogisticsTransportMovement"
    equipment = f"{consignment}/UtilizedLogisticsTransportEquipment"
    sums = f"{settlement}/SpecifiedTradeSettlementHeaderMonetarySummation"
    whole = amounts(trade, f"{sums}/GrandTotalAmount", currency=currency)
    due = amounts(trade, f"{sums}/DuePayableAmount", currency=currency)
    number = values(root, "ExchangedDocument/ID", form=forms.identifier)
    issued = moments(root, "ExchangedDocument/IssueDateTime/DateTimeString", "ExchangedDocument/IssueDateTime/DateTime")
    before = f"{settlement}/InvoiceReferencedDocument"
    return Facts(
        lines=tuple(_line(line, currency) for line in details(trade)),
        parties={
            "seller": seller,
            "exporter": Party(allowed(seller.name), allowed(seller.id), allowed(seller.country)),
            "buyer": buyer,
            "consignee": receiver if receiver.name else Party(receiver.name, receiver.id, allowed(receiver.country)),
            "carrier": party(trade, f"{consignment}/CarrierTradeParty"),
        },
        number=number,
        kind=values(root, "ExchangedDocument/TypeCode") or constant("380"),
        issued=issued,
        invoice=(*allowed(number), *values(trade, f"{before}/IssuerAssignedID", form=forms.identifier)),
        invoiced=allowed(issued, moments(trade, f"{before}/FormattedIssueDateTime/DateTimeString")),
        total=tuple(v for v in whole if v.text.endswith(currency)) or whole or due,
        due=due,
        gross=measures(trade, f"{consignment}/GrossWeightMeasure"),
        packages=values(trade, f"{consignment}/PackageQuantity", form=forms.number),
        export=leaves or allowed(seller.country),
        destination=receiver.country or allowed(buyer.country),
        mode=values(trade, f"{movement}/ModeCode"),
        means=values(
            trade, f"{movement}/UsedLogisticsTransportMeans/ID", f"{movement}/UsedLogisticsTransportMeans/Name"
        ),
        equipment=values(trade, f"{equipment}/ID", form=forms.identifier),
        seals=values(trade, f"{equipment}/AffixedLogisticsSeal/ID", form=forms.identifier),
        freight=_freight(trade, settlement, currency),
    )


def details(trade: etree._Element) -> list[etree._Element]:
    """The lines that are goods: a group or an information line (BT-X-8) sums or explains others."""
    lines = find(trade, "IncludedSupplyChainTradeLineItem")
    reason = "AssociatedDocumentLineDocument/LineStatusReasonCode"
    return [line for line in lines if all(v.text == "DETAIL" for v in values(line, reason))]


def party(node: etree._Element, *paths: str) -> Party:
    """A trade party: names, numbers that are no mail address, countries."""
    found = [p for path in paths for p in find(node, path)]
    name, number, country = [], [], []
    for one in found:
        name += values(one, "Name", "SpecifiedLegalOrganization/TradingBusinessName")
        ids = find(one, "SpecifiedLegalOrganization/ID", "GlobalID", "ID", "SpecifiedTaxRegistration/ID")
        reached = find(one, "URIUniversalCommunication/URIID")
        number += [
            Value(forms.identifier(text_of(e)), place(e), must=e not in reached)
            for e in [*ids, *reached]
            if e.get("schemeID") not in {"EM", "SEPA"} and "@" not in text_of(e) and text_of(e)
        ]
        country += values(one, ADDRESS)
    return Party(tuple(name), tuple(number), tuple(country))


def _line(line: etree._Element, currency: str) -> Line:
    product = "SpecifiedTradeProduct"
    return Line(
        description=values(line, f"{product}/Name", f"{product}/Description"),
        quantity=measures(line, "SpecifiedLineTradeDelivery/BilledQuantity"),
        amount=amounts(
            line,
            "SpecifiedLineTradeSettlement/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount",
            currency=currency,
        ),
        net=measures(line, "SpecifiedLineTradeDelivery/NetWeightMeasure", f"{product}/NetWeightMeasure"),
        gross=measures(line, "SpecifiedLineTradeDelivery/GrossWeightMeasure", f"{product}/GrossWeightMeasure"),
        tariff=tariffs(line, f"{product}/DesignatedProductClassification/ClassCode[@listID='HS']"),
        origin=values(line, f"{product}/OriginTradeCountry/ID"),
        packages=values(line, "SpecifiedLineTradeDelivery/PackageQuantity", form=forms.number),
    )


def _freight(trade: etree._Element, settlement: str, currency: str) -> Values:
    """The charges of the document whose reason is freight (UNCL 7161 FC), summed."""
    charges = find(trade, f"{settlement}/SpecifiedTradeAllowanceCharge[normalize-space(ram:ChargeIndicator)='true']")
    own = [c for c in charges if any(v.text == "FC" for v in values(c, "ReasonCode"))]
    found = [v for c in own for v in amounts(c, "ActualAmount", currency=currency)]
    if not found:
        return ()
    total = sum((Decimal(v.text.split()[0]) for v in found), Decimal())
    return (Value(forms.amount(str(total), found[0].text.partition(" ")[2]), found[0].at),)
