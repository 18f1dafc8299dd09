"""The SPS profile judges as the published schema does, at the same places: real certificates and their mutants."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from tests.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROFILE = ROOT / "xsd" / "sps" / "17"
REFERENCE = os.environ.get("SWB_REFERENCE", "")
XS = "{http://www.w3.org/2001/XMLSchema}"
DS = "http://www.w3.org/2000/09/xmldsig#"
SIGNATURE = f"""<Signature xmlns="{DS}"><SignedInfo><CanonicalizationMethod Algorithm="urn:c14n"/>
<SignatureMethod Algorithm="urn:rsa"/><Reference URI=""><Transforms><Transform Algorithm="urn:enveloped"/></Transforms>
<DigestMethod Algorithm="urn:sha256"/><DigestValue>AAAA</DigestValue></Reference></SignedInfo>
<SignatureValue>AAAA</SignatureValue><KeyInfo><KeyName>k</KeyName><KeyValue><RSAKeyValue><Modulus>AAAA</Modulus>
<Exponent>AQAB</Exponent></RSAKeyValue></KeyValue><X509Data><X509IssuerSerial><X509IssuerName>CN=x</X509IssuerName>
<X509SerialNumber>1</X509SerialNumber></X509IssuerSerial><X509Certificate>AAAA</X509Certificate></X509Data></KeyInfo>
<Object Id="o"><e xmlns="urn:e"/></Object></Signature>"""
"""The shape of a signature; no key, no certificate."""

pytestmark = [
    pytest.mark.proof,
    pytest.mark.skipif(not REFERENCE, reason="SWB_REFERENCE is not set: the published schemas are not here"),
]


def schema(path: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(path))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published closure with the acknowledgement laid beside the certificate, as its index says."""
    home = tmp_path_factory.mktemp("published")
    shutil.copytree(Path(REFERENCE, "xsd/can-intercom-sps/estandar-cfe"), home, dirs_exist_ok=True)
    opened(home / "codelist/standard/INTERCOM_ePhyto_TagAcronymCodes.xsd")
    target = home / "data/standard"
    target.chmod(0o755)
    shutil.copy(Path(REFERENCE, "xsd/uncefact-sps/D17A/data/standard/SPSAcknowledgement_17p0.xsd"), target)
    return target


def opened(acronyms: Path) -> None:
    """The Andean list of acronyms takes any token, as the schema of the ePhyto hub does that certificates are for."""
    acronyms.chmod(0o644)
    acronyms.parent.chmod(0o755)
    tree = etree.parse(acronyms)
    for value in tree.getroot().iter(f"{XS}enumeration"):
        value.getparent().remove(value)
    tree.write(acronyms)


@pytest.fixture(scope="module")
def published_permit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published closure of the import permit, with the code lists of the certificate laid beside it."""
    home = tmp_path_factory.mktemp("permit")
    for part in ("estandar-cfe/codelist", "estandar-cfe/identifierlist", "estandar-pfi/data"):
        shutil.copytree(Path(REFERENCE, "xsd/can-intercom-sps", part), home / part.rpartition("/")[2])
    return home / "data/standard"


def real(root: str) -> list[bytes]:
    """Every such element of the reference samples, taken out of its wrapping, valid ones first."""
    found = []
    for path in sorted(Path(REFERENCE, "samples").glob("sps-ecert*/*.xml"), reverse=True):
        for element in etree.parse(path).iter(root):
            for attachment in element.iter("{*}AttachmentBinaryObject"):
                attachment.text = (attachment.text or "")[:40]  # a page of base64 shows nothing more
            found.append(etree.tostring(element))
    return found


def certificates() -> list[bytes]:
    """Every certificate of the reference samples, and one of them signed."""
    found = real("{urn:un:unece:uncefact:data:standard:SPSCertificate:17}SPSCertificate")
    signed = etree.fromstring(found[-3])
    signed.append(etree.fromstring(SIGNATURE))
    return [*found, etree.tostring(signed)]


ACKNOWLEDGEMENT = b"""<r:SPSAcknowledgement xmlns:r="urn:un:unece:uncefact:data:standard:SPSAcknowledgement:17"
 xmlns:a="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:21"
 xmlns:u="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:21"><r:SPSAcknowledgementDocument>
<a:IssueDateTime><u:DateTime>2026-05-04T10:00:00Z</u:DateTime></a:IssueDateTime>
<a:StatusCode name="Rejected" listAgencyID="6">41</a:StatusCode>
<a:ReasonInformation languageID="en">The number is not known</a:ReasonInformation>
<a:ReferenceSPSReferencedDocument><a:IssueDateTime><u:DateTimeString format="102">20260501</u:DateTimeString>
</a:IssueDateTime><a:TypeCode>851</a:TypeCode><a:RelationshipTypeCode>AAA</a:RelationshipTypeCode><a:ID>1</a:ID>
<a:AttachmentBinaryObject mimeCode="text/plain">AAAA</a:AttachmentBinaryObject><a:Information>x</a:Information>
</a:ReferenceSPSReferencedDocument></r:SPSAcknowledgementDocument></r:SPSAcknowledgement>"""


def mutants(content: bytes, seen: Counter[str]) -> Iterator[tuple[str, bytes]]:
    """One fault at a time, at elements and attributes; of all elements with one path, at the first."""
    root = etree.fromstring(content)
    whole = etree.tostring(root)
    for at, element in enumerate(list(root.iter("*"))):
        path = "/".join(str(e.tag) for e in (element, *element.iterancestors()))
        seen[path] += 1
        if seen[path] > 1:
            continue
        for kind, harm in HARMS.items():
            copy = etree.fromstring(content)
            harm(list(copy.iter("*"))[at])
            variant = etree.tostring(copy)
            if variant != whole:
                yield f"{kind} {element.tag}", variant
        for name in element.attrib:
            for value in ("", "?? %%"):
                copy = etree.fromstring(content)
                list(copy.iter("*"))[at].set(name, value)
                yield f"{name}={value} {element.tag}", etree.tostring(copy)


def delete(victim: etree._Element) -> None:
    if (parent := victim.getparent()) is not None:
        parent.remove(victim)


def double(victim: etree._Element) -> None:
    if victim.getparent() is not None:
        victim.addnext(etree.fromstring(etree.tostring(victim, with_tail=False)))


def swap(victim: etree._Element) -> None:
    if (after := victim.getnext()) is not None:
        after.addnext(victim)


def blank(victim: etree._Element) -> None:
    victim.text = ""
    for child in list(victim):
        victim.remove(child)


def append(victim: etree._Element) -> None:
    victim.text = (victim.text or "").strip() + "X?"


def pad(victim: etree._Element) -> None:
    victim.text = f"  {victim.text or ''}\n"


def rename(victim: etree._Element) -> None:
    victim.tag = f"{victim.tag}X"


def attribute(victim: etree._Element) -> None:
    victim.set("unheardOf", "1")


def stranger(victim: etree._Element) -> None:
    etree.SubElement(victim, "{urn:stranger}stranger")


HARMS: dict[str, Callable[[etree._Element], None]] = {
    harm.__name__: harm for harm in (delete, double, swap, blank, append, pad, rename, attribute, stranger)
}


def places(judge: etree.XMLSchema, content: bytes) -> tuple[bool, list[tuple[int, str]]]:
    verdict = judge.validate(etree.fromstring(content))
    return verdict, sorted({(error.line, error.path) for error in judge.error_log})


def compare(ours: etree.XMLSchema, theirs: etree.XMLSchema, contents: list[bytes]) -> tuple[Counter[bool], list[str]]:
    """How many variants were valid and invalid by the published schema, and every one judged or placed otherwise."""
    verdicts: Counter[bool] = Counter()
    differing = []
    seen: Counter[str] = Counter()
    for content in contents:
        for name, variant in [("itself", content), *mutants(content, seen)]:
            expected = places(theirs, variant)
            verdicts[expected[0]] += 1
            if places(ours, variant) != expected:
                differing.append(f"{name}: {expected} but {places(ours, variant)}")
    return verdicts, differing


def test_certificate_profile_judges_as_published(published: Path) -> None:
    contents = certificates()
    assert len(contents) == 7
    ours, theirs = schema(PROFILE / "certificate.xsd"), schema(published / "SPSCertificate_17p0.xsd")
    verdicts, differing = compare(ours, theirs, contents)
    assert not differing, "\n".join(differing[:20])
    assert verdicts[True] > 400
    assert verdicts[False] > 1400


def test_acknowledgement_profile_judges_as_published(published: Path) -> None:
    ours, theirs = schema(PROFILE / "acknowledgement.xsd"), schema(published / "SPSAcknowledgement_17p0.xsd")
    assert places(theirs, ACKNOWLEDGEMENT) == (True, [])
    verdicts, differing = compare(ours, theirs, [ACKNOWLEDGEMENT])
    assert not differing, "\n".join(differing[:20])
    assert verdicts[True] > 10
    assert verdicts[False] > 50


def test_permit_profile_judges_as_published(published_permit: Path) -> None:
    contents = real("{urn:sgcan:intercom:data:standard:SPSImportPermit:1}SPSImportPermit")
    assert len(contents) == 3
    ours = schema(PROFILE.parent / "import-permit-1" / "permit.xsd")
    verdicts, differing = compare(ours, schema(published_permit / "SPSImportPermit_1p0.xsd"), contents)
    assert not differing, "\n".join(differing[:20])
    assert verdicts[True] > 200
    assert verdicts[False] > 400


def test_profile_knows_the_same_elements_as_the_published_schema(published: Path) -> None:
    """What no sample uses is compared by itself: each class with its elements, order and occurrence, and each code."""

    def classes(path: Path) -> dict[tuple[tuple[str | None, ...], ...], int]:
        sequences: Counter[tuple[tuple[str | None, ...], ...]] = Counter()
        for element in etree.parse(path).iter(f"{XS}complexType"):
            children = tuple(
                (child.get("name"), child.get("minOccurs", "1"), child.get("maxOccurs", "1"))
                for child in element.iter(f"{XS}element")
            )
            sequences[children] += 1
        return sequences

    def lists(path: Path) -> list[frozenset[str | None]]:
        types = etree.parse(path).iter(f"{XS}simpleType")
        return [frozenset(code.get("value") for code in each.iter(f"{XS}enumeration")) for each in types]

    theirs = classes(published / "ReusableAggregateBusinessInformationEntity_21p0.xsd")
    ours = classes(PROFILE / "components.xsd")
    assert sum(ours.values()) == 30
    assert set(ours) <= set(theirs)
    theirs = classes(
        Path(REFERENCE, "xsd/can-intercom-sps/estandar-pfi/data/standard")
        / "INTERCOMSPSImportPermitReusableAggregateBusinessInformationEntity_21p0.xsd"
    )
    ours = classes(PROFILE.parent / "import-permit-1" / "permit-parts.xsd")
    assert sum(ours.values()) == 29
    assert set(ours) <= set(theirs)
    closure = Path(REFERENCE, "xsd/can-intercom-sps/estandar-cfe")  # as published, its list of acronyms too
    codes = {each for path in closure.glob("*list/standard/*.xsd") for each in lists(path)}
    assert len(lists(PROFILE / "codes.xsd")) == 15
    assert set(lists(PROFILE / "codes.xsd")) <= codes
