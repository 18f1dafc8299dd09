"""What people send and what is right, each with the authority that says so: the samples beside the mappings, by name.

The cases were met in bug reports of other products, in published rules and in real files; each is one of a kind, and
the kind is held by the engine (tests/mapping/test_truth.py), by rules or by rows.
"""

from __future__ import annotations

import pytest

from broker.catalogue import load
from broker.content.detect import detect
from broker.line.process import process
from broker.mapping import explain
from broker.model.documents import Message
from broker.model.ids import NO_MESSAGE_ID
from broker.workbench.samples import read_sample, sample_files
from tests.support.paths import ROOT

CATALOGUE = load()
MAPPINGS = ROOT / "mappings"
D = "{urn:wco:datamodel:WCO:DEC-DMS:2}"


class Told:
    """One sample carried along the line: what the payload says, what the sender hears, what lineage claims."""

    def __init__(self, kind: str, name: str) -> None:
        folder = MAPPINGS / "documents" / kind
        (file,) = [f for f in sample_files(folder) if f.stem == name]
        self.content = read_sample(file, MAPPINGS).content
        self.outcome = process(Message(NO_MESSAGE_ID, self.content), CATALOGUE)
        self.codes = {finding.code for finding in self.outcome.findings}

    @property
    def root(self):
        assert self.outcome.is_accepted, self.outcome.findings
        return self.outcome.payload.root

    def texts(self, path: str) -> list[str]:
        return [e.text for e in self.root.iterfind("/".join(D + step for step in path.split("/")))]

    def measured(self, path: str) -> list[tuple[str, str]]:
        found = self.root.iterfind("/".join(D + step for step in path.split("/")))
        return [(e.text, e.get("currencyID") or e.get("unitCode")) for e in found]

    def statements(self, code: str) -> list[str]:
        found = [e for e in self.root.iter(f"{D}AdditionalInformation") if e.findtext(f"{D}StatementCode") == code]
        return [e.findtext(f"{D}StatementDescription") for e in found]

    def explanation(self):
        return explain(detect(self.content, CATALOGUE), NO_MESSAGE_ID)

    def sources(self, code: str) -> list[tuple[str, str]]:
        """The values that fed a statement."""
        (text,) = self.statements(code)
        (origin,) = [
            o for o in self.explanation().lineage if o.target.endswith("StatementDescription") and o.value == text
        ]
        return [(source.path.rpartition("/")[2], source.value) for source in origin.sources]


ITEM = "GoodsShipment/GovernmentAgencyGoodsItem"
UBL, SUNAT, CII = "invoice/ubl-2.1", "invoice/sunat-ubl-2.1", "invoice/cii-d16b"


@pytest.mark.parametrize(
    ("name", "total"),
    [
        # SUNAT, validation stylesheet of the invoice, catalogue 53; thegreenter/greenter#137 and #237
        ("discount-02-lowers-the-total", "6000.00"),
        ("charge-49-raises-the-total", "6150.00"),
        ("discounts-01-and-03-are-the-sum-of-discounts", "6070.00"),
        ("advance-05-is-no-discount", "6120.00"),
        ("perception-51-is-no-charge", "6120.00"),
        ("sums-may-differ-by-one", "6120.90"),
    ],
)
def test_peru_s_sums_are_reckoned_by_sunat_s_rules(name, total) -> None:
    told = Told(SUNAT, name)
    assert told.measured("InvoiceAmount") == [(total, "USD")]
    assert not {code for code in told.codes if code.startswith(("UBL", "SUNAT"))}


@pytest.mark.parametrize("rule", ["UBL-01", "UBL-02", "UBL-05"])
def test_a_sum_that_sunat_observes_is_a_warning(rule) -> None:
    # SUNAT, return codes 4307 to 4309: from 4000 on a document is accepted with observations
    assert rule in Told(SUNAT, f"warned-{rule}").codes


def test_only_detail_lines_are_goods() -> None:
    # Factur-X 1.0.7 extended, BR-FXEXT-CO-10: groups sum up, information lines inform; ZUGFeRD/mustangproject#1133
    told = Told(CII, "lines-of-lines")
    assert told.texts("GoodsItemQuantity") == ["2"]
    assert told.texts(f"{ITEM}/Commodity/Description") == ["Walnuts in shell", "Walnut kernels"]
    lines = [line.split(" | ")[0] for line in told.statements("INV-SUBLINE")]
    assert lines == ["GROUP", "INFORMATION", "DETAIL", "DETAIL"]


def test_the_commodity_code_of_ubl_is_a_tariff_code_whatever_stands_between_its_digits() -> None:
    # UBL 2.1 dictionary: CommodityCode is the harmonized international commodity code, for cross border purposes
    told = Told(UBL, "commodity-code")
    (first,) = [e for e in told.root.iter(f"{D}Classification") if e.findtext(f"{D}IdentificationTypeCode") == "HS"]
    number = first.find(f"{D}ID")
    assert (number.text, number.get("schemeID"), number.get("schemeVersionID")) == ("0409000010", "HS", "2022")


def test_the_concept_7020_of_catalogue_55_is_a_tariff_code() -> None:  # SUNAT, catalogue 55
    told = Told(SUNAT, "tariff-code-of-catalogue-55")
    assert "0804400000" in told.texts(f"{ITEM}/Commodity/Classification/ID")


def test_the_one_goods_item_gives_the_one_line_its_weights_and_tariff_code() -> None:
    # UBL 2.1: GoodsItem/RequiredCustomsID, GrossWeightMeasure, NetWeightMeasure; WCO 145, 126, 128
    told = Told(UBL, "one-goods-item")
    assert told.measured(f"{ITEM}/Commodity/GoodsMeasure/GrossMassMeasure") == [("990", "KGM")]
    assert told.measured(f"{ITEM}/Commodity/GoodsMeasure/NetNetWeightMeasure") == [("900", "KGM")]
    assert "04090000" in told.texts(f"{ITEM}/Commodity/Classification/ID")


def test_of_two_goods_items_none_is_taken_for_the_line_and_both_are_stated() -> None:
    told = Told(UBL, "two-goods-items")
    assert told.measured(f"{ITEM}/Commodity/GoodsMeasure/NetNetWeightMeasure") == []
    assert told.statements("INV-GOODS") == ["1 | 040900 | 400 | KGM", "2 | 500 | KGM"]


def test_blanks_and_a_plus_sign_change_no_value() -> None:  # XML Schema Part 2, 3.2.3 and 4.3.6
    told = Told(UBL, "blank-and-plus")
    assert told.measured(f"{ITEM}/Commodity/InvoiceLine/ItemChargeAmount") == [("31500.00", "NZD")]
    assert told.codes == set()


def test_a_blank_does_not_evade_a_rule() -> None:  # ConnectingEurope/eInvoicing-EN16931#133; XSD 3.2.2
    told = Told(UBL, "refused-UBL-05-with-blanks")
    assert "UBL-05" in {f.code for f in told.outcome.findings if f.is_error}


def test_a_box_of_catalogue_03_is_a_unit() -> None:  # SUNAT, catalogue 03: BX is in force
    told = Told(SUNAT, "box-of-catalogue-03")
    assert told.measured(f"{ITEM}/Commodity/GoodsMeasure/TariffQuantity")[0] == ("900", "BX")


def test_a_quantity_that_does_not_fit_takes_its_unit_along_and_lineage_names_both() -> None:
    told = Told(UBL, "quantity-with-eight-decimals")
    assert told.measured(f"{ITEM}/Commodity/GoodsMeasure/TariffQuantity") == []
    assert told.statements("INV-QUANTITY") == ["900.12345678 KGM"]
    assert told.sources("INV-QUANTITY") == [("cbc:InvoicedQuantity", "900.12345678"), ("@unitCode", "KGM")]


def test_a_unit_of_no_list_goes_with_its_number() -> None:
    told = Told(UBL, "unit-of-no-list")
    assert told.statements("INV-QUANTITY") == ["900 BARRELFUL"]
    states = {loss.path.rpartition("/")[2]: loss.state for loss in told.explanation().loss if "Quantity" in loss.path}
    assert states == {"cbc:InvoicedQuantity": "folded", "@unitCode": "folded"}


def test_the_total_is_not_what_is_still_to_be_paid() -> None:
    # EN 16931: BT-112 with VAT, BT-115 due for payment; XRechnung test suite; ZUGFeRD/mustangproject#816
    told = Told(UBL, "prepaid-in-full")
    assert told.measured("InvoiceAmount") == [("31500.00", "NZD")]
    assert told.statements("INV-PAYABLE") == ["0.00 NZD"]


def test_an_amount_keeps_its_own_currency() -> None:  # CII-DT-031; ZUGFeRD/mustangproject#65
    assert Told(CII, "total-in-another-currency").measured("InvoiceAmount") == [("500.00", "USD")]


def test_of_two_totals_that_in_the_currency_of_the_invoice_is_the_total() -> None:  # speedata/einvoice#90
    told = Told(CII, "two-totals-in-two-currencies")
    assert told.measured("InvoiceAmount") == [("500.00", "EUR")]
    assert {f.value for f in told.outcome.findings if f.code == "mapping.unmapped"} == {"540.00", "USD"}


def test_freight_is_the_sum_of_all_freight_charges_and_a_rebate_is_none() -> None:  # UNCL 7161 FC
    told = Told(UBL, "two-freight-charges-and-a-rebate")
    assert told.measured("GoodsShipment/CustomsValuation/FreightChargeAmount") == [("55.50", "NZD")]


def test_a_type_of_en_16931_s_list_is_declared_as_it_is() -> None:  # BR-CL-01: 875 to 877; EN16931#461
    assert Told(UBL, "partial-construction-invoice-877").texts("TypeCode") == ["877"]


def test_a_type_of_no_list_is_never_declared_as_another() -> None:  # EN16931#495
    told = Told(UBL, "refused-type-of-no-list")
    assert not told.outcome.is_accepted
    (finding,) = [f for f in told.outcome.findings if f.is_error]
    assert (finding.code, finding.value) == ("codes.unknown", "9Z9")


def test_a_mail_address_is_no_number_of_a_party() -> None:  # EAS, code EM; ConnectingEurope/eInvoicing-EN16931#104
    told = Told(UBL, "mail-is-no-number-of-the-buyer")
    assert told.texts("GoodsShipment/Buyer/ID") == []
    assert told.statements("INV-BUYER-ADDR") == ["EM:desk@tamarind.example"]


def test_a_uen_may_have_the_prefix_of_its_scheme() -> None:  # PINT Singapore, scheme 0195
    told = Told(UBL, "uen-with-its-prefix")
    assert told.texts("GoodsShipment/Buyer/ID") == ["SGUENT08GA0028A"]
    assert "identifier.invalid" not in told.codes


def test_a_creditor_s_number_for_direct_debit_names_no_party() -> None:  # EN 16931, BT-90; EN16931#485
    told = Told(UBL, "sepa-creditor-is-no-number-of-the-seller")
    assert told.texts("Exporter/ID") == ["999-999-999"]
    assert told.texts("GoodsShipment/Seller/ID") == ["999-999-999"]


def test_several_destinations_are_told() -> None:  # UBL 2.1: Delivery 0..n, WCO 465 one
    told = Told(UBL, "warned-two-destinations")
    assert told.texts("GoodsShipment/Destination/CountryCode") == ["SG"]
    (finding,) = [f for f in told.outcome.findings if f.code == "mapping.several" and f.value == "PE"]
    assert "Destination/CountryCode" in finding.message
    assert finding.pointer.startswith("/Invoice/cac:Delivery[2]/")


def test_an_invoice_has_a_number() -> None:  # EN 16931, BR-02
    assert "UBL-07" in {f.code for f in Told(UBL, "refused-UBL-07").outcome.findings if f.is_error}
    assert "CII-05" in {f.code for f in Told(CII, "refused-CII-05").outcome.findings if f.is_error}


def test_a_mass_in_pieces_is_no_mass() -> None:  # UNECE Recommendation 20
    told = Told(UBL, "warned-mass-in-pieces")
    assert told.texts("TotalGrossMassMeasure") == []
    assert told.statements("INV-WEIGHT") == ["110 C62"]


def test_windows_1252_under_another_label_is_told() -> None:  # ISO/IEC 6429; CIRFMF/ksef-api#759
    told = Told(UBL, "warned-content.controls")
    assert "content.controls" in told.codes


DESPATCH, GUIDE = "transport/ubl-2.1-despatch-advice", "transport/sunat-ubl-2.1-despatch-advice"


def test_a_guide_of_2022_leaves_from_its_despatch_address() -> None:
    # SUNAT, despatch guide: 2112 (customization 2.0), 2775 (DespatchAddress); thegreenter/greenter#205
    told = Told(GUIDE, "guide-of-2022")
    assert told.texts("GoodsShipment/Consignment/LoadingLocation/ID") == ["200701"]
    assert told.texts("GoodsShipment/Consignment/LoadingLocation/Name") == ["PREDIO INVENTADO KM 8 PIURA"]
    assert told.texts(f"{ITEM}/Commodity/Classification/ID") == ["0804400000"]


def test_the_plate_is_no_container_and_the_package_is() -> None:
    # SUNAT, despatch guide: 2566 TransportEquipment/ID is the plate; Package/ID the container, TraceID its seal
    told = Told(GUIDE, "guide-of-2022")
    assert told.texts("GoodsShipment/Consignment/DepartureTransportMeans/ID") == ["XYA123"]
    assert told.texts("GoodsShipment/Consignment/TransportEquipment/ID") == ["MSCU6639870"]
    assert told.texts("GoodsShipment/Consignment/TransportEquipment/Seal/ID") == ["PREC001"]
    assert told.statements("DES-PLATE") == ["XYT456"]


def test_countries_of_a_despatch_are_where_the_goods_leave_and_arrive() -> None:
    # Peppol despatch advice 3: Despatch/DespatchAddress, DeliveryLocation/Address; not where sender and receiver live
    told = Told(DESPATCH, "from-another-country-to-another")
    assert told.texts("GoodsShipment/ExportCountry/ID") == ["MY"]
    assert told.texts("GoodsShipment/Destination/CountryCode") == ["AU"]


def test_carrier_packages_and_the_receiver_s_own_address_have_places() -> None:  # UBL 2.1; WCO 18A, 93A, 04A
    told = Told(DESPATCH, "from-another-country-to-another")
    assert told.texts("Consignment/Carrier/Name") == ["Tasman Invented Lines"]
    assert told.texts(f"{ITEM}/Packaging/QuantityQuantity") == ["50"]
    assert told.texts(f"{ITEM}/Packaging/TypeCode") == ["BX"]
    assert told.texts(f"{ITEM}/Packaging/MarksNumbersID") == ["RAMBUTAN 1-50"]
    assert told.texts("GoodsShipment/Consignee/Address/CountryCode") == ["NZ"]
    assert told.texts("GoodsShipment/Consignee/Address/Line") == ["14 Invented Street"]
    assert told.statements("DES-TO") == ["Sydney, AU"]


def test_a_certificate_of_origin_may_name_the_tariff_code_as_commodity_code() -> None:  # UBL 2.1 dictionary
    told = Told("origin/ubl-2.1-certificate-of-origin", "commodity-code")
    assert "22042100" in told.texts(f"{ITEM}/Commodity/Classification/ID")


def test_chile_s_table_of_countries_is_whole() -> None:  # Aduana de Chile, compendio de normas, anexo 51: 135
    told = Told("invoice/sii-dte-export-1.0", "to-tanzania")
    assert told.texts("GoodsShipment/Destination/CountryCode") == ["TZ"]
