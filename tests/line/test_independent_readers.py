"""The independent readers read what stands in a document, and the comparison finds every kind of lie in a payload."""

import ast
import base64
import json
import re
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase, digits

import pytest
from lxml import etree

from tests.support import independent
from tests.support.independent import forms, payload, sources
from tests.support.independent.compare import Explained, compare
from tests.support.independent.facts import OF_A_DOCUMENT, OF_A_LINE, OF_A_PARTY, Facts, Line, Party, Value
from tests.support.paths import MAPPINGS

DOCUMENTS = MAPPINGS / "documents"
FULL = DOCUMENTS / "invoice/cii-d16b/samples/everything"


def facts(name: str) -> Facts:
    (found,) = sources.read((DOCUMENTS / name).read_bytes())
    return found


def texts(values) -> list[str]:
    return [v.text for v in values]


@pytest.mark.parametrize(
    ("text", "instant", "day"),
    [
        ("2026-02-28", "20260228", None),
        ("20260228", "20260228", None),
        ("2026-02-28T23:59:59+05:30", "20260228T182959Z", "20260228"),
        ("20260202120000-03", "20260202T150000Z", "20260202"),
        ("2024-03-13T23:30:00.1234567-03:00", "20240314T023000Z", "20240313"),
        ("2020-01-12T24:00:00Z", "20200113T000000Z", "20200112"),  # XSD 1.1, 3.3.7: the first instant of the next day
    ],
)
def test_an_instant_is_compared_in_utc_and_keeps_its_own_day(text, instant, day) -> None:
    found, also = forms.moment(text)
    assert found == instant
    assert day is None or day in also


def test_a_mass_is_a_mass_and_a_count_is_not_one() -> None:
    """UN/ECE Recommendation 20: TNE is 1000 kg; a unit that is none stays as it is written."""
    assert forms.measure("6.5", "TONELADAS") == ("6500 KGM", ("6.5 TNE",))
    assert forms.measure("+12.500", "KG") == ("12.5 KGM", ("12.5 KGM",))
    assert forms.measure("900", "EA") == ("900 EA", ())
    assert forms.measure("900", "MT") == ("900 MT", ())  # metres to some, metric tons to others
    assert forms.measure("many", "KGM") == ("", ())


def test_a_tariff_code_is_its_digits() -> None:
    assert forms.tariff(" HS 8482.10-00 ") == "84821000"
    assert forms.tariff("KL-8") == ""


def test_a_ubl_invoice_is_read() -> None:
    found = facts("invoice/ubl-2.1/samples/shipment-iso-8859-1.xml")
    assert texts(found.export) == ["CO"]
    assert texts(found.destination) == ["US"]
    assert texts(found.equipment) == ["CSQU3054383"]
    assert texts(found.seals) == ["PL0001", "PL0002"]
    assert texts(found.gross) == ["1840.25 KGM"]
    assert texts(found.parties["consignee"].id) == ["HPY1"]
    assert "84137019" in [code for line in found.lines for code in texts(line.tariff)]


def test_a_cii_invoice_is_read() -> None:
    found = facts("invoice/cii-d16b/samples/everything.xml")
    assert texts(found.total) == ["3070 EUR"]  # BT-112, not BT-115
    assert texts(found.due) == ["3000 EUR"]
    assert texts(found.freight) == ["80 EUR"]
    assert [texts(line.quantity) for line in found.lines] == [["1500 C62"], ["1"]]
    assert texts(found.lines[0].tariff) == ["848210"]
    assert "AUSFUHRERDACHTEXAMPLE" not in texts(found.parties["seller"].id)


def test_lines_of_a_cii_invoice_are_those_of_goods() -> None:
    """BT-X-8: GROUP sums its sub-lines, INFORMATION explains one; neither is goods."""
    root = etree.fromstring(FULL.with_suffix(".xml").read_bytes())
    ram = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"
    document = next(root.iter(f"{ram}AssociatedDocumentLineDocument"))
    etree.SubElement(document, f"{ram}LineStatusReasonCode").text = "GROUP"
    (found,) = sources.read(etree.tostring(root))
    assert len(found.lines) == 1


def test_a_chilean_export_invoice_is_read() -> None:
    found = facts("invoice/sii-dte-export-1.0/samples/export-invoice.xml")
    assert (texts(found.kind), texts(found.total), texts(found.destination)) == (["380"], ["9450 USD"], ["SG"])
    assert texts(found.gross) == ["1820.5 KGM"]
    assert texts(found.freight) == ["300 USD"]
    assert [texts(line.tariff) for line in found.lines] == [["220421"], []]


def test_a_certificate_of_origin_of_aladi_is_read() -> None:
    found = facts("origin/aladi-cod-1.8/samples/a18-complete.xml")
    assert texts(found.number) == ["BR036A18240000012300"]
    assert [texts(line.net) for line in found.lines] == [["18240 KGM"], ["6500 KGM"]]
    assert texts(found.total) == ["31638.4 USD"]
    assert texts(found.mode) == ["1"]


def test_a_sanitary_certificate_in_an_envelope_is_read() -> None:
    plain = facts("sps/sps-certificate-17/samples/one-line-with-bom.xml")
    assert texts(plain.kind) == ["853"]
    assert [texts(line.packages) for line in plain.lines] == [["1200 CT"]]
    wrapped = facts("sps/sps-certificate-17/samples/hub-pulled-envelope.xml")
    assert len(wrapped.lines) == 1


def test_certificates_in_json_are_read_salted_or_not() -> None:
    plain = facts("origin/tradetrust-coo-1/samples/plain-au-sg.json")
    salted = facts("origin/tradetrust-coo-1/samples/salted-au-sg.json")
    assert [texts(line.tariff) for line in plain.lines] == [["22042190"], ["220421"], ["150920"]]
    assert texts(plain.number) == texts(salted.number)
    assert plain.lines[0].tariff[0].at.endswith("/0/tradeProduct/harmonisedTariffCode/classCode")
    preferential = facts("origin/uncefact-preferential-d22b/samples/korea-thailand.json")
    assert [texts(line.origin) for line in preferential.lines] == [["KR"], ["KR", "VN"], ["VN"]]


def test_a_certificate_in_a_token_is_read() -> None:
    """W3C VC Data Model 2.0, 7: an EnvelopedVerifiableCredential is a data URL of a signed token."""
    inner = {"credentialSubject": {"iD": "C-1", "supplyChainConsignment": {"exportCountry": {"code": "SG"}}}}
    parts = ({"alg": "none"}, inner)
    token = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    outer = {"type": "EnvelopedVerifiableCredential", "id": f"data:application/vc+jwt,{token}."}
    (read,) = sources.read(json.dumps(outer).encode())
    assert texts(read.number) == ["C1"]


def test_a_district_of_peru_is_in_peru() -> None:
    """Guides of 2022 have ubigeo and address line, and no country."""
    file = DOCUMENTS / "transport/sunat-ubl-2.1-despatch-advice/samples/everything-iso-8859-1.xml"
    root = etree.fromstring(file.read_bytes())
    for element in root.xpath(
        "//*[local-name()='Shipment']//*[local-name()='Country' or local-name()='ExportCountry']"
    ):
        element.getparent().remove(element)
    (read,) = sources.read(etree.tostring(root))
    assert (texts(read.export), texts(read.destination)) == (["PE"], ["PE"])


def test_a_despatch_guide_of_peru_tells_plates_where_others_tell_containers() -> None:
    """SUNAT, guía de remisión: TransportEquipment/ID is a vehicle's plate (2566), Package/ID the container."""
    guide = facts("transport/sunat-ubl-2.1-despatch-advice/samples/everything-iso-8859-1.xml")
    other = facts("transport/ubl-2.1-despatch-advice/samples/everything.xml")
    assert (texts(guide.equipment), texts(other.equipment)) == ([], ["CSQU3054383"])
    assert "CSQU3054383" in texts(guide.means)


def source_of(expected: Path) -> Path | None:
    """The document beside an expected payload, where it is a file of its own."""
    names = (expected.with_name(expected.name.removesuffix(".payload.xml") + end) for end in (".xml", ".json"))
    return next((name for name in names if name.exists()), None)


def facts_of(one: Facts) -> list[Value]:
    parties = [getattr(party, name) for party in one.parties.values() for name in OF_A_PARTY]
    lines = [getattr(line, name) for line in one.lines for name in OF_A_LINE]
    header = [getattr(one, name) for name in OF_A_DOCUMENT]
    return [value for values in (*header, *parties, *lines) for value in values]


def at(root: etree._Element, place: str) -> etree._Element:
    steps = (re.fullmatch(r"([^\[]+)(\[\d+\])?", step).groups("") for step in place.removeprefix("/").split("/"))
    return root.xpath("/" + "/".join(f"*[local-name()='{name}']{index}" for name, index in steps))[0]


def another_text(element: etree._Element) -> bool:
    """The next letter and digit for each; of an element with children, in all its leaves."""
    other = {
        c: row[(i + 1) % len(row)] for row in (digits, ascii_uppercase, ascii_lowercase) for i, c in enumerate(row)
    }
    for leaf in (e for e in element.iter(etree.Element) if len(e) == 0):
        leaf.text = "".join(other.get(c, c) for c in leaf.text)
    return True


def another_unit(element: etree._Element) -> bool:
    """Another unit or currency, where it has one."""
    names = [name for name in ("unitCode", "currencyID") if name in element.attrib]
    for name in names:
        element.set(name, "ZZZ")
    return bool(names)


def told() -> tuple[Facts, etree._Element]:
    (source,) = sources.read(FULL.with_suffix(".xml").read_bytes())
    return source, etree.fromstring(FULL.with_suffix(".payload.xml").read_bytes())


def found(source: Facts, root: etree._Element) -> set[tuple[str, str, str]]:
    account = compare(source, payload.read(etree.tostring(root)), Explained())
    return {(d.fact, d.kind, d.value) for d in account.disagreements}


def one(root: etree._Element, path: str) -> etree._Element:
    steps = "/".join(f"*[local-name()='{name}']" for name in path.split("/"))
    return root.xpath(f"//{steps}")[0]


def swap_lines(root: etree._Element) -> None:
    items = root.xpath("//*[local-name()='GovernmentAgencyGoodsItem']")
    items[0].addprevious(items[1])


def drop(path: str):
    return lambda root: one(root, path).getparent().remove(one(root, path))


def write(path: str, text: str):
    return lambda root: setattr(one(root, path), "text", text)


def set_attribute(path: str, name: str, value: str):
    return lambda root: one(root, path).set(name, value)


LIES = [
    (swap_lines, {("line.description", "wrong"), ("line.quantity", "lost"), ("line.amount", "wrong")}),
    (drop("GovernmentAgencyGoodsItem"), {("lines", "wrong")}),
    (write("Destination/CountryCode", "NZ"), {("destination", "wrong"), ("destination", "lost")}),
    (drop("ExportCountry"), {("export", "lost")}),
    (set_attribute("ItemChargeAmount", "currencyID", "USD"), {("line.amount", "wrong")}),
    (write("FreightChargeAmount", "8.00"), {("freight", "wrong")}),
    (drop("Commodity/Classification"), {("line.tariff", "lost")}),
    (write("TransportEquipment/ID", "AB1234"), {("equipment", "wrong"), ("equipment", "lost")}),
    (set_attribute("TariffQuantity", "unitCode", "KGM"), {("line.quantity", "wrong"), ("line.quantity", "lost")}),
    (write("NetNetWeightMeasure", "1.8"), {("line.net", "wrong"), ("line.net", "lost")}),
    (write("Buyer/ID", "5409999000018"), {("buyer.id", "wrong")}),
    (write("Declaration/TypeCode", "381"), {("kind", "wrong"), ("kind", "lost")}),
    (write("Origin/CountryCode", "PL"), {("line.origin", "wrong"), ("line.origin", "lost")}),
    (write("Declaration/IssueDateTime/DateTimeString", "20261202"), {("issued", "wrong"), ("issued", "lost")}),
]


@pytest.mark.parametrize(("lie", "kinds"), LIES, ids=[str(min(kinds)) + str(i) for i, (_, kinds) in enumerate(LIES)])
def test_a_payload_that_lies_is_found_out(lie, kinds) -> None:
    """Every fact changed in a payload is a disagreement that the true payload does not have."""
    source, root = told()
    before = found(source, root)
    lie(root)
    assert kinds <= {(fact, kind) for fact, kind, _ in found(source, root) - before}


SAMPLED = sorted(
    min((p for p in (folder / "samples").glob("*.payload.xml") if source_of(p)), key=lambda p: -p.stat().st_size)
    for folder in DOCUMENTS.glob("*/*")
)
"""Of each document type the sample with the largest payload."""


@pytest.mark.proof
@pytest.mark.parametrize("expected", SAMPLED, ids=lambda path: path.parents[1].name)
def test_no_value_of_a_payload_is_changed_unnoticed(expected: Path) -> None:
    """Every element that a fact is read from, one by one: another text, and another unit or currency."""
    (source,) = sources.read(source_of(expected).read_bytes())
    content = expected.read_bytes()
    before = found(source, etree.fromstring(content))
    places = {value.at for value in facts_of(payload.read(content).facts)}
    unnoticed = []
    for place in sorted(places):
        for change in (another_text, another_unit):
            root = etree.fromstring(content)
            if change(at(root, place)) and found(source, root) <= before:
                unnoticed.append((place, change.__name__))
    assert len(places) > 5
    assert unnoticed == []


LOST = Facts(lines=(Line(quantity=(Value("4 BX", "/Invoice/InvoiceLine/InvoicedQuantity"),)),))
EMPTY = b"""<MetaData><Declaration><GoodsShipment>
<GovernmentAgencyGoodsItem>%s</GovernmentAgencyGoodsItem></GoodsShipment></Declaration></MetaData>"""
STATED = b"<AdditionalInformation><StatementDescription>%s</StatementDescription></AdditionalInformation>"


@pytest.mark.parametrize(
    ("below", "explained", "expected"),
    [
        (b"", Explained(), "lost"),
        (STATED % b"4", Explained(), "lost"),  # a number without its unit
        (STATED % b"4.00 BX", Explained(), ""),
        (STATED % b"4" + STATED % b"BX", Explained(), ""),
        (b"", Explained(findings=(("/Invoice/InvoiceLine/InvoicedQuantity", "4 has no place"),)), "lost"),
        (b"", Explained(findings=(("/Invoice/InvoiceLine/InvoicedQuantity/@unitCode", "4 BX has no place"),)), ""),
        (b"", Explained(dropped=frozenset({"/X/Invoice/InvoiceLine/InvoicedQuantity"})), "dropped"),
    ],
)
def test_number_and_unit_are_told_together_or_lost(below, explained, expected) -> None:
    account = compare(LOST, payload.read(EMPTY % below), explained)
    assert [d.kind for d in account.disagreements] == (["lost"] if expected == "lost" else [])
    assert bool(account.dropped) is (expected == "dropped")


def test_a_long_text_may_go_on_elsewhere_and_may_not_end() -> None:
    name = "A name that is longer than any place of the payload takes, and goes on in a statement"
    source = Facts(parties={"seller": Party(name=(Value(name, "/x"),))})
    cut = (
        b"<MetaData><Declaration>%s<GoodsShipment><Seller><Name>%s</Name></Seller></GoodsShipment>"
        b"</Declaration></MetaData>"
    )
    whole = cut % (STATED % name[60:].encode(), name[:60].encode())
    ended = cut % (b"", name[:60].encode())
    assert compare(source, payload.read(whole), Explained()).disagreements == []
    assert [d.kind for d in compare(source, payload.read(ended), Explained()).disagreements] == ["lost"]


def test_nothing_of_the_product_is_used_to_read() -> None:
    """Only the corpus, which carries documents, knows the product; no reader does."""
    folder = Path(independent.__file__).parent
    for file in folder.glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        uses = {name for name in names if name.split(".")[0] == "broker"}
        assert bool(uses) is (file.name == "corpus.py"), (file.name, uses)


def test_json_of_any_depth_keeps_its_pointers() -> None:
    content = json.dumps({"wrapped": [{"a/b": 1, "supplyChainConsignment": {"exportCountry": {"code": "au"}}}]})
    (read,) = sources.read(content.encode())
    assert [(v.text, v.at) for v in read.export] == [("AU", "/wrapped/0/supplyChainConsignment/exportCountry/code")]
