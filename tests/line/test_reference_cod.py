"""The collected certificates of origin: each is judged as the published schema judges it, and its payload is valid."""

from __future__ import annotations

from copy import deepcopy

import pytest
from lxml import etree

from broker import catalogue as catalogues
from broker.line.process import process
from broker.model.documents import Message
from broker.model.ids import NO_MESSAGE_ID
from tests.support.paths import ROOT

pytestmark = pytest.mark.proof

STAGES = ("1.8.2", "1.8.2_exporter_signed", "1.8.2_exporter_unsigned")
MUTATIONS = 167
BY_RULE = {"double Invoice": "COD-04", "double Goods": "COD-03"}
"""What the published schema takes and a rule of ours does not: order numbers that come twice."""
SOAP = {"ns1": "http://www.w3.org/2001/12/soap-envelope"}


@pytest.fixture(scope="module")
def stages(reference, tmp_path_factory) -> list[etree.XMLSchema]:
    """The three published schemas, one a stage, their import of XML-DSig led to the copy beside them."""
    source, target = reference / "xsd/aladi-cod", tmp_path_factory.mktemp("cod")
    (target / "dsig.xsd").write_bytes((source / "xmldsig-core-schema.xsd").read_bytes())
    schemas = []
    for stage in STAGES:
        text = (source / f"cod_ver_{stage}.xsd").read_text("utf-8-sig")
        address = "http://www.w3.org/TR/2002/REC-xmldsig-core-20020212/xmldsig-core-schema.xsd "
        file = target / f"{stage}.xsd"
        file.write_text(text.replace(address, "dsig.xsd"), "utf-8")
        schemas.append(etree.XMLSchema(etree.parse(file)))
    return schemas


@pytest.fixture(scope="module")
def catalogue():
    return catalogues.load()


def line(content: bytes, catalogue):
    return process(Message(NO_MESSAGE_ID, content), catalogue)


def test_every_collected_certificate_has_the_published_verdict(reference, stages, published_payload, catalogue) -> None:
    files = sorted((reference / "samples/co-aladi-cod").iterdir())
    accepted = 0
    for file in files:
        valid = any(schema.validate(etree.parse(file)) for schema in stages)
        outcome = line(file.read_bytes(), catalogue)
        assert outcome.is_accepted == valid, (file.name, outcome.findings)
        assert outcome.document_type == "origin/aladi-cod-1.8"
        assert not [f for f in outcome.findings if f.code == "mapping.unmapped"]
        if outcome.payload:
            accepted += 1
            published_payload.assertValid(etree.fromstring(outcome.payload.content))
    assert (len(files), accepted) == (1, 1)


def test_the_values_of_the_collected_certificate_arrive(reference, catalogue) -> None:
    file = reference / "samples/co-aladi-cod/A14-FormA18-unsigned.xml"
    payload = line(file.read_bytes(), catalogue).payload
    assert payload is not None
    source = etree.parse(file)

    def value(path: str) -> str:
        steps = "/".join(f"*[local-name()='{step}']" for step in path.split("/"))
        return payload.root.xpath(f"string({steps})")

    def sent(name: str) -> str:
        return " ".join(source.findtext(f".//{name}").split())

    assert value("TypeCode") == "864"
    assert value("GoodsItemQuantity") == sent("GoodsQty")
    assert value("Exporter/Name") == sent("ExporterBusinessName")
    assert value("GoodsShipment/Importer/Name") == sent("ImporterBusinessName")
    assert value("GoodsShipment/Invoice/ID") == sent("InvoiceNo")
    assert value("GoodsShipment/Destination/CountryCode") == sent("TransportCountryDestination")
    assert value("GoodsShipment/ExportCountry/ID") == sent("ExporterCountry")
    item = "GoodsShipment/GovernmentAgencyGoodsItem"
    assert value(f"{item}/Commodity/Description") == sent("GoodsItemName")
    assert value(f"{item}/Commodity/Classification/ID") == sent("GoodsItemCode").replace(".", "")
    assert value(f"{item}/Commodity/GoodsMeasure/TariffQuantity") == sent("GoodsItemWeightAmount")
    assert value(f"{item}/Origin/CountryCode") == sent("ExporterCountry")
    assert value("InvoiceAmount") == sent("GoodsItemValue")


def mutants(root: etree._Element):
    """Each element of the certificate deleted, doubled, put after its next sibling, blanked."""
    for index, element in enumerate(root.iter(etree.Element)):
        if element.getparent() is None:
            continue
        for change in ("delete", "double", "swap", "blank"):
            copy = deepcopy(root)
            target = list(copy.iter(etree.Element))[index]
            parent, following = target.getparent(), target.getnext()
            if change == "delete":
                parent.remove(target)
            elif change == "double":
                target.addnext(deepcopy(target))
            elif change == "swap" and following is not None:
                following.addnext(target)
            elif change == "blank" and not len(target):
                target.text = ""
            else:
                continue
            yield f"{change} {element.tag}", etree.tostring(copy)


def test_every_mutant_of_it_has_the_published_verdict_and_place(
    reference, stages, published_payload, catalogue
) -> None:
    """A place is the same when it is the same line, or the line of the element around it."""
    root = etree.parse(reference / "samples/co-aladi-cod/A14-FormA18-unsigned.xml").getroot()
    count, refused, wrong = 0, 0, []
    for name, content in mutants(root):
        count += 1
        tree = etree.fromstring(content)
        valid = any(schema.validate(tree) for schema in stages)
        outcome = line(content, catalogue)
        if name in BY_RULE:
            assert {f.code for f in outcome.findings if f.is_error} == {BY_RULE[name]}
        elif outcome.is_accepted != valid:
            wrong.append(f"{name}: published {valid}, here {[(f.code, f.pointer) for f in outcome.findings]}")
        elif outcome.payload:
            published_payload.assertValid(etree.fromstring(outcome.payload.content))
        else:
            refused += 1
            stages[-1].validate(tree)
            places = {e.line for e in stages[-1].error_log}
            parents = {e.path.rpartition("/")[0] for e in stages[-1].error_log}
            around = {n.sourceline for path in parents if path for n in tree.getroottree().xpath(path, namespaces=SOAP)}
            if not (places | around) & {f.line for f in outcome.findings}:
                wrong.append(f"{name}: published {places}, here {[(f.code, f.line) for f in outcome.findings]}")
    assert not wrong, "\n".join(wrong)
    assert count == MUTATIONS
    assert refused > count // 2


@pytest.mark.parametrize(
    ("kind", "least"),
    [("aladi-cod-1.8", 18), ("aladi-cod-4.1", 9), ("tradetrust-coo-1", 5), ("uncefact-preferential-d22b", 3)],
)
def test_the_payload_of_every_own_sample_is_valid_by_the_published_schema(
    kind, least, published_payload, catalogue
) -> None:
    samples = [
        file
        for file in sorted((ROOT / "mappings/documents/origin" / kind / "samples").iterdir())
        if file.suffix in {".xml", ".json"}
        and not file.name.startswith("refused-")
        and not file.name.endswith((".payload.xml", ".findings.json"))
    ]
    assert len(samples) >= least
    for file in samples:
        outcome = line(file.read_bytes(), catalogue)
        assert outcome.document_type == f"origin/{kind}"
        assert outcome.payload is not None, (file.name, outcome.findings)
        published_payload.assertValid(etree.fromstring(outcome.payload.content))
        assert not [f for f in outcome.findings if f.code == "mapping.unmapped"], file.name


ACCEPTED = {
    "au-dvp-AANZFTA_COO-empty-strings.json",
    "au-dvp-validAANZFTA_COO.json",
    "tt-sample-data-file-coo.json",
}
REFUSED = {"au-dvp-valid_OA.json": "schema.missing"}
"""A subject of random letters, without a date of issue and without goods."""


def test_collected_credentials_are_told_apart(reference, published_payload, catalogue) -> None:
    """Certificates of origin are taken out of their wrappings; credentials of other things are unknown types."""
    files = sorted((reference / "samples/co-credentials").iterdir())
    unknown = 0
    for file in files:
        outcome = line(file.read_bytes(), catalogue)
        if file.name in ACCEPTED:
            assert outcome.payload is not None, (file.name, outcome.findings)
            assert outcome.document_type == "origin/tradetrust-coo-1"
            published_payload.assertValid(etree.fromstring(outcome.payload.content))
            assert not [f for f in outcome.findings if f.code == "mapping.unmapped"], file.name
        else:
            assert {f.code for f in outcome.findings if f.is_error} == {REFUSED.get(file.name, "type.unknown")}, (
                file.name
            )
            unknown += file.name not in REFUSED
    assert (len(files), unknown) == (12, 8)


def test_collected_edi3_and_trustvc_certificates(reference, published_payload, catalogue) -> None:
    """edi3 and OpenAttestation are accepted whole; without origins, or in TrustVC's flat words, they are refused."""
    verdicts = {}
    for folder in ("co-edi3", "co-trustvc-gallery"):
        for file in sorted((reference / "samples" / folder).iterdir()):
            outcome = line(file.read_bytes(), catalogue)
            verdicts[file.name] = sorted({f.code for f in outcome.findings if f.is_error})
            if outcome.payload is not None:
                published_payload.assertValid(etree.fromstring(outcome.payload.content))
                assert not [f for f in outcome.findings if f.code == "mapping.unmapped"], file.name
    assert verdicts == {
        "CertificateOfOrigin.sampleFull.json": [],
        "CertificateOfOrigin.sampleMinimal.json": ["TTC-06", "schema.missing"],
        "OA-Sample-full.json": [],
        "gallery-OA-default.json": [],
        "gallery-OA-redacted.json": [],
        "gallery-default.json": ["type.unknown"],
        "gallery-redacted.json": ["type.unknown"],
    }
