"""Our UBL 2.1 and CII D16B against the published ones: type by type, and on mutants of documents (SWB_REFERENCE)."""

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

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.proof

XSD = Path(__file__).parent.parent / "xsd"
REFERENCE = Path(os.environ.get("SWB_REFERENCE", "/nonexistent"))
XS = "{http://www.w3.org/2001/XMLSchema}"
UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
CII = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
FOLDERS = ("ubl-oasis", "peppol-bis3", "peppol-pint-sg", "peppol-pint-aunz", "en16931-ubl", "peru-sunat", "en16931-cii")
STEP = 9
"""Every ninth mutant is run; 1 runs all."""


class Twin(NamedTuple):
    """A document, our schema of it and the published one."""

    root: str
    ours: Path
    published: Path


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
}
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
        inner = node.find(f"{XS}complexType")
        if inner is None:
            return clark(node, node.get("type"))
        self.nodes["complexType", f"{name}/type"] = inner
        return f"{name}/type"

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
        facets = tuple(f"{etree.QName(facet).localname}={facet.get('value')}" for facet in restriction)
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
            a.get("name", ""): (self.simple(clark(a, a.get("type"))), a.get("use", "optional"))
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
    left, right = (m.type_of(m.nodes["element", twin.root], twin.root) for m in (theirs, ours))
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


@cache
def schemas(twin: Twin) -> tuple[etree.XMLSchema, etree.XMLSchema]:
    return etree.XMLSchema(file=str(twin.published)), etree.XMLSchema(file=str(twin.ours))


def examples() -> Iterator[tuple[Twin, etree._ElementTree]]:
    by_root = {twin.root: twin for twin in TWINS.values()}
    for file in sorted(file for folder in FOLDERS for file in (REFERENCE / "samples" / folder).glob("*.xml")):
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
    assert (len(results), results.count(False)) == (80, 48)


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


@needs_reference
def test_mutants_get_the_same_verdict_at_the_same_place() -> None:
    run = refused = 0
    for twin, tree in examples():
        theirs, ours = schemas(twin)
        for mutant in mutants(tree):
            run += 1
            expected, found = verdict(theirs, mutant), verdict(ours, mutant)
            assert set(found) <= set(expected), "narrower than the published schema"
            assert [e for e in expected if "ExtensionContent/" not in e[1]] == [
                e for e in found if "ExtensionContent/" not in e[1]
            ]
            refused += bool(found)
    assert run > 8_000
    assert refused > run / 2
