"""The facts of UBL 2.1 documents, and of SUNAT's use of them.

Invoice, CreditNote, DebitNote, DespatchAdvice and CertificateOfOrigin.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from lxml import etree

from tests.support.independent import forms
from tests.support.independent.facts import Facts, Line, Party, Value, Values
from tests.support.independent.trees import (
    allowed,
    amounts,
    constant,
    find,
    first,
    measures,
    moments,
    place,
    tariffs,
    text_of,
    values,
)

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
ROOTS = {
    f"{{{UBL}{name}-2}}{name}"
    for name in ("Invoice", "CreditNote", "DebitNote", "DespatchAdvice", "CertificateOfOrigin")
}
COUNTRY = "Country/IdentificationCode"
SUNAT_TYPES = {"01": "380", "03": "380", "07": "381", "08": "383", "09": "351", "31": "351", "SalesInvoice": "380"}
"""SUNAT catalogue 01 to UNCL 1001: factura, boleta, nota de crédito, nota de débito, guías de remisión;
and the one name in words that OASIS' own examples use for a type."""
KINDS = {"Invoice": ("380",), "CreditNote": ("381",), "DebitNote": ("383",), "DespatchAdvice": ("351",)}
"""UNCL 1001 where a document does not say its own type."""
TARIFF_PROPERTIES = ("7020", "5032")
"""SUNAT catalogue 55: Partida arancelaria."""
NUMBERS = (
    "CustomerAssignedAccountID",
    "Party/PartyIdentification/ID",
    "PartyIdentification/ID",
    "Party/PartyTaxScheme/CompanyID",
    "Party/PartyLegalEntity/CompanyID",
)
"""Where SUNAT's documents, old and new, number a party."""
SEALS = "TransportEquipmentSeal/ID"


def is_sunat(root: etree._Element) -> bool:
    """Whether a document is of Peru's tax authority: its customization, and parties numbered by catalogue 06."""
    customization = values(root, "CustomizationID")
    return bool(customization) and customization[0].text in {"1.0", "2.0"}


def read(root: etree._Element) -> Facts:
    """The facts of one UBL document."""
    match etree.QName(root).localname:
        case "DespatchAdvice":
            return _despatch(root)
        case "CertificateOfOrigin":
            return _certificate(root)
        case _:
            return _invoice(root)


def party(node: etree._Element, *paths: str) -> Party:
    """A cac:Party or its parent: all its names, its numbers by scheme, the countries of its addresses."""
    below = [p for path in paths for p in find(node, path)]
    peru = constant("PE") if any(_is_ruc(e) for p in below for e in find(p, *NUMBERS)) else ()
    holders = [inner for p in below for inner in (find(p, "Party") or [p])]
    return Party(
        _all(holders, "PartyLegalEntity/RegistrationName", "PartyName/Name", "PartyTaxScheme/RegistrationName"),
        tuple(v for p, holder in zip(below, holders, strict=False) for v in _ids(p, holder)),
        _all(
            holders,
            f"PostalAddress/{COUNTRY}",
            f"PartyLegalEntity/RegistrationAddress/{COUNTRY}",
            f"PhysicalLocation/Address/{COUNTRY}",
        )
        + peru,
    )


def _is_ruc(element: etree._Element) -> bool:
    """Whether a number is a RUC (SUNAT catalogue 06: 6): whoever has one is registered in Peru."""
    beside = (text_of(e) for e in find(element, "../AdditionalAccountID"))
    catalogue = element.get("schemeID") or next(beside, "")
    return catalogue == "6" and bool(text_of(element))


def _in_peru(root: etree._Element, *addresses: str) -> Values:
    """Peru, where an address has a ubigeo: six digits of INEI's list of its districts (SUNAT catalogue 13)."""
    numbers = [text_of(e) for address in addresses for e in find(root, f"{address}/ID")]
    return constant("PE") if any(number.isdigit() and len(number) == 6 for number in numbers) else ()


def _all(nodes: list[etree._Element], *paths: str) -> Values:
    return tuple(v for node in nodes for v in values(node, *paths))


def _ids(outer: etree._Element, holder: etree._Element) -> Values:
    """What numbers a party: not a mail address (scheme EM), not a creditor's account (SEPA)."""
    paths = ("PartyIdentification/ID", "PartyLegalEntity/CompanyID", "PartyTaxScheme/CompanyID")
    numbers = [e for e in find(holder, *paths) if e.get("schemeID") != "SEPA" and "@" not in text_of(e)]
    addresses = [e for e in find(holder, "EndpointID") if e.get("schemeID") != "EM" and "@" not in text_of(e)]
    accounts = find(outer, "CustomerAssignedAccountID") if holder is not outer else []
    told = [Value(forms.identifier(text_of(e)), place(e), _bare(e)) for e in numbers]
    may = [Value(forms.identifier(text_of(e)), place(e), _bare(e), must=False) for e in [*addresses, *accounts]]
    return tuple(v for v in [*told, *may] if v.text)


def _bare(element: etree._Element) -> tuple[str, ...]:
    """A number without a prefix that its scheme (0195, SGUEN) writes before it."""
    text = text_of(element)
    return (forms.identifier(text.upper().removeprefix("SGUEN")),) if text.upper().startswith("SGUEN") else ()


def _invoice(root: etree._Element) -> Facts:
    name = etree.QName(root).localname
    lines = find(root, "InvoiceLine", "CreditNoteLine", "DebitNoteLine")
    seller, buyer = party(root, "AccountingSupplierParty"), party(root, "AccountingCustomerParty")
    true_seller, true_buyer = party(root, "SellerSupplierParty"), party(root, "BuyerCustomerParty")
    consignee = party(root, "Delivery/DeliveryParty")
    shipment = "Delivery/Shipment"
    stage = f"{shipment}/ShipmentStage"
    total = ("LegalMonetaryTotal", "RequestedMonetaryTotal")
    due = amounts(root, *(f"{t}/PayableAmount" for t in total))
    whole = amounts(root, *(f"{t}/TaxInclusiveAmount" for t in total))
    currency = next((v.text for v in values(root, "DocumentCurrencyCode")), "")
    export = first(
        values(root, f"{shipment}/ExportCountry/IdentificationCode"),
        values(root, f"Delivery/Despatch/DespatchAddress/{COUNTRY}", f"{shipment}/OriginAddress/{COUNTRY}"),
        allowed(seller.country),
    )
    goes = values(
        root,
        f"Delivery/DeliveryLocation/Address/{COUNTRY}",
        f"Delivery/DeliveryAddress/{COUNTRY}",
        f"{shipment}/Consignment/FinalDestinationCountry/IdentificationCode",
        f"{shipment}/Delivery/DeliveryAddress/{COUNTRY}",
    )
    number, issued = values(root, "ID", form=forms.identifier), moments(root, "IssueDate")
    before = "BillingReference/InvoiceDocumentReference"
    return Facts(
        lines=tuple(
            _invoice_line(line, goods, currency) for line, goods in zip(lines, _goods_of(root, lines), strict=True)
        ),
        parties={
            "seller": _join(seller, true_seller),
            "exporter": _may(seller, true_seller),
            "buyer": _join(buyer, true_buyer),
            "consignee": Party(consignee.name, consignee.id, (*consignee.country, *allowed(goes))),
            "importer": _may(buyer, true_buyer, consignee),
            "carrier": party(root, f"{stage}/CarrierParty", "Delivery/CarrierParty"),
        },
        number=number,
        kind=_kind(root, name, "InvoiceTypeCode", "CreditNoteTypeCode"),
        issued=issued,
        invoice=(*allowed(number), *values(root, f"{before}/ID", form=forms.identifier)),
        invoiced=(*allowed(issued), *values(root, f"{before}/IssueDate", form=lambda text: forms.moment(text)[0])),
        total=(*whole, *allowed(due)) if is_sunat(root) and whole else whole or due,
        due=due,
        gross=measures(root, f"{shipment}/GrossWeightMeasure"),
        packages=values(root, f"{shipment}/TotalTransportHandlingUnitQuantity", form=forms.number),
        export=export,
        destination=goes or allowed(consignee.country, buyer.country),
        transit=values(root, f"{shipment}/TransitCountry/IdentificationCode"),
        mode=values(root, f"{stage}/TransportModeCode"),
        means=_means(root, stage),
        equipment=values(root, f"{shipment}/TransportHandlingUnit/TransportEquipment/ID", form=forms.identifier),
        seals=values(root, f"{shipment}/TransportHandlingUnit/TransportEquipment/{SEALS}", form=forms.identifier),
        freight=_freight(root),
    )


def _kind(root: etree._Element, name: str, *paths: str) -> Values:
    """The type by UNCL 1001: the document's own code, SUNAT's translated, or what the document is by its name."""
    told = values(root, *paths)
    if told:
        return tuple(Value(SUNAT_TYPES.get(v.text, v.text), v.at) for v in told)
    return constant(*KINDS.get(name, ()))


def _goods_of(root: etree._Element, lines: list[etree._Element]) -> list[etree._Element | None]:
    """The goods items of the shipment, one by one for the lines where there are as many; else nobody can say whose."""
    found = find(root, "Delivery/Shipment/GoodsItem")
    return list(found) if len(found) == len(lines) else [None] * len(lines)


def _invoice_line(line: etree._Element, of_shipment: etree._Element | None, currency: str) -> Line:
    goods = "Delivery/Shipment/GoodsItem"
    item = "Item"
    whole = Line() if of_shipment is None else _goods(of_shipment)
    return Line(
        description=values(line, f"{item}/Name", f"{item}/Description"),
        quantity=measures(line, "InvoicedQuantity", "CreditedQuantity", "DebitedQuantity"),
        amount=amounts(line, "LineExtensionAmount", currency=currency),
        net=(*measures(line, f"{goods}/NetWeightMeasure"), *whole.net),
        gross=(*measures(line, f"{goods}/GrossWeightMeasure"), *whole.gross),
        tariff=(*_tariff(line, item, goods), *whole.tariff),
        origin=values(line, f"{item}/OriginCountry/IdentificationCode", f"{item}/OriginAddress/{COUNTRY}"),
    )


def _tariff(line: etree._Element, item: str, goods: str) -> Values:
    """UBL dictionary: CommodityCode is the harmonised commodity code; a classification is one where its list is HS.

    A CommodityCode that names another list (CPV, UNSPSC) is a code of that list.
    """
    of_hs = "not(@listID) or starts-with(@listID,'H') or contains(@listID,'HS')"
    commodity = f"CommodityClassification/CommodityCode[{of_hs}]"
    properties = " or ".join(f"cbc:NameCode='{code}'" for code in TARIFF_PROPERTIES)
    return tariffs(
        line,
        f"{item}/CommodityClassification/ItemClassificationCode[starts-with(@listID,'HS')]",
        f"{item}/{commodity}",
        f"{goods}/RequiredCustomsID",
        f"{goods}/Item/{commodity}",
        f"{item}/AdditionalItemProperty[{properties}]/Value",
    )


def _means(root: etree._Element, stage: str) -> Values:
    return values(
        root,
        f"{stage}/TransportMeans/AirTransport/AircraftID",
        f"{stage}/TransportMeans/MaritimeTransport/VesselID",
        f"{stage}/TransportMeans/MaritimeTransport/VesselName",
        f"{stage}/TransportMeans/RoadTransport/LicensePlateID",
        f"{stage}/TransportMeans/RailTransport/TrainID",
        f"{stage}/TransportMeans/RegistrationNationalityID",
        f"{stage}/TransportMeans/JourneyID",
    )


def _freight(root: etree._Element) -> Values:
    """The charges whose reason is freight (UNCL 7161 FC), by currency; an allowance is none."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    found = find(root, "AllowanceCharge[normalize-space(cbc:ChargeIndicator)='true' or cbc:ChargeIndicator='1']")
    own = [c for c in found if any(v.text == "FC" for v in values(c, "AllowanceChargeReasonCode"))]
    for charge in own:
        for value in amounts(charge, "Amount"):
            plain, _, currency = value.text.partition(" ")
            sums[currency] += Decimal(plain)
    where = place(own[0]) if own else ""
    return tuple(Value(forms.amount(str(total), currency), where) for currency, total in sums.items())


def _join(*parties: Party) -> Party:
    """Several parties that may stand in one place, all of which must be told."""
    return Party(
        tuple(v for p in parties for v in p.name),
        tuple(v for p in parties for v in p.id),
        tuple(v for p in parties for v in p.country),
    )


def _may(*parties: Party) -> Party:
    """Parties that may stand in a place."""
    whole = _join(*parties)
    return Party(allowed(whole.name), allowed(whole.id), allowed(whole.country))


def _despatch(root: etree._Element) -> Facts:
    supplier, receiver = party(root, "DespatchSupplierParty"), party(root, "DeliveryCustomerParty")
    seller, buyer = party(root, "SellerSupplierParty"), party(root, "BuyerCustomerParty")
    stage = "Shipment/ShipmentStage"
    types = {v.text for v in values(root, "DespatchAdviceTypeCode")}
    is_guide = is_sunat(root) and bool(types & {"09", "31"})
    starts, ends = ("Shipment/Delivery/Despatch/DespatchAddress", "Shipment/OriginAddress"), "Shipment/Delivery"
    leaves = first(
        values(root, "Shipment/ExportCountry/IdentificationCode"),
        values(root, *(f"{address}/{COUNTRY}" for address in starts)),
        _in_peru(root, *starts),
        allowed(supplier.country),
    )
    arrives = first(
        values(
            root,
            "Shipment/Consignment/FinalDestinationCountry/IdentificationCode",
            f"{ends}/DeliveryAddress/{COUNTRY}",
            f"{ends}/DeliveryLocation/Address/{COUNTRY}",
        ),
        _in_peru(root, f"{ends}/DeliveryAddress"),
    )
    unit = "Shipment/TransportHandlingUnit"
    plates = values(root, f"{unit}/TransportEquipment/ID") if is_guide else ()
    boxes = f"{unit}/Package/ID" if is_guide else f"{unit}/TransportEquipment/ID"
    seals = f"{unit}/Package/TraceID" if is_guide else f"{unit}/TransportEquipment/{SEALS}"
    return Facts(
        lines=tuple(_despatch_line(line) for line in find(root, "DespatchLine")),
        parties={
            "consignor": Party(supplier.name, supplier.id, (*supplier.country, *allowed(leaves))),
            "exporter": _may(supplier, seller, Party(country=leaves)),
            "consignee": Party(receiver.name, receiver.id, (*receiver.country, *allowed(arrives))),
            "importer": _may(receiver, buyer),
            "buyer": _join(buyer, _may(receiver)),
            "seller": _join(seller, _may(supplier)),
            "carrier": party(root, f"{stage}/CarrierParty", "Shipment/Consignment/CarrierParty"),
        },
        number=values(root, "ID", form=forms.identifier),
        kind=constant("351", *(["730"] if "31" in types else [])),
        issued=moments(root, "IssueDate"),
        gross=measures(root, "Shipment/GrossWeightMeasure", "Shipment/Consignment/GrossWeightMeasure"),
        packages=values(
            root,
            "Shipment/TotalTransportHandlingUnitQuantity",
            "Shipment/Consignment/TotalTransportHandlingUnitQuantity",
            form=forms.number,
        ),
        export=leaves,
        destination=arrives or allowed(receiver.country),
        transit=values(root, "Shipment/TransitCountry/IdentificationCode"),
        mode=() if is_guide else values(root, f"{stage}/TransportModeCode"),
        means=(*_means(root, stage), *plates),
        equipment=values(root, boxes, form=forms.identifier),
        seals=values(root, seals, form=forms.identifier)
        + allowed(values(root, f"{unit}/TransportEquipment/{SEALS}", form=forms.identifier)),
    )


def _despatch_line(line: etree._Element) -> Line:
    goods = "Shipment/GoodsItem"
    return Line(
        description=values(line, "Item/Name", "Item/Description"),
        quantity=measures(line, "DeliveredQuantity"),
        net=measures(line, f"{goods}/NetWeightMeasure", "Shipment/NetWeightMeasure"),
        gross=measures(line, f"{goods}/GrossWeightMeasure", "Shipment/GrossWeightMeasure"),
        tariff=_tariff(line, "Item", goods),
        origin=values(line, "Item/OriginCountry/IdentificationCode", f"Item/OriginAddress/{COUNTRY}"),
    )


def _certificate(root: etree._Element) -> Facts:
    application = "CertificateOfOriginApplication"
    shipment = f"{application}/Shipment"
    stage = f"{shipment}/ShipmentStage"
    goods = find(root, f"{shipment}/GoodsItem", f"{shipment}/Consignment/ConsolidatedShipment/GoodsItem")
    exporter, importer = party(root, "ExporterParty"), party(root, "ImporterParty")
    consignee = party(root, f"{shipment}/Consignment/ConsigneeParty")
    issuer = party(root, f"{application}/IssuerParty", "IssuerEndorsement/EndorserParty")
    country = values(root, f"{application}/IssuingCountry/IdentificationCode")
    lines = tuple(_goods(item) for item in goods)
    arrives = values(
        root,
        f"{shipment}/Consignment/FinalDestinationCountry/IdentificationCode",
        f"{shipment}/Delivery/DeliveryAddress/{COUNTRY}",
    )
    return Facts(
        lines=lines,
        parties={
            "exporter": exporter,
            "consignor": _may(exporter),
            "importer": importer,
            "consignee": consignee,
            "issuer": Party(issuer.name, issuer.id, (*issuer.country, *allowed(country))),
            "carrier": party(root, f"{stage}/CarrierParty"),
        },
        number=values(root, "ID", form=forms.identifier),
        kind=(*allowed(values(root, f"{application}/CertificateType")), *constant("861", "860", "864", "865")),
        issued=moments(root, "IssueDate") or allowed(moments(root, "IssuerEndorsement/Signature/ValidationDate")),
        total=_sum(lines),
        gross=measures(root, f"{shipment}/GrossWeightMeasure"),
        packages=values(root, f"{shipment}/TotalTransportHandlingUnitQuantity", form=forms.number),
        export=first(
            values(root, f"{shipment}/ExportCountry/IdentificationCode"),
            allowed(exporter.country),
        ),
        destination=arrives or allowed(consignee.country, importer.country),
        transit=values(root, f"{shipment}/TransitCountry/IdentificationCode"),
        mode=values(root, f"{stage}/TransportModeCode"),
        means=_means(root, stage),
        equipment=values(root, f"{shipment}/TransportHandlingUnit/TransportEquipment/ID", form=forms.identifier),
        seals=values(root, f"{shipment}/TransportHandlingUnit/TransportEquipment/{SEALS}", form=forms.identifier),
    )


def _goods(item: etree._Element) -> Line:
    kinds = ("ContainingPackage", "ContainedPackage")
    packages = [p for kind in kinds for p in find(item, kind)]
    return Line(
        description=values(item, "Description", "Item/Name", "Item/Description"),
        quantity=measures(item, "CustomsTariffQuantity", "Quantity", "InvoiceLine/InvoicedQuantity"),
        amount=amounts(
            item,
            "ValueAmount",
            "FreeOnBoardValueAmount",
            "DeclaredCustomsValueAmount",
            "InvoiceLine/LineExtensionAmount",
        ),
        net=measures(item, "NetWeightMeasure"),
        gross=measures(item, "GrossWeightMeasure"),
        tariff=(*tariffs(item, "RequiredCustomsID"), *_tariff(item, "Item", ".")),
        origin=values(item, "Item/OriginCountry/IdentificationCode", f"OriginAddress/{COUNTRY}"),
        packages=tuple(_package(p) for p in packages if find(p, "Quantity")),
    )


def _package(package: etree._Element) -> Value:
    quantity = values(package, "Quantity", form=forms.number)
    code = values(package, "PackagingTypeCode")
    return Value(" ".join(v.text for v in (*quantity, *code)), place(find(package, "Quantity")[0]))


def _sum(lines: tuple[Line, ...]) -> Values:
    """What the lines are worth together: allowed as the total, by each kind of value told."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        for value in line.amount[:1]:
            plain, _, currency = value.text.partition(" ")
            sums[currency] += Decimal(plain)
    return constant(*(forms.amount(str(total), currency) for currency, total in sums.items()))
