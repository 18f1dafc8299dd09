"""The facts of certificates of origin in JSON: TradeTrust's data, and UN/CEFACT's preferential certificate D22B."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.independent import forms
from tests.support.independent.facts import Facts, Line, Party, Value, Values
from tests.support.independent.trees import allowed, constant, find, measures, moments, place, tariffs, values

if TYPE_CHECKING:
    from lxml import etree


def is_tradetrust(element: etree._Element) -> bool:
    """Whether an object holds a TradeTrust certificate of origin."""
    return "at" in element.attrib and bool(find(element, "supplyChainConsignment"))


def is_preferential(element: etree._Element) -> bool:
    """Whether an object is a UN/CEFACT preferential certificate of origin."""
    return (
        "at" in element.attrib
        and bool(find(element, "exchangedDocument"))
        and bool(find(element, "specifiedConsignment"))
    )


def is_one(element: etree._Element) -> bool:
    """Whether an object is a certificate that can be read here."""
    return is_tradetrust(element) or is_preferential(element)


def read(root: etree._Element) -> Facts:
    """The facts of one certificate."""
    return _tradetrust(root) if is_tradetrust(root) else _preferential(root)


def country(text: str) -> str:
    """A country's code, upper case."""
    return text.strip().upper()


def _tradetrust(root: etree._Element) -> Facts:
    way = "supplyChainConsignment"
    exporter, importer = _party(root, f"{way}/exporter"), _party(root, f"{way}/importer")
    carriage = f"{way}/mainCarriageTransportMovement"
    issuer = _party(root, "issuer")
    invoice = f"{way}/includedConsignmentItems/tradeLineItems/invoiceReference"
    items = find(root, f"{way}/includedConsignmentItems")
    return Facts(
        lines=tuple(_trade_line(line) for item in items for line in find(item, "tradeLineItems")),
        parties={
            "exporter": exporter,
            "importer": importer,
            "consignor": _party(root, f"{way}/consignor"),
            "consignee": _party(root, f"{way}/consignee"),
            "issuer": issuer if issuer.name else Party(allowed(values(root, "issuers/name"))),
        },
        number=values(root, "iD", form=forms.identifier),
        kind=_tradetrust_kind(root),
        issued=moments(root, "issueDateTime"),
        invoice=values(root, f"{invoice}/iD", form=forms.identifier),
        invoiced=moments(root, f"{invoice}/issueDateTime", f"{invoice}/formattedIssueDateTime"),
        export=values(root, f"{way}/exportCountry/code", form=country),
        destination=values(root, f"{way}/importCountry/code", form=country),
        means=values(
            root, f"{carriage}/iD", f"{carriage}/usedTransportMeans/iD", f"{carriage}/usedTransportMeans/name"
        ),
    )


def _tradetrust_kind(root: etree._Element) -> Values:
    """UNCL 1001: a preference certificate of origin, a certificate of origin, or either where nothing is said."""
    said = next((v.text for v in values(root, "isPreferential")), "")
    kinds = {"true": "864", "false": "861"}
    return (Value(kinds[said]),) if said in kinds else constant(*kinds.values())


def _party(root: etree._Element, path: str) -> Party:
    return Party(
        values(root, f"{path}/name"),
        values(root, f"{path}/iD", form=forms.identifier),
        values(root, f"{path}/postalAddress/countryCode", form=country),
    )


def _trade_line(line: etree._Element) -> Line:
    product = "tradeProduct"
    return Line(
        description=values(line, f"{product}/description"),
        tariff=tariffs(line, f"{product}/harmonisedTariffCode/classCode"),
        origin=values(line, f"{product}/originCountry/code", form=country),
    )


def _preferential(root: etree._Element) -> Facts:
    document, way = "exchangedDocument", "specifiedConsignment"
    carriage = f"{way}/mainCarriageLogisticsTransportMovement"
    items = f"{way}/includedConsignmentItem/includedTradeLineItem"
    loading = values(root, f"{way}/loadingLogisticsLocation/id/content")
    unloading = values(root, f"{way}/unloadingLogisticsLocation/id/content")
    return Facts(
        lines=tuple(_preferential_line(line) for line in find(root, items)),
        parties={
            "consignor": Party(id=values(root, f"{way}/consignor/id/content", form=forms.identifier)),
            "consignee": Party(id=values(root, f"{way}/consignee/id/content", form=forms.identifier)),
            "exporter": Party(id=allowed(values(root, f"{way}/consignor/id/content", form=forms.identifier))),
            "issuer": Party(id=values(root, f"{document}/issuer/id/content", form=forms.identifier)),
        },
        number=values(root, f"{document}/id/content", form=forms.identifier),
        kind=values(root, f"{document}/typeCode/content") or constant("864"),
        issued=moments(root, f"{document}/issueDateTime/content")
        or moments(root, f"{document}/firstSignatoryDocumentAuthentication/actualDateTime/content"),
        export=allowed(_of_port(loading)),
        destination=allowed(_of_port(unloading)),
        mode=values(root, f"{carriage}/modeCode/content"),
        means=values(
            root,
            f"{carriage}/id/content",
            f"{carriage}/usedLogisticsTransportMeans/id/content",
            f"{carriage}/usedLogisticsTransportMeans/name/content",
        ),
    )


def _of_port(ports: Values) -> Values:
    """The country of a UN/LOCODE: its first two letters."""
    return tuple(Value(v.text[:2].upper(), v.at) for v in ports if len(v.text) == 5)


def _preferential_line(line: etree._Element) -> Line:
    product = "specifiedTradeProduct"
    return Line(
        description=allowed(_of_codes(values(line, f"{product}/designatedProductClassification/classCode/content"))),
        tariff=tariffs(line, f"{product}/designatedProductClassification/classCode/content"),
        origin=values(line, f"{product}/originTradeCountry/id/content", form=country),
        packages=tuple(_package(p) for p in find(line, "physicalReferencedLogisticsPackage[itemQuantity]")),
        quantity=allowed(measures(line, "physicalReferencedLogisticsPackage/itemQuantity/content")),
    )


def _of_codes(codes: Values) -> Values:
    """The goods in codes, one or all of them: this certificate has no words for them."""
    texts = dict.fromkeys([*(v.text for v in codes), ", ".join(v.text for v in codes)])
    return tuple(Value(text) for text in texts if text)


def _package(package: etree._Element) -> Value:
    quantity = values(package, "itemQuantity/content", form=forms.number)
    code = values(package, "typeCode/content")
    return Value(" ".join(v.text for v in (*quantity, *code)), place(find(package, "itemQuantity")[0]) + "/content")
