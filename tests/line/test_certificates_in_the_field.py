"""What people in the field write in certificates, and what the authority that is named says it means."""

from __future__ import annotations

import json

import pytest
from lxml import etree

from broker import catalogue as catalogues
from broker.line.process import process
from broker.model.documents import Message
from broker.model.ids import NO_MESSAGE_ID
from broker.registry.relations import load
from tests.support.paths import ROOT

pytestmark = pytest.mark.proof

SAMPLES = ROOT / "mappings" / "documents"
SPS = (SAMPLES / "sps/sps-certificate-17/samples/phytosanitary-pe-sg.xml").read_text()
COD = (SAMPLES / "origin/aladi-cod-1.8/samples/a18-complete.xml").read_text()
COO = json.loads((SAMPLES / "origin/tradetrust-coo-1/samples/plain-au-sg.json").read_text())
D = {"d": "urn:wco:datamodel:WCO:DEC-DMS:2", "ds": "urn:wco:datamodel:WCO:Declaration_DS:DMS:2"}
ITEM = "d:GoodsShipment/d:GovernmentAgencyGoodsItem[1]"


@pytest.fixture(scope="module")
def catalogue():
    return catalogues.load()


def judged(text: str, catalogue):
    return process(Message(NO_MESSAGE_ID, text.encode()), catalogue)


def payload(text: str, catalogue) -> etree._Element:
    outcome = judged(text, catalogue)
    assert outcome.payload is not None, outcome.findings
    return outcome.payload.root


def changed(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def texts(root: etree._Element, path: str) -> list[str]:
    return root.xpath(f"{path}/text()", namespaces=D)


def said(root: etree._Element, code: str, below: str = "") -> list[tuple[str, str]]:
    """Each statement of a code: its language and its text."""
    path = f"{below}d:AdditionalInformation[d:StatementCode = '{code}']/d:StatementDescription"
    return [(e.get("languageID", ""), e.text) for e in root.xpath(path, namespaces=D)]


def test_each_replaced_certificate_is_amended(catalogue):
    """ISPM 12, section 4.3.1: a replacement names what it replaces (ADRPN), here two."""
    note = "<ram:IncludedSPSNote><ram:Subject>ADRPN</ram:Subject><ram:Content>{}</ram:Content></ram:IncludedSPSNote>"
    at = "<ram:SignatorySPSAuthentication>"
    root = payload(changed(SPS, (at, note.format("OLD-1") + note.format("OLD-2") + at)), catalogue)
    assert texts(root, "d:FunctionCode") == ["13"]
    relations = load(ROOT / "mappings" / "relations.toml").related(root)
    assert [(r.does, r.document.number) for r in relations] == [("replaces", "OLD-1"), ("replaces", "OLD-2")]


@pytest.mark.parametrize(("issue", "previous"), [("00", []), ("01", ["00"]), ("02", ["01"])])
def test_a_rectified_certificate_of_origin_replaces_the_issue_before(issue, previous, catalogue):
    """ALADI, di 2327: the last two digits of the number count its issues."""
    (number,) = list(etree.fromstring(COD.encode()).iter("CertificateID"))
    base = number.text[:-2]
    root = payload(COD.replace(number.text, f"{base}{issue}"), catalogue)
    assert texts(root, "d:FunctionCode") == ["13" if previous else "9"]
    assert texts(root, "d:GoodsShipment/d:PreviousDocument/d:ID") == [f"{base}{p}" for p in previous]


def test_instants_of_two_zones_are_compared_as_instants(catalogue):
    """XSD 3.2.7: declared at 01:00 UTC of the next day is before certified at 22:30 three hours west."""
    root = etree.fromstring(COD.encode())
    dates = {name: next(root.iter(name)).text for name in ("DeclarationDate", "CertificateDate")}
    late = changed(
        COD, (dates["DeclarationDate"], "2026-03-03T01:00:00Z"), (dates["CertificateDate"], "2026-03-02T22:30:00-03:00")
    )
    assert "COD-06" not in {f.code for f in judged(late, catalogue).findings}
    early = changed(
        COD, (dates["DeclarationDate"], "2026-03-03T01:00:00Z"), (dates["CertificateDate"], "2026-03-02T21:30:00-03:00")
    )
    assert "COD-06" in {f.code for f in judged(early, catalogue).findings}


@pytest.mark.parametrize("code", ["EU", "XK", "XI"])
def test_origins_beside_iso_3166_are_the_same_in_all_families(code, catalogue):
    """Regulation (EU) 2015/2447, annex 22-14: EU, XK and XI are origins; no family drops or refuses them."""
    text = json.dumps(COO).replace('"originCountry": {"code": "AU"', f'"originCountry": {{"code": "{code}"')
    assert texts(payload(text, catalogue), f"{ITEM}/d:Origin/d:CountryCode") == [code]
    assert catalogue.code_lists["origin-country"].reason_against(code, None) is None
    rows = [
        row
        for kind in catalogue.document_types.values()
        for group in _groups(kind.mapping.rows.body)
        for row in group.rows
        if f"{group.name}/{row.to}".endswith("Origin/CountryCode")
    ]
    assert rows
    assert {row.codes for row in rows} == {"origin-country"}


def _groups(group):
    yield group
    for inner in group.groups:
        yield from _groups(inner)


@pytest.mark.parametrize("where", ["code", "all"])
def test_a_certificate_of_origin_without_an_origin_is_refused(where, catalogue):
    """ICC/WCF guidelines: what a certificate of origin certifies is the origin; nothing is taken for it."""
    line = json.loads(json.dumps(COO))
    product = line["supplyChainConsignment"]["includedConsignmentItems"][0]["tradeLineItems"][0]["tradeProduct"]
    if where == "all":
        del product["originCountry"]
    else:
        product["originCountry"] = {"code": ""}
    codes = {f.code for f in judged(json.dumps(line), catalogue).findings if f.is_error}
    assert codes & {"TTC-06", "schema.length", "schema.missing", "schema.value"}


def test_the_issuer_is_not_the_platform_and_the_agreement_is_carried(catalogue):
    """edi3 certificates: issuer and freeTradeAgreement; OpenAttestation: issuers sign the file."""
    certificate = COO | {
        "issuer": {"iD": "id:chamber.example", "name": "Chamber of Invented Commerce"},
        "issuers": [{"name": "Platform Demo Store"}],
        "freeTradeAgreement": "AANZFTA",
    }
    root = payload(json.dumps(certificate), catalogue)
    assert texts(root, "d:Submitter/d:Name") == ["Chamber of Invented Commerce"]
    assert said(root, "COD-PLATFORM") == [("", "Platform Demo Store")]
    assert said(root, "COD-AGREEMENT") == [("", "AANZFTA")]


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "codes"),
    [
        ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", []),
        ("2026-03-02T00:00:00Z", "2020-01-01T00:00:00Z", ["state.expired"]),
    ],
)
def test_a_credential_holds_between_its_dates(valid_from, valid_until, codes, catalogue):
    """W3C Verifiable Credentials Data Model 2.0, section 4.9."""
    credential = {"issuer": "did:web:example.org", "validFrom": valid_from, "validUntil": valid_until}
    outcome = judged(json.dumps(credential | {"credentialSubject": COO}), catalogue)
    assert [f.code for f in outcome.findings if f.is_error] == codes


def test_each_text_of_a_treatment_stands_in_its_language(catalogue):
    """IPPC ePhyto: a property of a treatment in as many languages as the exporter writes; each is told, none joined."""
    old = SPS[
        SPS.index("<ram:ApplicableSPSProcessCharacteristic>") : SPS.index("</ram:ApplicableSPSProcessCharacteristic>")
    ]
    words = {"en": "Methyl bromide", "fr": "Bromure de méthyle", "es": "Bromuro de metilo", "zh": "溴甲烷"}
    new = "<ram:ApplicableSPSProcessCharacteristic><ram:Description>TTCH</ram:Description>" + "".join(
        f'<ram:Description languageID="{language}">{text}</ram:Description>' for language, text in words.items()
    )
    root = payload(SPS.replace(old, new, 1), catalogue)
    assert said(root, "TTCH", f"{ITEM}/") == list(words.items())


@pytest.mark.parametrize(
    ("unit", "carried", "told"),
    [("KGM", ["KGM"], []), ("KG", ["KGM"], []), ("MT", ["TNE"], []), ("MTR", [], ["MTR"]), ("XX", [], ["XX"])],
)
def test_a_weight_has_a_unit_of_mass_or_is_told_with_what_it_has(unit, carried, told, catalogue):
    """UN/ECE Recommendation 20; kosit/validator#89."""
    start = SPS.index("<ram:NetWeightMeasure")
    old = SPS[start : SPS.index("</ram:NetWeightMeasure>")]
    root = payload(SPS.replace(old, f'<ram:NetWeightMeasure unitCode="{unit}">1000', 1), catalogue)
    measure = root.xpath(f"{ITEM}/d:Commodity/d:GoodsMeasure/d:NetNetWeightMeasure", namespaces=D)
    assert [(m.get("unitCode"), m.text) for m in measure] == [(u, "1000") for u in carried]
    assert said(root, "NET-WEIGHT", f"{ITEM}/") == [("", f"1000 {u}") for u in told]


@pytest.mark.parametrize(
    ("format_code", "text", "moment"),
    [("202", "260302101112", "20260302"), ("201", "2603021011", "20260302"), ("101", "260302", "20260302")],
)
def test_dates_of_two_digit_years_are_read_by_their_format(format_code, text, moment, catalogue):
    """UN/EDIFACT 2379: 101 YYMMDD, 201 YYMMDDHHMM, 202 YYMMDDHHMMSS."""
    start = SPS.index("<udt:DateTimeString")
    old = SPS[start : SPS.index("</udt:DateTimeString>")]
    root = payload(SPS.replace(old, f'<udt:DateTimeString format="{format_code}">{text}', 1), catalogue)
    assert texts(root, "d:IssueDateTime/ds:DateTimeString") == [moment]


def test_a_list_of_subjects_is_refused_in_plain_words(catalogue):
    """W3C Verifiable Credentials Data Model 2.0, section 4.8: one certificate of origin is one subject."""
    (finding,) = judged(json.dumps({"issuer": "did:web:example.org", "credentialSubject": [COO]}), catalogue).findings
    assert (finding.code, finding.pointer) == ("type.unknown", "/credentialSubject")
    assert "list" in finding.message
