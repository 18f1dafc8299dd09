"""The certificate of origin profile judges as the published schemas do, stage by stage and form by form."""

from __future__ import annotations

import tomllib
from copy import deepcopy
from typing import TYPE_CHECKING, NamedTuple

import pytest
from lxml import etree

from tests.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.proof

XS = "{http://www.w3.org/2001/XMLSchema}"
SOAP = "http://www.w3.org/2001/12/soap-envelope"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
STAGES = {
    "complete": "1.8.2",
    "exporter_signed": "1.8.2_exporter_signed",
    "exporter_unsigned": "1.8.2_exporter_unsigned",
}
FORMS = ["R252", "A6", "A14", "A18", "A24", "A33", "A35", "A36", "A38", "A58", "A59", "A60", "A65"]
SIGNATURE = f"""<ds:Signature xmlns:ds="{DSIG}">
  <ds:SignedInfo>
    <ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
    <ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>
    <ds:Reference URI="#COD">
      <ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>
      <ds:DigestValue>AAAA</ds:DigestValue>
    </ds:Reference>
  </ds:SignedInfo>
  <ds:SignatureValue>AAAA</ds:SignatureValue>
</ds:Signature>"""
VALUES = {
    "dateTime": "2024-05-06T07:08:09.1234567-03:00", "boolean": "true", "Countries": "AR", "OpCountryType": "US",
    "Acronyms": "A18", "WeightAmountType": "12.5000", "ValueType": "99.90", "OrderNoType": "1", "QtyType": "1",
    "ItemCodeType": "8408.90.90", "emailType": "ventas@ejemplo.test", "httpURIType": "http://ejemplo.test/",
    "TelephoneType": "5411 4321-1234", "CODVer": "1.8.2", "CODSubmitterType": "EXP", "EHId": "036",
    "CertificateID": "AR036A18240000012300", "ProducerExporter": "MISMO", "ProducerConfidenciality": "CONFIDENCIAL",
    "GoodsItemRVC": "VT", "GoodsItemOtherInstances": "DMI",
}  # fmt: skip
"""A value that fits, by name of the published type or, where that has no name, of the element."""


class Verdict(NamedTuple):
    valid: bool
    lines: frozenset[int]
    parents: frozenset[str]


class Published:
    """The published schema files, read as data: which elements a form may have."""

    def __init__(self, file: Path) -> None:
        self.root = etree.parse(file).getroot()
        self.types = {t.get("name"): t for t in self.root if t.tag == f"{XS}complexType"}

    def certificate(self, form: str, *, everything: bool) -> etree._Element:
        """A valid CertOrigin with that form: every element the schema allows, or only those it demands."""
        self.everything = everything
        self.form = form
        root = etree.Element(f"{{{SOAP}}}CertOrigin", nsmap={"soap": SOAP})
        self._fill(root, self.types["Body"])
        return root

    def _fill(self, parent: etree._Element, kind: etree._Element) -> None:
        for attribute in kind.iterchildren(f"{XS}attribute"):
            parent.set(attribute.get("name", ""), attribute.get("fixed", ""))
        for node in kind.iterfind(f"{XS}sequence/*"):
            if node.tag == f"{XS}choice":
                node = next(n for n in node if n.get("name") == self.form)  # noqa: PLW2901
            if node.tag == f"{XS}element":
                self._add(parent, node)

    def _add(self, parent: etree._Element, node: etree._Element) -> None:
        if node.get("maxOccurs") == "0" or (node.get("minOccurs") == "0" and not self.everything):
            return
        if node.get("ref") == "ds:Signature":
            parent.append(etree.fromstring(SIGNATURE))
            return
        for _ in range(2 if self.everything and node.get("maxOccurs") == "unbounded" else 1):
            child = etree.SubElement(parent, node.get("name", ""))
            name = node.get("type", "").rpartition(":")[2]
            kind = self.types.get(name)
            kind = node.find(f"{XS}complexType") if kind is None else kind
            if kind is None:
                child.text = VALUES.get(name) or VALUES.get(str(child.tag)) or "texto"
            else:
                self._fill(child, kind)


@pytest.fixture(scope="session")
def published(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The published schemas, each with its import of XML-DSig led to the copy beside it."""
    source, target = reference / "xsd/aladi-cod", tmp_path_factory.mktemp("cod")
    (target / "dsig.xsd").write_bytes((source / "xmldsig-core-schema.xsd").read_bytes())
    files = {}
    for version in (*STAGES.values(), "1.8.3", "4.1.0"):
        text = (source / f"cod_ver_{version}.xsd").read_text("utf-8-sig")
        address = "http://www.w3.org/TR/2002/REC-xmldsig-core-20020212/xmldsig-core-schema.xsd "
        files[version] = target / f"{version}.xsd"
        files[version].write_text(text.replace(address, "dsig.xsd"), "utf-8")
    return files


@pytest.fixture(scope="session")
def theirs(published: dict[str, Path]) -> dict[str, etree.XMLSchema]:
    return {version: etree.XMLSchema(etree.parse(file)) for version, file in published.items()}


@pytest.fixture(scope="session")
def ours() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(ROOT / "xsd/aladi-cod/1.8/cod.xsd"))


@pytest.fixture(scope="session")
def stage_rules() -> list[tuple[etree.XPath, etree.XPath, etree.XPath, etree.XPath]]:
    """The rules COD-S of the document type: what the three stages have between them."""
    data = tomllib.loads((ROOT / "mappings/documents/origin/aladi-cod-1.8/rules.toml").read_text("utf-8"))
    names = {"co": SOAP, "ds": DSIG}

    def xpath(text: str) -> etree.XPath:
        return etree.XPath(text, namespaces=names)

    return [
        (xpath(r.get("each", ".")), xpath(r.get("when", "true()")), xpath(r["test"]), xpath(r.get("at", ".")))
        for r in data["rules"]
        if r["id"].startswith("COD-S")
    ]


def judged(schema: etree.XMLSchema, root: etree._Element) -> Verdict:
    valid = schema.validate(root)
    lines = frozenset(e.line for e in schema.error_log)
    return Verdict(valid, lines, frozenset(e.path.rpartition("/")[0] for e in schema.error_log))


def ours_with_rules(schema: etree.XMLSchema, rules: list, root: etree._Element) -> Verdict:
    verdict = judged(schema, root)
    certificate = root if root.tag == f"{{{SOAP}}}CertOrigin" else root.find(f"{{{SOAP}}}CertOrigin")
    if certificate is None or not verdict.valid:
        return verdict
    places = [
        (at(context) or [context])[0]
        for each, when, test, at in rules
        for context in each(certificate)
        if when(context) and not test(context)
    ]
    if not places:
        return verdict
    tree = root.getroottree()
    return Verdict(
        valid=False,
        lines=frozenset(p.sourceline for p in places),
        parents=frozenset(tree.getpath(p.getparent()) for p in places if p.getparent() is not None),
    )


def wrapped(certificate: etree._Element) -> etree._Element:
    """In its envelope, one element a line, parsed anew so that lines are true."""
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP})
    envelope.append(deepcopy(certificate))
    etree.indent(envelope)
    return etree.fromstring(etree.tostring(envelope))


def mutants(root: etree._Element, *, frame: bool, shape: bool) -> Iterator[tuple[str, etree._Element]]:
    """Every element deleted, doubled, put after its next sibling, renamed; every value blanked, spoilt, padded.

    ``frame``: only what lies outside the form; ``shape``: only changes of structure.
    """
    for index, element in enumerate(root.iter(etree.Element)):
        if element.getparent() is None or (
            etree.QName(element).namespace == DSIG and element.tag != f"{{{DSIG}}}Signature"
        ):
            continue
        if frame and element.xpath("ancestor::*[starts-with(name(), 'Form')]"):
            continue
        for name, change in CHANGES.items():
            if shape and name not in SHAPE:
                continue
            copy = deepcopy(root)
            target = list(copy.iter(etree.Element))[index]
            if change(target):
                yield f"{name} {root.getroottree().getpath(element)}", etree.fromstring(etree.tostring(copy))


def _delete(e: etree._Element) -> bool:
    e.getparent().remove(e)
    return True


def _double(e: etree._Element) -> bool:
    e.addnext(deepcopy(e))
    return True


def _swap(e: etree._Element) -> bool:
    following = e.getnext()
    if following is None:
        return False
    following.addnext(e)
    return True


def _rename(e: etree._Element) -> bool:
    e.tag = f"{e.tag}X"
    return True


def _text(value: str):
    def change(e: etree._Element) -> bool:
        if len(e):
            return False
        e.text = value.format(e.text)
        return True

    return change


def _attribute(e: etree._Element) -> bool:
    e.set("extra", "1")
    return True


CHANGES = {
    "delete": _delete, "double": _double, "swap": _swap, "rename": _rename, "attribute": _attribute,
    "blank": _text(""), "spaces": _text("   "), "pad": _text(" {} "), "junk": _text("?"), "lower": _text("xx"),
    "long40": _text("a" * 40), "long120": _text("b" * 120), "long300": _text("c" * 300), "long3000": _text("d" * 3000),
    "zero": _text("0"), "minus": _text("-1"), "plus": _text("+1"), "digits": _text("1" * 19),
    "fraction": _text("1.123456"),
    "date": _text("2024-13-40T00:00:00"), "day": _text("2024-01-01"),
    "code": _text("84.08.9.90"), "code6": _text("8408.90"),
    "code12": _text("8408.90.90.1234"), "mail": _text("a@b"),
    "web": _text("https://ejemplo.test"), "phone": _text("12"),
}  # fmt: skip


SHAPE = ("delete", "double", "swap", "rename")


def compare(root: etree._Element, stage: etree.XMLSchema, every: list, ours: etree.XMLSchema, rules: list) -> str:
    """What differs between the published verdict and ours; empty when nothing does."""
    accepted = any(schema.validate(root) for schema in every)
    mine = ours_with_rules(ours, rules, root)
    if mine.valid != accepted:
        return f"published {accepted}, ours {mine}"
    if accepted:
        return ""
    place = judged(stage, root)
    if place.lines & mine.lines or place.parents & mine.parents or place.lines & parents_of(mine, root):
        return ""
    return f"place: published {place}, ours {mine}"


def parents_of(verdict: Verdict, root: etree._Element) -> frozenset[int]:
    tree = root.getroottree()
    return frozenset(n.sourceline for path in verdict.parents if path for n in tree.xpath(path))


@pytest.fixture(scope="session")
def differences(published, theirs, ours, stage_rules):
    """A function: how many mutants of a document were judged, and the differences found."""
    every = [theirs[version] for version in STAGES.values()]

    def run(
        stage: str, form: str, *, everything: bool, frame: bool = False, shape: bool = False
    ) -> tuple[int, list[str]]:
        schema = theirs[STAGES[stage]]
        root = wrapped(Published(published[STAGES[stage]]).certificate(f"Form{form}", everything=everything))
        assert schema.validate(root), schema.error_log
        assert ours_with_rules(ours, stage_rules, root).valid, ours.error_log
        found = [
            f"{name}: {difference}" if difference else ""
            for name, mutant in mutants(root, frame=frame, shape=shape)
            for difference in [compare(mutant, schema, [schema, *every], ours, stage_rules)]
        ]
        return len(found), [f for f in found if f]

    return run


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_judged_as_published(form, differences) -> None:
    values = form in {"A18", "A60"}
    count, different = differences("complete", form, everything=True, shape=not values)
    assert not different, "\n".join(different[:20])
    assert count > (600 if values else 100)


@pytest.mark.parametrize("form", FORMS)
def test_the_least_a_form_may_hold_is_judged_as_published(form, differences) -> None:
    count, different = differences("exporter_unsigned", form, everything=False, shape=True)
    assert not different, "\n".join(different[:20])
    assert count > 60


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_is_judged_as_published(stage, differences) -> None:
    count, different = differences(stage, "A18", everything=True, frame=True)
    assert not different, "\n".join(different[:20])
    assert count > 80


def test_signatures_are_judged_as_published(published, theirs, ours, stage_rules) -> None:
    """The structure of XML-DSig, in both signatures of a complete certificate."""
    schema = theirs["1.8.2"]
    root = wrapped(Published(published["1.8.2"]).certificate("FormA18", everything=False))
    different, count = [], 0
    for index, element in enumerate(root.iter(etree.Element)):
        if etree.QName(element).namespace != DSIG:
            continue
        for name in (*SHAPE, "attribute", "blank", "junk"):
            copy = deepcopy(root)
            target = list(copy.iter(etree.Element))[index]
            if not CHANGES[name](target):
                continue
            count += 1
            mutant = etree.fromstring(etree.tostring(copy))
            difference = compare(mutant, schema, [theirs[v] for v in STAGES.values()], ours, stage_rules)
            different += [f"{name} {element.tag}: {difference}"] if difference else []
    assert not different, "\n".join(different[:20])
    assert count > 80


def test_form_a72_is_judged_as_published_in_183(published, theirs, ours, stage_rules) -> None:
    """FormA72 came with 1.8.3; the entity's block stays that of 1.8.2, so only the form is compared."""
    root = wrapped(Published(published["1.8.3"]).certificate("FormA72", everything=True))
    root.find(".//AgreementAcronym").text = "A72"
    assert theirs["1.8.3"].validate(root)
    different, count = [], 0
    for name, mutant in mutants(root, frame=False, shape=False):
        if "/FormA72/" in name:
            count += 1
            difference = compare(mutant, theirs["1.8.3"], [theirs["1.8.3"]], ours, stage_rules)
            different += [f"{name}: {difference}"] if difference else []
    assert not different, "\n".join(different[:20])
    assert count > 600


@pytest.mark.parametrize("form", [*FORMS, "A67", "A72", "A73"])
def test_every_form_of_41_is_judged_as_published(form, published, theirs) -> None:
    """Version 4.1 is published for the complete certificate alone, so its schema needs no rule."""
    ours, schema = etree.XMLSchema(etree.parse(ROOT / "xsd/aladi-cod/4.1/cod.xsd")), theirs["4.1.0"]
    different, count = [], 0
    for everything in (True, False):
        root = wrapped(Published(published["4.1.0"]).certificate(f"Form{form}", everything=everything))
        assert schema.validate(root), schema.error_log
        assert ours.validate(root), ours.error_log
        shape = not everything or form not in {"A18", "A33"}
        for name, mutant in mutants(root, frame=False, shape=shape):
            count += 1
            difference = compare(mutant, schema, [schema], ours, [])
            different += [f"{name}: {difference}"] if difference else []
    assert not different, "\n".join(different[:20])
    assert count > 150


def test_the_published_sample_and_its_mutants(reference, theirs, ours, stage_rules) -> None:
    root = etree.parse(reference / "samples/co-aladi-cod/A14-FormA18-unsigned.xml").getroot()
    schema, every = theirs[STAGES["exporter_unsigned"]], [theirs[version] for version in STAGES.values()]
    assert schema.validate(root)
    assert ours_with_rules(ours, stage_rules, root).valid
    different = [
        f"{name}: {difference}"
        for name, mutant in mutants(root, frame=False, shape=False)
        for difference in [compare(mutant, schema, every, ours, stage_rules)]
        if difference
    ]
    assert not different, "\n".join(different[:20])


ENVELOPES = {
    "plain": "<s:Envelope xmlns:s='{ns}'>{c}</s:Envelope>",
    "header": "<s:Envelope xmlns:s='{ns}'><s:Header x:a='1' xmlns:x='urn:x'><x:b>1</x:b></s:Header>{c}</s:Envelope>",
    "header last": "<s:Envelope xmlns:s='{ns}'>{c}<s:Header/></s:Envelope>",
    "two headers": "<s:Envelope xmlns:s='{ns}'><s:Header/><s:Header/>{c}</s:Envelope>",
    "two bodies": "<s:Envelope xmlns:s='{ns}'>{c}{c}</s:Envelope>",
    "stranger before": "<s:Envelope xmlns:s='{ns}'><x:b xmlns:x='urn:x'/>{c}</s:Envelope>",
    "stranger after": "<s:Envelope xmlns:s='{ns}'>{c}<b/></s:Envelope>",
    "text": "<s:Envelope xmlns:s='{ns}'>hello{c}</s:Envelope>",
    "attribute": "<s:Envelope xmlns:s='{ns}' a='1'>{c}</s:Envelope>",
    "own attribute": "<s:Envelope xmlns:s='{ns}' s:a='1'>{c}</s:Envelope>",
    "foreign attribute": "<s:Envelope xmlns:s='{ns}' x:a='1' xmlns:x='urn:x'>{c}</s:Envelope>",
    "schema location": "<s:Envelope xmlns:s='{ns}' xmlns:i='{xsi}' i:schemaLocation='a b'>{c}</s:Envelope>",
    "header attribute": "<s:Envelope xmlns:s='{ns}'><s:Header a='1'/>{c}</s:Envelope>",
    "header entry without namespace": "<s:Envelope xmlns:s='{ns}'><s:Header><b/></s:Header>{c}</s:Envelope>",
    "header entry of the envelope": "<s:Envelope xmlns:s='{ns}'><s:Header><s:b/></s:Header>{c}</s:Envelope>",
    "header text": "<s:Envelope xmlns:s='{ns}'><s:Header>x</s:Header>{c}</s:Envelope>",
}


@pytest.mark.parametrize("case", ENVELOPES)
def test_the_envelope_is_judged_as_published_by_rules_alone(case, published, theirs, stage_rules) -> None:
    """The line takes the envelope off before it validates: what the envelope may hold is judged by rules."""
    certificate = Published(published["1.8.2"]).certificate("FormA18", everything=False)
    text = ENVELOPES[case].format(
        ns=SOAP, xsi="http://www.w3.org/2001/XMLSchema-instance", c=etree.tostring(certificate).decode()
    )
    root = etree.fromstring(text)
    inner = root.find(f"{{{SOAP}}}CertOrigin")
    broken = [c for each, when, test, _ in stage_rules for c in each(inner) if when(c) and not test(c)]
    assert (not broken) == theirs["1.8.2"].validate(root)
