"""The facts of a UN/CEFACT SPS certificate, and of the Andean import permit, which has its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.independent import forms
from tests.support.independent.facts import Facts, Line, Party, Value, Values
from tests.support.independent.trees import allowed, constant, find, measures, moments, place, tariffs, text_of, values

if TYPE_CHECKING:
    from lxml import etree

PERMIT = "{urn:sgcan:intercom:data:standard:SPSImportPermit:1}SPSImportPermit"
"""UNCL 1001 911: import licence."""
ROOTS = {"{urn:un:unece:uncefact:data:standard:SPSCertificate:17}SPSCertificate", PERMIT}
COUNTS = ("C62", "EA", "H87", "NAR", "NMB", "NMP", "PCE")
"""UNECE Recommendation 20: one, each, piece, number."""
DATE = ("DateTimeString", "DateTime", ".")


def read(root: etree._Element) -> Facts:
    """The facts of one certificate."""
    document = find(root, "SPSExchangedDocument", "SPSImportPermitExchangedDocument")[0]
    consignment = find(root, "SPSConsignment")[0]
    consignor, consignee = _party(consignment, "ConsignorSPSParty"), _party(consignment, "ConsigneeSPSParty")
    despatch, delivery = _party(consignment, "DespatchSPSParty"), _party(consignment, "DeliverySPSParty")
    issuer = _party(document, "IssuerSPSParty")
    movement = "MainCarriageSPSTransportMovement"
    equipment = "UtilizedSPSTransportEquipment"
    of_lines = "IncludedSPSConsignmentItem/IncludedSPSTradeLineItem/AssociatedSPSTransportEquipment"
    modes = values(consignment, f"{movement}/ModeCode")
    lines = find(consignment, "IncludedSPSConsignmentItem/IncludedSPSTradeLineItem")
    return Facts(
        lines=tuple(_line(line) for line in lines if not _is_whole(line, lines)),
        parties={
            "consignor": consignor,
            "exporter": _may(consignor, despatch),
            "consignee": consignee,
            "importer": _may(consignee, delivery),
            "issuer": issuer,
            "carrier": _party(consignment, "CarrierSPSParty"),
        },
        number=values(document, "ID", form=forms.identifier),
        kind=values(document, "TypeCode") or constant(*(["911"] if root.tag == PERMIT else [])),
        issued=moments(document, *(f"IssueDateTime/{d}" for d in DATE[:2])) or moments(document, "IssueDateTime"),
        export=_country(consignment, "ExportSPSCountry"),
        destination=_country(consignment, "ImportSPSCountry"),
        transit=_country(consignment, "TransitSPSCountry"),
        mode=modes[:1] + allowed(modes[1:]),
        means=values(consignment, f"{movement}/ID", f"{movement}/UsedSPSTransportMeans/Name"),
        equipment=values(consignment, f"{equipment}/ID", f"{of_lines}/ID", form=forms.identifier),
        seals=tuple(
            _seal(s)
            for e in (equipment, of_lines)
            for s in find(consignment, f"{e}/AffixedSPSSeal[*[local-name()='ID']]")
        ),
        gross=measures(consignment, "GrossWeightMeasure"),
    )


def _is_whole(line: etree._Element, lines: list[etree._Element]) -> bool:
    """TRACES: a line numbered 0 among others tells of the whole consignment."""
    return len(lines) > 1 and any(v.text == "0" for v in values(line, "SequenceNumeric"))


def _country(node: etree._Element, path: str) -> Values:
    return values(node, f"{path}/ID")


def _party(node: etree._Element, path: str) -> Party:
    ids = values(node, f"{path}/ID", form=forms.identifier)
    registered = [e for e in find(node, f"{path}/TypeCode") if "egistration" in (e.get("listName") or "")]
    numbers = tuple(Value(forms.identifier(text_of(e)), place(e), must=False) for e in registered)
    return Party(values(node, f"{path}/Name"), ids + numbers, values(node, f"{path}/SpecifiedSPSAddress/CountryID"))


def _may(*parties: Party) -> Party:
    return Party(
        allowed(*(p.name for p in parties)), allowed(*(p.id for p in parties)), allowed(*(p.country for p in parties))
    )


def _line(line: etree._Element) -> Line:
    classified = find(line, "ApplicableSPSClassification")
    return Line(
        description=values(line, "Description") or allowed(values(line, "CommonName", "ScientificName")),
        net=measures(line, "NetWeightMeasure"),
        gross=measures(line, "GrossWeightMeasure"),
        tariff=tuple(v for c in classified if _is_harmonised(c) for v in tariffs(c, "ClassCode")),
        origin=_country(line, "OriginSPSCountry"),
        packages=tuple(_package(p) for p in find(line, "PhysicalSPSPackage") if values(p, "ItemQuantity")),
        quantity=allowed(measures(line, "NetWeightMeasure"), measures(line, "NetVolumeMeasure")),
    )


def _seal(seal: etree._Element) -> Value:
    """One seal; or the first and last number of several."""
    ends = values(seal, "ID", "MaximumID", form=forms.identifier)
    return Value(ends[0].text, ends[0].at, ("".join(v.text for v in ends),))


def _is_harmonised(classification: etree._Element) -> bool:
    """Whether a classification is by the Harmonised System: by name, or by the number of the system."""
    names = values(classification, "SystemName[1]")
    systems = values(classification, "SystemID")
    return any(v.text in {"HS", "CN"} or v.text.startswith("HS") for v in names or systems)


def _package(package: etree._Element) -> Value:
    """How many packages of which kind; the type may stand after the number. What has a unit of measure counts none."""
    counted = " or ".join(f"@unitCode='{unit}'" for unit in COUNTS)
    quantity = values(package, f"ItemQuantity[not(@unitCode) or {counted}]", form=forms.number)
    code = values(package, "TypeCode")
    return Value(" ".join(v.text for v in (*quantity, *code)), place(find(package, "ItemQuantity")[0]))
