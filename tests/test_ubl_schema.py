"""Our UBL 2.1 against the published one: type by type, and on mutants of published examples (SWB_REFERENCE)."""

from __future__ import annotations

import copy
import itertools
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = Path(__file__).parent.parent / "xsd" / "ubl" / "2.1"
REFERENCE = Path(os.environ.get("SWB_REFERENCE", "/nonexistent"))
PUBLISHED = REFERENCE / "xsd" / "ubl-2.1" / "maindoc"
FOLDERS = ("ubl-oasis", "peppol-bis3", "peppol-pint-sg", "peppol-pint-aunz", "en16931-ubl", "peru-sunat")
DOCUMENTS = {
    "Invoice": "invoice",
    "CreditNote": "credit-note",
    "DespatchAdvice": "despatch-advice",
    "CertificateOfOrigin": "certificate-of-origin",
    "ApplicationResponse": "application-response",
}
XS = "{http://www.w3.org/2001/XMLSchema}"
CONTENT = "{urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2}ExtensionContent"
STEP = 9
"""Every ninth mutant is run; 1 runs all."""

needs_reference = pytest.mark.skipif(not PUBLISHED.is_dir(), reason="SWB_REFERENCE does not name the published schemas")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_compiles(name: str) -> None:
    assert etree.XMLSchema(file=str(OURS / f"{DOCUMENTS[name]}.xsd")) is not None


@dataclass(frozen=True)
class Model:
    """Global declarations of a schema and of all it includes and imports: kind and Clark name to the node."""

    nodes: dict[tuple[str, str], etree._Element]

    def children(self, type_name: str) -> list[tuple[str, str, str, str]]:
        """Clark name, type, minOccurs and maxOccurs of each child, in order."""
        found = []
        for node in self.nodes["complexType", type_name].iter(f"{XS}element", f"{XS}any"):
            times = (node.get("minOccurs", "1"), node.get("maxOccurs", "1"))
            if node.tag == f"{XS}any":
                found.append((f"any {node.get('namespace')} {node.get('processContents')}", "", *times))
            elif node.get("ref"):
                name = clark(node, node.get("ref"))
                declared = self.nodes["element", name]
                found.append((name, clark(declared, declared.get("type")), *times))
            else:
                target = node.getroottree().getroot().get("targetNamespace")
                found.append((f"{{{target}}}{node.get('name')}", clark(node, node.get("type")), *times))
        return found

    def value(self, type_name: str) -> tuple[str, dict[str, tuple[str, str]]] | None:
        """Base and attributes of a type with simple content, through all its bases; None for other types."""
        node = self.nodes.get(("complexType", type_name))
        derived = None if node is None else node.find(f"{XS}simpleContent/*")
        if derived is None:
            return None
        base = clark(derived, derived.get("base"))
        inherited = self.value(base) or (base, {})
        own = {
            a.get("name", ""): (clark(a, a.get("type")), a.get("use", "optional"))
            for a in derived.iter(f"{XS}attribute")
        }
        return inherited[0], inherited[1] | own


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
@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_type_agrees_with_the_published_one(name: str) -> None:
    theirs, ours = load(PUBLISHED / f"UBL-{name}-2.1.xsd"), load(OURS / f"{DOCUMENTS[name]}.xsd")
    root = f"{{urn:oasis:names:specification:ubl:schema:xsd:{name}-2}}{name}"
    left, right = (clark(m.nodes["element", root], m.nodes["element", root].get("type")) for m in (theirs, ours))
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
        assert [(n, *t) for n, _, *t in theirs.children(left)] == [(n, *t) for n, _, *t in ours.children(right)], pair
        waiting += [(a[1], b[1]) for a, b in zip(theirs.children(left), ours.children(right), strict=True) if a[1]]
    assert len(compared) > 100


@cache
def schemas(name: str) -> tuple[etree.XMLSchema, etree.XMLSchema]:
    return (
        etree.XMLSchema(file=str(PUBLISHED / f"UBL-{name}-2.1.xsd")),
        etree.XMLSchema(file=str(OURS / f"{DOCUMENTS[name]}.xsd")),
    )


def examples() -> Iterator[tuple[str, etree._ElementTree]]:
    for file in sorted(file for folder in FOLDERS for file in (REFERENCE / "samples" / folder).glob("*.xml")):
        root = etree.fromstring(file.read_bytes().lstrip())
        if etree.QName(root).localname in DOCUMENTS:
            yield etree.QName(root).localname, root.getroottree()


def verdict(schema: etree.XMLSchema, tree: etree._ElementTree) -> list[tuple[int, str]]:
    """Line and path of each error; empty when valid."""
    schema.validate(tree)
    return [(error.line, error.path or "") for error in schema.error_log]  # type: ignore[attr-defined]


@needs_reference
def test_published_examples_get_the_same_verdict() -> None:
    results = []
    for name, tree in examples():
        theirs, ours = (verdict(schema, tree) for schema in schemas(name))
        assert theirs == ours
        results.append(bool(ours))
    assert (len(results), results.count(False)) == (73, 41)


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
    for name, tree in examples():
        theirs, ours = schemas(name)
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
