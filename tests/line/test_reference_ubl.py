"""Real invoices in UBL and CII: what the published schema takes is carried, what it refuses is refused there."""

from collections import Counter
from pathlib import Path

import pytest
from lxml import etree

from broker import catalogue as catalogues
from broker.line.process import process
from broker.model.documents import Message
from broker.model.ids import NO_MESSAGE_ID
from broker.model.outcomes import Outcome

pytestmark = pytest.mark.proof
FOLDERS = ("ubl-oasis", "peppol-bis3", "peppol-pint-sg", "peppol-pint-aunz", "en16931-ubl", "en16931-cii", "peru-sunat")
UBL = "{urn:oasis:names:specification:ubl:schema:xsd:"
CII = "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice"
SCHEMAS = {
    f"{UBL}Invoice-2}}Invoice": "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
    f"{UBL}CreditNote-2}}CreditNote": "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
    CII: "uncefact-cii/d16b/data/standard/CrossIndustryInvoice_100pD16B.xsd",
}
CONTENT = f"{UBL}CommonExtensionComponents-2}}ExtensionContent"


@pytest.fixture(scope="module")
def catalogue():
    return catalogues.load()


@pytest.fixture(scope="module")
def published(reference: Path) -> dict[str, etree.XMLSchema]:
    """The published schema of each root."""
    return {root: etree.XMLSchema(etree.parse(reference / "xsd" / file)) for root, file in SCHEMAS.items()}


@pytest.fixture(scope="module")
def told(reference: Path, catalogue) -> dict[Path, Outcome]:
    """What becomes of every file."""
    files = sorted(path for folder in FOLDERS for path in (reference / "samples" / folder).glob("*.xml"))
    return {path: process(Message(NO_MESSAGE_ID, path.read_bytes()), catalogue) for path in files}


def root_of(path: Path) -> etree._Element:
    return etree.fromstring(path.read_bytes().lstrip())


def parent(pointer: str) -> str:
    return pointer.rpartition("/")[0]


def test_every_real_invoice_is_judged_as_published(told, catalogue, published, published_payload) -> None:
    """Counts: 47 valid and accepted; 21 of SUNAT tolerated without their signature; 3 refused; 35 of other types."""
    verdicts: Counter[str] = Counter()
    for path, outcome in told.items():
        root = root_of(path)
        if outcome.is_accepted:
            payload = etree.fromstring(outcome.payload.content)
            assert published_payload.validate(payload), (path.name, published_payload.error_log)
            assert catalogue.payload_schema.judge(payload).faults == ()
            assert not [f for f in outcome.findings if f.code == "mapping.unmapped"], path.name
        if root.tag not in SCHEMAS:
            verdicts["other"] += 1
            assert not outcome.is_accepted or outcome.document_type.split("/")[0] != "invoice"
            continue
        schema = published[root.tag]
        is_valid = schema.validate(root)
        errors = list(schema.error_log)
        if is_valid:
            verdicts["accepted"] += 1
            assert outcome.is_accepted, (path.name, outcome.findings)
        elif outcome.is_accepted:
            verdicts["tolerated"] += 1
            assert "sunat.no-signature-yet" in {f.code for f in outcome.findings}
            assert all("ExtensionContent" in e.message or "UBLExtensions" in e.message for e in errors), path.name
        else:
            verdicts["refused"] += 1
            found = [f for f in outcome.findings if f.is_error]
            for error in errors:
                if "ExtensionContent" not in error.message:
                    lines, above = {f.line for f in found}, {parent(f.pointer) for f in found}
                    assert error.line in lines or parent(error.path) in above, (path.name, error)
            assert found
    assert verdicts == {"accepted": 47, "tolerated": 21, "refused": 3, "other": 35}


def test_which_type_each_flavour_is(told) -> None:
    names = [outcome.document_type or "" for outcome in told.values()]
    assert Counter(name for name in names if name.startswith("invoice/")) == {
        "invoice/ubl-2.1": 33,
        "invoice/ubl-2.1-credit-note": 7,
        "invoice/cii-d16b": 7,
        "invoice/sunat-ubl-2.1": 20,
        "invoice/sunat-ubl-2.1-credit-note": 4,
    }


def test_what_is_no_invoice_is_refused_with_a_reason(told) -> None:
    """SummaryDocuments, VoidedDocuments, Retention, Perception and DebitNote of SUNAT, and the rest of UBL."""
    unknown: Counter[str] = Counter()
    for path, outcome in told.items():
        if outcome.document_type is None:
            name = etree.QName(root_of(path)).localname
            assert [f.code for f in outcome.findings] == ["type.unknown"]
            assert name in outcome.findings[0].message
            unknown[name] += 1
    assert {"SummaryDocuments", "VoidedDocuments", "Retention", "Perception", "DebitNote"} <= set(unknown)
    assert not {"Invoice", "CreditNote", "DespatchAdvice", "CrossIndustryInvoice"} & set(unknown)


def test_an_unsigned_sunat_document_may_only_lack_its_signature(reference, catalogue) -> None:
    """Text instead of a signature, or another fault in the same extension, is not tolerated."""
    path = reference / "samples/peru-sunat/oubl-invoice-mindata-MinData_UsePrecioUnitarioOPrecioConIgv.xml"
    root = etree.fromstring(path.read_bytes())
    content = next(root.iter(CONTENT))
    assert process(Message(NO_MESSAGE_ID, etree.tostring(root)), catalogue).is_accepted
    content.text = "later"
    assert not process(Message(NO_MESSAGE_ID, etree.tostring(root)), catalogue).is_accepted
    content.text = None
    etree.SubElement(content.getparent(), CONTENT)
    assert not process(Message(NO_MESSAGE_ID, etree.tostring(root)), catalogue).is_accepted


def test_despatch_guides_of_sunat(told) -> None:
    """Seven are taken without their signature; one breaks the order of the schema."""
    guides = {path: o for path, o in told.items() if (o.document_type or "").startswith("transport/sunat")}
    assert Counter(o.is_accepted for o in guides.values()) == {True: 7, False: 1}
    assert all("sunat.no-signature-yet" in {f.code for f in o.findings} for o in guides.values())
