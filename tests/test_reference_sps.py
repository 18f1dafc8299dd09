"""Real SPS certificates: what the published schema accepts is carried, what it refuses is refused at the same place."""

from collections import Counter
from pathlib import Path

import pytest
from lxml import etree

from broker import catalogue as catalogues
from broker.line import process
from broker.model import NO_MESSAGE_ID, Message

CERTIFICATE = "{urn:un:unece:uncefact:data:standard:SPSCertificate:17}SPSCertificate"
PERMIT = "{urn:sgcan:intercom:data:standard:SPSImportPermit:1}SPSImportPermit"
WCO = {
    "urn:wco:datamodel:WCO:DocumentMetaData-DMS:2": "declaration/DocumentMetaData_2_DMS.xsd",
    "urn:wco:datamodel:WCO:DEC-DMS:2": "declaration/WCO_DEC_2_DMS.xsd",
    "urn:wco:datamodel:WCO:RES-DMS:2": "notification/WCO_RES_2_DMS.xsd",
}


@pytest.fixture(scope="module")
def catalogue():
    return catalogues.load()


@pytest.fixture(scope="module")
def published_certificate(reference: Path) -> etree.XMLSchema:
    return etree.XMLSchema(
        etree.parse(reference / "xsd/can-intercom-sps/estandar-cfe/data/standard/SPSCertificate_17p0.xsd")
    )


@pytest.fixture(scope="module")
def published_payload(reference: Path) -> etree.XMLSchema:
    home = reference / "xsd/wco-hmrc-dms/wco"
    imports = "".join(
        f'<xs:import namespace="{ns}" schemaLocation="{(home / file).as_uri()}"/>' for ns, file in WCO.items()
    )
    return etree.XMLSchema(
        etree.fromstring(f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imports}</xs:schema>')
    )


def samples(reference: Path) -> list[Path]:
    return sorted(reference.glob("samples/sps-ecert*/*.xml"))


def inner(path: Path) -> etree._Element | None:
    """The certificate in a file, wherever it is wrapped, in its own tree with the lines of the file."""
    root = etree.parse(path).getroot()
    return next(root.iter(CERTIFICATE), None)


def outcome(path: Path, catalogue):
    return process(Message(NO_MESSAGE_ID, path.read_bytes()), catalogue)


def parent(pointer: str) -> str:
    return pointer.rpartition("/")[0]


def test_every_real_certificate_is_judged_as_published(
    reference, catalogue, published_certificate, published_payload
) -> None:
    """Counts: 4 certificates accepted, 2 refused, 3 import permits that are no certificates."""
    verdicts: Counter[str] = Counter()
    for path in samples(reference):
        certificate, told = inner(path), outcome(path, catalogue)
        if certificate is None:
            verdicts["permit"] += 1
            assert etree.parse(path).getroot().tag == PERMIT
            assert told.document_type == "sps/intercom-import-permit-1" or [f.code for f in told.findings] == [
                "type.unknown"
            ]
        elif published_certificate.validate(certificate):
            verdicts["accepted"] += 1
            assert told.is_accepted, told.findings
            assert told.document_type == "sps/sps-certificate-17"
            payload = etree.fromstring(told.payload.content)
            assert published_payload.validate(payload), published_payload.error_log
            assert catalogue.payload_schema.judge(payload).faults == ()
        else:
            verdicts["refused"] += 1
            assert not told.is_accepted
            places = {(f.line, parent(f.pointer)) for f in told.findings if f.is_error}
            for error in published_certificate.error_log:
                lines, parents = {line for line, _ in places}, {above for _, above in places}
                assert error.line in lines or parent(error.path) in parents, error
    assert verdicts == {"accepted": 4, "refused": 2, "permit": 3}


def test_nothing_of_a_real_certificate_is_lost_in_silence(reference, catalogue) -> None:
    """Every leaf is carried, folded or dropped with its reason: no warning says that a value found no row."""
    for path in samples(reference):
        certificate = inner(path)
        if certificate is not None and outcome(path, catalogue).is_accepted:
            codes = Counter(f.code for f in outcome(path, catalogue).findings)
            assert codes.keys() <= {"mapping.moved", "SPS-06", "SPS-09", "SPS-11"}, (path.name, codes)
