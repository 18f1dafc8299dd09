"""Real SPS certificates and permits: taken where the published schema takes them, else refused at the same place."""

import shutil
from collections import Counter
from pathlib import Path

import pytest
from lxml import etree

from broker import catalogue as catalogues
from broker.line.process import process
from broker.model.documents import Message
from broker.model.ids import NO_MESSAGE_ID
from tests.xsd.test_sps import opened

pytestmark = pytest.mark.proof

CERTIFICATE = "{urn:un:unece:uncefact:data:standard:SPSCertificate:17}SPSCertificate"
PERMIT = "{urn:sgcan:intercom:data:standard:SPSImportPermit:1}SPSImportPermit"
TYPES = {"certificate": "sps/sps-certificate-17", "permit": "sps/intercom-import-permit-1"}


@pytest.fixture(scope="module")
def catalogue():
    return catalogues.load()


@pytest.fixture(scope="module")
def published_certificate(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> etree.XMLSchema:
    """The Andean closure with its list of acronyms open, as it is in the schema of the ePhyto hub."""
    home = tmp_path_factory.mktemp("certificate")
    shutil.copytree(reference / "xsd/can-intercom-sps/estandar-cfe", home, dirs_exist_ok=True)
    opened(home / "codelist/standard/INTERCOM_ePhyto_TagAcronymCodes.xsd")
    return etree.XMLSchema(etree.parse(home / "data/standard/SPSCertificate_17p0.xsd"))


@pytest.fixture(scope="module")
def published_permit(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> etree.XMLSchema:
    """Its data modules, with the code lists of the certificate laid beside them, as the index of the folder says."""
    home = tmp_path_factory.mktemp("permit")
    for part in ("estandar-cfe/codelist", "estandar-cfe/identifierlist", "estandar-pfi/data"):
        shutil.copytree(reference / "xsd/can-intercom-sps" / part, home / part.rpartition("/")[2])
    return etree.XMLSchema(etree.parse(home / "data/standard/SPSImportPermit_1p0.xsd"))


def samples(reference: Path) -> list[Path]:
    return sorted(reference.glob("samples/sps-ecert*/*.xml"))


def inner(path: Path) -> etree._Element:
    """The certificate or permit in a file, wherever it is wrapped, with the lines of the file."""
    return next(etree.parse(path).getroot().iter(CERTIFICATE, PERMIT))


def outcome(path: Path, catalogue):
    return process(Message(NO_MESSAGE_ID, path.read_bytes()), catalogue)


def parent(pointer: str) -> str:
    return pointer.rpartition("/")[0]


def test_every_real_document_is_judged_as_published(
    reference, catalogue, published_certificate, published_permit, published_payload
) -> None:
    """Counts: 4 certificates and 3 import permits accepted, 2 certificates refused."""
    verdicts: Counter[str] = Counter()
    for path in samples(reference):
        element, told = inner(path), outcome(path, catalogue)
        kind, judge = (
            ("certificate", published_certificate) if element.tag == CERTIFICATE else ("permit", published_permit)
        )
        assert told.document_type == TYPES[kind]
        if judge.validate(element):
            verdicts[f"{kind} accepted"] += 1
            assert told.is_accepted, told.findings
            payload = etree.fromstring(told.payload.content)
            assert published_payload.validate(payload), published_payload.error_log
            assert catalogue.payload_schema.judge(payload).faults == ()
        else:
            verdicts[f"{kind} refused"] += 1
            assert not told.is_accepted
            places = {(f.line, parent(f.pointer)) for f in told.findings if f.is_error}
            lines, parents = {line for line, _ in places}, {above for _, above in places}
            for error in judge.error_log:
                assert error.line in lines or parent(error.path) in parents, error
    assert verdicts == {"certificate accepted": 4, "certificate refused": 2, "permit accepted": 3}


def test_nothing_of_a_real_document_is_lost_in_silence(reference, catalogue) -> None:
    """Every leaf is carried, folded or dropped with its reason: no warning says that a value found no row."""
    for path in samples(reference):
        told = outcome(path, catalogue)
        if told.is_accepted:
            codes = Counter(f.code for f in told.findings)
            assert codes.keys() <= {"mapping.moved", "SPS-06", "SPS-09", "SPS-11"}, (path.name, codes)
