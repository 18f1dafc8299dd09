"""The facts of a payload: WCO Data Model 3.6, a Declaration in its MetaData."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from tests.support.independent import forms
from tests.support.independent.facts import Facts, Line, Party, Value, Values
from tests.support.independent.trees import amounts, find, measures, moments, place, text_of, values

if TYPE_CHECKING:
    from collections.abc import Mapping

ITEM = "GoodsShipment/GovernmentAgencyGoodsItem"
ROLES = {
    "exporter": "Exporter",
    "issuer": "Submitter",
    "carrier": "Consignment/Carrier",
    "buyer": "GoodsShipment/Buyer",
    "seller": "GoodsShipment/Seller",
    "consignor": "GoodsShipment/Consignor",
    "consignee": "GoodsShipment/Consignee",
    "importer": "GoodsShipment/Importer",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A payload: its facts, and every text in it by which a value may be told elsewhere."""

    facts: Facts
    statements: tuple[str, ...]
    """AdditionalInformation/StatementDescription (225) of the header."""
    of_lines: tuple[tuple[str, ...], ...]
    """The same of each goods item."""
    leaves: tuple[str, ...]


def read(content: bytes) -> Told:
    """The facts of a payload."""
    root = etree.fromstring(content)
    (declaration,) = find(root, "Declaration")
    items = find(declaration, ITEM)
    return Told(
        Facts(
            lines=tuple(_line(item) for item in items),
            parties=_parties(declaration),
            number=_number(declaration),
            kind=values(declaration, "TypeCode"),
            issued=_moments(declaration, "IssueDateTime/DateTimeString"),
            invoice=values(declaration, "GoodsShipment/Invoice/ID", form=forms.identifier),
            invoiced=_moments(declaration, "GoodsShipment/Invoice/IssueDateTime/DateTimeString"),
            total=amounts(declaration, "InvoiceAmount"),
            gross=measures(declaration, "TotalGrossMassMeasure"),
            packages=values(declaration, "TotalPackageQuantity", form=forms.number),
            export=values(declaration, "GoodsShipment/ExportCountry/ID"),
            destination=values(declaration, "GoodsShipment/Destination/CountryCode"),
            transit=values(declaration, "Consignment/Itinerary/RoutingCountryCode"),
            mode=values(
                declaration,
                "BorderTransportMeans/ModeCode",
                "GoodsShipment/Consignment/DepartureTransportMeans/ModeCode",
            ),
            means=values(
                declaration,
                "BorderTransportMeans/ID",
                "BorderTransportMeans/Name",
                "GoodsShipment/Consignment/DepartureTransportMeans/ID",
                "GoodsShipment/Consignment/DepartureTransportMeans/Name",
            ),
            equipment=values(declaration, "GoodsShipment/Consignment/TransportEquipment/ID", form=forms.identifier),
            seals=values(declaration, "GoodsShipment/Consignment/TransportEquipment/Seal/ID", form=forms.identifier),
            freight=amounts(declaration, "GoodsShipment/CustomsValuation/FreightChargeAmount"),
        ),
        _statements(declaration),
        tuple(_statements(item) for item in items),
        tuple(text_of(e) for e in declaration.iter(etree.Element) if len(e) == 0 and text_of(e)),
    )


def _moments(node: etree._Element, path: str) -> Values:
    """Dates and instants; one that is none stays as it stands, and agrees with nothing."""
    return tuple(v for e in find(node, path) for v in moments(e, ".") or values(e, "."))


def _statements(node: etree._Element) -> tuple[str, ...]:
    found = ("AdditionalInformation/StatementDescription", "AdditionalDocument/ID", "AdditionalDocument/Name")
    return tuple(text_of(e) for e in find(node, *found))


def _parties(declaration: etree._Element) -> Mapping[str, Party]:
    found = ((role, find(declaration, path)) for role, path in ROLES.items())
    return {
        role: Party(
            values(nodes[0], "Name"),
            values(nodes[0], "ID", form=forms.identifier),
            values(nodes[0], "Address/CountryCode"),
        )
        for role, nodes in found
        if nodes
    }


def _line(item: etree._Element) -> Line:
    classes = find(item, "Commodity/Classification/ID")
    return Line(
        description=values(item, "Commodity/Description"),
        quantity=measures(item, "Commodity/GoodsMeasure/TariffQuantity"),
        amount=amounts(item, "Commodity/InvoiceLine/ItemChargeAmount"),
        net=measures(item, "Commodity/GoodsMeasure/NetNetWeightMeasure"),
        gross=measures(item, "Commodity/GoodsMeasure/GrossMassMeasure"),
        tariff=tuple(Value(text_of(e), place(e)) for e in classes if _is_tariff(e)),
        origin=values(item, "Origin/CountryCode"),
        packages=_packages(item),
    )


def _number(declaration: etree._Element) -> Values:
    """The number of the document itself: that of the document of the declaration's own type."""
    own = {v.text for v in values(declaration, "TypeCode")}
    found = (d for d in find(declaration, "AdditionalDocument") if own & {v.text for v in values(d, "TypeCode")})
    return next((values(d, "ID", form=forms.identifier) for d in found), ())


def _is_tariff(element: etree._Element) -> bool:
    """Whether a classification is by the Harmonised System: it says so, or names no system."""
    system = element.get("schemeID", "HS")
    kind = next((v.text for v in values(element, "../IdentificationTypeCode")), "HS")
    return kind == "HS" and system.startswith("HS")


def _packages(item: etree._Element) -> Values:
    found = find(item, "Packaging")
    made = ((_joined(values(p, "QuantityQuantity", form=forms.number), values(p, "TypeCode")), p) for p in found)
    return tuple(Value(text, place(p)) for text, p in made if text)


def _joined(quantity: Values, code: Values) -> str:
    return " ".join(v.text for v in (*quantity, *code))
