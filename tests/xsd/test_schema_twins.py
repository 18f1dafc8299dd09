"""Our UBL, CII and DTE schemas against the published ones: type by type, and on mutants (SWB_REFERENCE)."""

from __future__ import annotations

import copy
import itertools
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from lxml import etree

from broker.workbench.samples import read_sample
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.proof

XSD = ROOT / "xsd"
REFERENCE = Path(os.environ.get("SWB_REFERENCE", "/nonexistent"))
XS = "{http://www.w3.org/2001/XMLSchema}"
UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
CII = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
FOLDERS = ("ubl-oasis", "peppol-bis3", "peppol-pint-sg", "peppol-pint-aunz", "en16931-ubl", "peru-sunat", "en16931-cii")
STEP = 20
"""Every twentieth mutant is run; 1 runs all."""


class Twin(NamedTuple):
    """A document, our schema of it and the published one; and the element that both share, where it is not the root."""

    root: str
    ours: Path
    published: Path
    part: str = ""


def ubl(name: str, file: str) -> Twin:
    return Twin(
        f"{{{UBL}{name}-2}}{name}",
        XSD / "ubl" / "2.1" / f"{file}.xsd",
        REFERENCE / "xsd" / "ubl-2.1" / "maindoc" / f"UBL-{name}-2.1.xsd",
    )


TWINS = {
    "invoice": ubl("Invoice", "invoice"),
    "credit-note": ubl("CreditNote", "credit-note"),
    "despatch-advice": ubl("DespatchAdvice", "despatch-advice"),
    "certificate-of-origin": ubl("CertificateOfOrigin", "certificate-of-origin"),
    "application-response": ubl("ApplicationResponse", "application-response"),
    "cross-industry-invoice": Twin(
        f"{{{CII}}}CrossIndustryInvoice",
        XSD / "cii" / "D16B" / "invoice.xsd",
        REFERENCE / "xsd" / "uncefact-cii" / "d16b" / "data" / "standard" / "CrossIndustryInvoice_100pD16B.xsd",
    ),
    "export-document": Twin(
        "{http://www.sii.cl/SiiDte}DTE",
        XSD / "sii-dte" / "1.0" / "export.xsd",
        REFERENCE / "xsd" / "chile-dte" / "DTE_v10.xsd",
        "Exportaciones",
    ),
}
LATER = Twin(
    f"{{{CII}}}CrossIndustryInvoice",
    XSD / "cii" / "D22B" / "invoice.xsd",
    REFERENCE / "xsd" / "uncefact-cii" / "d22b" / "cii" / "CrossIndustryInvoice_100pD22B.xsd",
)
"""Ours does not repeat the lists of codes that the published one holds."""
OWN = (
    "origin/ubl-2.1-certificate-of-origin/samples/everything.xml",
    "invoice/sii-dte-export-1.0/samples/export-invoice.xml",
)
"""Examples of our own for documents of which nobody publishes one."""
needs_reference = pytest.mark.skipif(not REFERENCE.is_dir(), reason="SWB_REFERENCE does not name the published schemas")


@pytest.mark.parametrize("name", TWINS)
def test_compiles(name: str) -> None:
    assert etree.XMLSchema(file=str(TWINS[name].ours)) is not None


@dataclass(frozen=True)
class Model:
    """Global declarations of a schema and of all it includes and imports: kind and Clark name to the node."""

    nodes: dict[tuple[str, str], etree._Element]

    def type_of(self, node: etree._Element, name: str) -> str:
        """The type of an element; one without a name of its own is named after the element."""
        for kind in ("complexType", "simpleType"):
            inner = node.find(f"{XS}{kind}")
            if inner is not None:
                own = f"{name}/{len(self.nodes)}"
                self.nodes[kind, own] = inner
                return own
        return clark(node, node.get("type"))

    def declared(self, twin: Twin) -> etree._Element:
        """The element that the twins share."""
        if not twin.part:
            return self.nodes["element", twin.root]
        below = (node for top in list(self.nodes.values()) for node in top.iter(f"{XS}element"))
        return next(node for node in below if node.get("name") == twin.part)

    def children(self, type_name: str) -> list[tuple[str, str, str, str, str]]:
        """Clark name, type, minOccurs, maxOccurs and compositor of each child, in order."""
        found = []
        for node in self.nodes["complexType", type_name].iter(f"{XS}element", f"{XS}any"):
            if node.getparent().getparent() is not self.nodes["complexType", type_name]:  # type: ignore[union-attr]
                continue
            times = (node.get("minOccurs", "1"), node.get("maxOccurs", "1"), node.getparent().tag)  # type: ignore[union-attr]
            if node.tag == f"{XS}any":
                found.append((f"any {node.get('namespace')} {node.get('processContents')}", "", *times))
            elif node.get("ref"):
                name = clark(node, node.get("ref"))
                found.append((name, self.type_of(self.nodes["element", name], name), *times))
            else:
                name = f"{{{node.getroottree().getroot().get('targetNamespace')}}}{node.get('name')}"
                found.append((name, self.type_of(node, name), *times))
        return found

    def simple(self, name: str) -> tuple[str, ...]:
        """A simple type as its built-in base and its facets."""
        restriction = (
            self.nodes[("simpleType", name)].find(f"{XS}restriction") if ("simpleType", name) in self.nodes else None
        )
        if restriction is None:
            return (name,)
        facets = sorted(f"{etree.QName(f).localname}={f.get('value')}" for f in restriction.iterchildren("*"))
        return (*self.simple(clark(restriction, restriction.get("base"))), *facets)

    def value(self, type_name: str) -> tuple[tuple[str, ...], dict[str, tuple[tuple[str, ...], str]]] | None:
        """Base and attributes of a type with simple content, through all its bases; None for other types."""
        node = self.nodes.get(("complexType", type_name))
        if node is None:
            return (self.simple(type_name), {})
        derived = node.find(f"{XS}simpleContent/*")
        if derived is None:
            return None
        base, attributes = self.value(clark(derived, derived.get("base"))) or ((), {})
        own = {
            a.get("name", ""): (self.simple(self.type_of(a, a.get("name", ""))), a.get("use", "optional"))
            for a in derived.iter(f"{XS}attribute")
        }
        return base, attributes | own


def clark(node: etree._Element, name: str | None) -> str:
    prefix, _, local = (name or "").rpartition(":")
    return f"{{{node.nsmap[prefix or None]}}}{local}"


def load(path: Path) -> Model:
    nodes: dict[tuple[str, str], etree._Element] = {}
    waiting, seen = [path.resolve()], set()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        root = etree.parse(str(file)).getroot()
        for node in root.iterchildren("*"):
            kind = etree.QName(node).localname
            if kind in {"import", "include"}:
                waiting.append((file.parent / node.get("schemaLocation", "")).resolve())
            elif node.get("name"):
                nodes[kind, f"{{{root.get('targetNamespace')}}}{node.get('name')}"] = node
    return Model(nodes)


@needs_reference
@pytest.mark.parametrize("name", TWINS)
def test_each_type_agrees_with_the_published_one(name: str) -> None:
    twin = TWINS[name]
    theirs, ours = load(twin.published), load(twin.ours)
    left, right = (m.type_of(m.declared(twin), twin.root) for m in (theirs, ours))
    waiting = [(left, right)]
    compared: set[tuple[str, str]] = set()
    while waiting:
        left, right = pair = waiting.pop()
        if pair in compared or "xmldsig" in left:
            continue
        compared.add(pair)
        assert theirs.value(left) == ours.value(right), pair
        if theirs.value(left) is not None:
            continue
        below = theirs.children(left), ours.children(right)
        assert [(n, *rest) for n, _, *rest in below[0]] == [(n, *rest) for n, _, *rest in below[1]], pair
        waiting += [(a[1], b[1]) for a, b in zip(*below, strict=True) if a[1]]
    assert len(compared) > 100


def pairs(twin: Twin) -> Iterator[tuple[Model, str, Model, str]]:
    """Every published type that the document reaches, and ours in its place."""
    theirs, ours = load(twin.published), load(twin.ours)
    waiting = [(theirs.type_of(theirs.declared(twin), twin.root), ours.type_of(ours.declared(twin), twin.root))]
    seen: set[tuple[str, str]] = set()
    while waiting:
        pair = waiting.pop()
        if pair not in seen:
            seen.add(pair)
            yield theirs, pair[0], ours, pair[1]
            if theirs.value(pair[0]) is None:
                below = zip(theirs.children(pair[0]), ours.children(pair[1]), strict=True)
                waiting += [(a[1], b[1]) for a, b in below if a[1]]


@needs_reference
def test_the_later_invoice_has_the_published_elements_and_is_never_narrower() -> None:
    compared = 0
    for theirs, left, ours, right in pairs(LATER):
        compared += 1
        published, own = theirs.value(left), ours.value(right)
        assert (published is None) == (own is None), (left, right)
        if published is None:
            below = theirs.children(left), ours.children(right)
            assert [(n, *rest) for n, _, *rest in below[0]] == [(n, *rest) for n, _, *rest in below[1]], (left, right)
            continue
        assert set(own[0]) <= set(published[0]), (left, right)
        assert set(published[1]) <= set(own[1]), (left, right)
        for name, (facets, use) in own[1].items():
            assert use == "optional"
            assert name not in published[1] or set(facets) <= set(published[1][name][0]), (left, right, name)
    assert compared > 150


@needs_reference
def test_what_only_the_later_invoice_has_is_refused_by_the_earlier_one() -> None:
    """The sample is valid as published, and would not be with D16B."""
    mappings = ROOT / "mappings"
    file = mappings / "documents/invoice/cii-d22b/samples/seals-lots-and-models.xml"
    tree = etree.fromstring(read_sample(file, mappings).content).getroottree()
    published, ours = schemas(LATER)
    assert (verdict(published, tree), verdict(ours, tree)) == ([], [])
    assert all(verdict(schema, tree) for schema in schemas(TWINS["cross-industry-invoice"]))


@cache
def schemas(twin: Twin) -> tuple[etree.XMLSchema, etree.XMLSchema]:
    return etree.XMLSchema(file=str(twin.published)), etree.XMLSchema(file=str(twin.ours))


def examples() -> Iterator[tuple[Twin, etree._ElementTree]]:
    by_root = {twin.root: twin for twin in TWINS.values()}
    own = [ROOT / "mappings" / "documents" / file for file in OWN]
    real = sorted(file for folder in FOLDERS for file in (REFERENCE / "samples" / folder).glob("*.xml"))
    for file in own + real:
        root = etree.fromstring(file.read_bytes().lstrip())
        if root.tag in by_root:
            yield by_root[root.tag], root.getroottree()


def verdict(schema: etree.XMLSchema, tree: etree._ElementTree) -> list[tuple[int, str]]:
    """Line and path of each error; empty when valid."""
    schema.validate(tree)
    return [(error.line, error.path or "") for error in schema.error_log]  # type: ignore[attr-defined]


@needs_reference
def test_published_examples_get_the_same_verdict() -> None:
    results = []
    for twin, tree in examples():
        theirs, ours = (verdict(schema, tree) for schema in schemas(twin))
        assert theirs == ours
        results.append(bool(ours))
    assert (len(results), results.count(False)) == (82, 50)


def mutants(tree: etree._ElementTree) -> Iterator[etree._ElementTree]:
    """Elements deleted, doubled, put after the next, emptied, renamed, given a bad attribute or robbed of all."""
    changes = (delete, double, reorder, empty, rename, add_attribute, lose_attributes)
    size = sum(1 for _ in tree.getroot().iter("*"))
    for at, change in list(itertools.product(range(1, size), changes))[::STEP]:
        mutant = copy.deepcopy(tree)
        change(next(itertools.islice(mutant.getroot().iter("*"), at, None)))
        yield mutant


def delete(node: etree._Element) -> None:
    node.getparent().remove(node)  # type: ignore[union-attr]


def double(node: etree._Element) -> None:
    node.addnext(copy.deepcopy(node))


def reorder(node: etree._Element) -> None:
    after = node.getnext()
    if after is not None:
        after.addnext(node)


def empty(node: etree._Element) -> None:
    for child in list(node):
        node.remove(child)
    node.text = " "


def rename(node: etree._Element) -> None:
    node.tag = f"{node.tag}X"


def add_attribute(node: etree._Element) -> None:
    node.set("languageID", "not a language")


def lose_attributes(node: etree._Element) -> None:
    node.attrib.clear()


def closed(twin: Twin, verdict: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Without what lies below extensions and signatures: there ours checks less, and says so."""
    signature = "/*/*[2]" if twin.part else "Signature"
    return [(line, path) for line, path in verdict if "ExtensionContent/" not in path and signature not in path]


@needs_reference
def test_mutants_get_the_same_verdict_at_the_same_place() -> None:
    run = refused = 0
    for twin, tree in examples():
        theirs, ours = schemas(twin)
        for mutant in mutants(tree):
            run += 1
            expected, found = verdict(theirs, mutant), verdict(ours, mutant)
            assert set(found) <= set(expected), "narrower than the published schema"
            assert closed(twin, expected) == closed(twin, found)
            refused += bool(found)
    assert run > 4_000
    assert refused > run / 2
