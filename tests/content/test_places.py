"""What the published schemas refuse is refused here, with a finding at the same place: mutants of real documents."""

import random
import shutil
from collections import Counter
from pathlib import Path

import pytest
from lxml import etree

from broker import catalogue
from broker.content.detect import detect
from broker.content.xml import pointer
from broker.model.errors import Refused
from broker.validate import validate
from tests.xsd.test_sps import opened

pytestmark = pytest.mark.proof

MUTANTS = 100
"""Of each family; any number may be run by hand."""
OBJECT = "{http://www.w3.org/2000/09/xmldsig#}Object"
"""What a signature encloses (XAdES) is for those who verify it: our schemas do not look inside."""
FAMILIES = {
    "invoice": ("peppol-bis3", "peppol-pint-sg", "ubl-oasis"),
    "sps": ("sps-ecert-can",),
    "origin": ("co-aladi-cod",),
}


@pytest.fixture(scope="module")
def data():
    return catalogue.load()


@pytest.fixture(scope="module")
def published(reference, tmp_path_factory):
    """The published schema for each root element, by family."""
    home = tmp_path_factory.mktemp("published")
    sps = home / "sps"
    shutil.copytree(reference / "xsd/can-intercom-sps/estandar-cfe", sps)
    opened(next(sps.rglob("INTERCOM_ePhyto_TagAcronymCodes.xsd")))
    cod = home / "cod"
    cod.mkdir()
    shutil.copy(reference / "xsd/aladi-cod/xmldsig-core-schema.xsd", cod / "dsig.xsd")
    text = (reference / "xsd/aladi-cod/cod_ver_1.8.2_exporter_unsigned.xsd").read_text("utf-8-sig")
    address = "http://www.w3.org/TR/2002/REC-xmldsig-core-20020212/xmldsig-core-schema.xsd "
    (cod / "cod.xsd").write_text(text.replace(address, "dsig.xsd"), "utf-8")
    return {
        "Invoice": etree.XMLSchema(file=str(reference / "xsd/ubl-2.1/maindoc/UBL-Invoice-2.1.xsd")),
        "CreditNote": etree.XMLSchema(file=str(reference / "xsd/ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd")),
        "SPSCertificate": etree.XMLSchema(file=str(next(sps.rglob("SPSCertificate_17p0.xsd")))),
        "Envelope": etree.XMLSchema(file=str(cod / "cod.xsd")),
    }


def documents(reference, data, family, published):
    """Reference documents of a family that their published schema takes: whole file, and the element it judges."""
    for folder in FAMILIES[family]:
        for file in sorted((reference / "samples" / folder).glob("*.xml")):
            try:
                found = detect(file.read_bytes(), data)
            except Refused:
                continue
            root = judged(found)
            schema = published.get(etree.QName(root).localname)
            if found.type.family == family and schema is not None and schema.validate(root):
                yield etree.tostring(root, encoding="UTF-8", with_tail=False)


def judged(document):
    """The element that the published schema speaks of: the certificate of origin is published with its envelope."""
    return document.root.getroottree().getroot() if document.type.family == "origin" else document.root


def mutate(document, rng):
    root = judged(document)
    node = rng.choice(
        [e for e in root.iter(etree.Element) if e is not root and next(e.iterancestors(OBJECT), None) is None]
    )
    parent, kind = node.getparent(), rng.randrange(7)
    if kind == 0:
        parent.remove(node)
    elif kind == 1:
        node.tag = "{urn:stranger}" + etree.QName(node).localname
    elif kind == 2:
        node.addprevious(etree.Element("{urn:stranger}Stray"))
    elif kind == 3:
        parent.append(node)
    elif kind == 4:
        node.text = rng.choice(("", "x" * 3000, "32/13/2026", "1,5"))
    elif kind == 5 and node.attrib:
        del node.attrib[rng.choice(node.keys())]
    else:
        node.set("stray", "1")


def faults(root, schema):
    """Line and path of each fault the published schema finds."""
    nodes = [steps(root, error.path) for error in schema.error_log]
    return {node.sourceline for node in nodes}, {pointer(node) for node in nodes}


def steps(root, path):
    """The element at one of libxml2's paths."""
    node = root
    for step in path.split("/")[2:]:
        name, _, number = step.rstrip("]").partition("[")
        same = [e for e in node.iterchildren(etree.Element) if name == "*" or prefixed(e) == name]
        node = same[int(number or 1) - 1]
    return node


def prefixed(element):
    local = etree.QName(element).localname
    return f"{element.prefix}:{local}" if element.prefix else local


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_place(reference, data, published, family):
    rng = random.Random(f"places of {family}")
    sources = list(documents(reference, data, family, published))
    count = Counter()
    for _ in range(MUTANTS):
        mutant = detect(rng.choice(sources), data)
        mutate(mutant, rng)
        sent = etree.tostring(judged(mutant), encoding="UTF-8")
        root = etree.fromstring(sent)
        schema = published[etree.QName(root).localname]
        if schema.validate(root):
            count["taken there"] += 1
            continue
        lines, paths = faults(root, schema)
        try:
            findings = validate(detect(sent, data))
        except Refused as refusal:
            findings = refusal.findings
        assert any(f.is_error for f in findings), [e.message for e in schema.error_log]
        if findings[0].code == "type.unknown":
            count["of no type"] += 1
            continue
        # The same line, or the same parent; the parent itself where the published schema points at it for a lost child.
        parents = {path.rpartition("/")[0] for path in paths} | paths
        is_there = any(f.line in lines or f.pointer.rpartition("/")[0] in parents for f in findings)
        assert is_there, ([(f.code, f.pointer, f.line) for f in findings], lines, paths)
        count["at the same place"] += 1
    assert count["at the same place"] > MUTANTS / 2
    assert count["of no type"] < MUTANTS / 20


def test_the_folders_are_there(reference):
    assert all(Path(reference, "samples", folder).is_dir() for folders in FAMILIES.values() for folder in folders)
