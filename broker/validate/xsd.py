"""An XSD that judges: libxml2 on the hot path, with guards for its faults, and every fault at its node."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from lxml import etree

from broker.model.errors import Misconfigured
from broker.toml_table import Table
from broker.validate.declared import Declared, declared, is_base64
from broker.validate.libxml_messages import LEXICAL, STRUCTURE, Words, attribute_named, listed, prefixed, words
from broker.validate.missing_child import Opinion, SecondOpinion
from broker.validate.rules import places, rules_of
from broker.validate.working_copy import BLANK, Twin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from broker.model.documents import Rule, Tolerance

MAX_FAULTS = 500
"""As many errors are read at a time; who sends more has another document in mind."""
MAX_ROUNDS = 5
"""How often a refused document is repaired and judged again to find what lies behind a wrong child."""
_STEP = re.compile(r"([^\[/]+)(?:\[(\d+)\])?")
_RANK = {"schema.length": 0, "schema.value": 1, "schema.type": 2}
"""Which of several faults of one value is told."""


@dataclass(frozen=True, slots=True)
class SchemaFault:
    """One thing the schema does not allow, at an element of the document, its attribute, or its absent child."""

    node: etree._Element
    """The element at whose line it is."""
    code: str
    sentence: str
    attribute: str | None = None
    missing: tuple[etree._Element, str] | None = None
    """The parent that lacks a child, and the child's Clark name."""
    is_child: bool = False
    """The element itself may not stand where it does."""


@dataclass(frozen=True, slots=True)
class Tolerated:
    """A quirk that was met and taken."""

    tolerance: Tolerance
    node: etree._Element
    attribute: str | None


@dataclass(frozen=True, slots=True)
class SchemaVerdict:
    faults: tuple[SchemaFault, ...] = ()
    tolerated: tuple[Tolerated, ...] = ()


class Schema:
    """The schema in a file below ``xsd/``; compiled on first use, once per thread (a shared one mixes up its log).

    Rules beside it, ``<name>.rules.toml``, belong to it.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._local = threading.local()
        self._second = SecondOpinion(file)

    def warm(self) -> None:
        """Compiles now what would be compiled with the first document."""
        _ = self._xsd, self._declared, self.rules

    @property
    def rules(self) -> tuple[Rule, ...]:
        return self._rules[0]

    @property
    def namespaces(self) -> Mapping[str, str]:
        """The prefixes of its rules."""
        return self._rules[1]

    def judge(
        self, root: etree._Element, tolerates: Iterable[Tolerance] = (), namespaces: Mapping[str, str] | None = None
    ) -> SchemaVerdict:
        """All faults of a document, without the quirks that are tolerated; their XPaths use ``namespaces``."""
        if self._xsd.validate(root):
            return SchemaVerdict(self._bad_base64(root))
        errors = _entries(self._xsd)
        twin = Twin(root)
        tolerated = tuple(_tolerated(root, tolerates, tuple(sorted((namespaces or {}).items()))))
        for one in tolerated:
            (twin.leave_out if one.tolerance.ignore else twin.trim)(one.node, one.attribute)
        if tolerated:
            errors = self._errors(twin.root)
        while padded := _padded(twin.root, errors):
            for node, attribute in padded:
                twin.trim(twin.original(node), attribute)
            errors = self._errors(twin.root)
        faults = self._faults(twin, errors)
        known = {(fault.node, fault.code) for fault in faults}
        more = [fault for fault in self._bad_base64(root) if (fault.node, fault.code) not in known]
        return SchemaVerdict((*faults, *more), tolerated)

    def _errors(self, root: etree._Element) -> list[Any]:
        return [] if self._xsd.validate(root) else _entries(self._xsd)

    def _faults(self, twin: Twin, errors: list[Any]) -> tuple[SchemaFault, ...]:
        """All faults: libxml2 skips what follows a wrong child, so the twin is repaired there and judged again."""
        told: dict[tuple[object, ...], SchemaFault] = {}
        first = errors[:1]
        for _ in range(MAX_ROUNDS):
            opinions = self._second.about(twin.root) if any(e.type_name == STRUCTURE for e in errors) else {}
            again = False
            for entry, node, attribute in list(_located(twin.root, errors)):
                said = words(entry.type_name, entry.message, _value(node, attribute), self._declared.built_in)
                if said is None or not twin.knows(node):
                    continue
                fault = _fault(twin, node, attribute, said, opinions)
                if not (fault.missing and twin.has_lost(*fault.missing)):
                    _tell(told, fault)
                again = _repair(twin, node, fault) or again
            if not again:
                break
            errors = self._errors(twin.root)
        # Whatever libxml2 refused stays refused, even if none of its words is known.
        unknown = (SchemaFault(twin.original(twin.root), "schema.value", error.message) for error in first)
        return tuple(told.values()) or tuple(unknown)

    def _bad_base64(self, root: etree._Element) -> tuple[SchemaFault, ...]:
        if not self._declared.binary:
            return ()
        return tuple(
            SchemaFault(node, "schema.type", f"{prefixed(node, node.tag)} is not base64.")
            for node in root.iter(*self._declared.binary)
            if not is_base64(node.text or "")
        )

    @property
    def _xsd(self) -> etree.XMLSchema:
        compiled: etree.XMLSchema | None = getattr(self._local, "xsd", None)
        if compiled is None:
            try:
                compiled = self._local.xsd = etree.XMLSchema(etree.parse(self.file))
            except (OSError, etree.LxmlError) as error:
                raise Misconfigured(f"{self.file}: not a schema: {error}") from error
        return compiled

    @cached_property
    def _declared(self) -> Declared:
        return declared(self.file)

    @cached_property
    def _rules(self) -> tuple[tuple[Rule, ...], Mapping[str, str]]:
        file = self.file.with_suffix(".rules.toml")
        if not file.exists():
            return (), {}
        table = Table.read(file)
        return rules_of(table), table.names("namespaces")


def _entries(xsd: etree.XMLSchema) -> list[Any]:
    return list(cast("Iterable[Any]", xsd.error_log))


def _padded(root: etree._Element, errors: Iterable[Any]) -> list[tuple[etree._Element, str | None]]:
    """Where libxml2 alone is at fault: it refuses dates and times with white space around them, which XSD allows."""
    return [
        (node, attribute)
        for entry, node, attribute in _located(root, errors)
        if entry.type_name == LEXICAL and _is_blank_around(_value(node, attribute))
    ]


def _tell(told: dict[tuple[object, ...], SchemaFault], fault: SchemaFault) -> None:
    """Adds a fault; of several of one value the plainest is kept."""
    key = (fault.node, fault.attribute, fault.missing or fault.code not in _RANK or "value")
    if key not in told or _RANK.get(fault.code, 9) < _RANK.get(told[key].code, 9):
        told[key] = fault


def _repair(twin: Twin, node: etree._Element, fault: SchemaFault) -> bool:
    """Alters the twin so that what follows a wrong child is judged too; whether there was anything to do."""
    if fault.missing:
        parent, name = fault.missing
        return twin.fill(parent, name, None if fault.node is parent else fault.node)
    if fault.code == "schema.unexpected" and fault.attribute is None and fault.is_child:
        twin.misplace(twin.original(node))
        return True
    return False


def _tolerated(
    root: etree._Element, tolerates: Iterable[Tolerance], prefixes: tuple[tuple[str, str], ...]
) -> Iterator[Tolerated]:
    for tolerance in tolerates:
        for node, attribute in places(root, tolerance.ignore or tolerance.trim, prefixes, tolerance.id):
            if tolerance.ignore or _is_blank_around(_value(node, attribute)):
                yield Tolerated(tolerance, node, attribute)


def _located(root: etree._Element, errors: Iterable[Any]) -> Iterator[tuple[Any, etree._Element, str | None]]:
    """Each error with its element and attribute, found by libxml2's path from ``root``."""
    children: dict[tuple[etree._Element, str], list[etree._Element]] = {}
    for entry, _ in zip(errors, range(MAX_FAULTS), strict=False):
        node = root
        for name, at in _STEP.findall(entry.path or "")[1:]:
            if (node, name) not in children:
                children[node, name] = _named(node, name)
            same = children[node, name]
            if int(at or 1) > len(same):
                break
            node = same[int(at or 1) - 1]
        yield entry, node, _attribute(node, attribute_named(entry.message))


def _named(parent: etree._Element, name: str) -> list[etree._Element]:
    """The children a step of libxml2's path counts: all for ``*``, else those of one prefix and name."""
    elements = list(parent.iterchildren(etree.Element))
    if name == "*":
        return elements
    return [e for e in elements if (f"{e.prefix}:" if e.prefix else "") + etree.QName(e).localname == name]


def _attribute(node: etree._Element, name: str | None) -> str | None:
    """libxml2 drops the namespace of some attributes it names; the document has it."""
    if name is None or name in node.attrib:
        return name
    return next((str(known) for known in node.attrib if etree.QName(known).localname == name), name)


def _value(node: etree._Element, attribute: str | None) -> str:
    return (node.get(attribute) if attribute else node.text) or ""


def _is_blank_around(text: str) -> bool:
    return bool(text.strip(BLANK)) and text != text.strip(BLANK)


def _fault(
    twin: Twin, node: etree._Element, attribute: str | None, said: Words, opinions: Mapping[etree._Element, Opinion]
) -> SchemaFault:
    original = twin.original(node)
    name = prefixed(node, node.tag)
    if said.says.endswith("."):
        subject = f"{prefixed(node, attribute)} of {name}" if attribute else name
        return SchemaFault(original, said.code, f"{subject} {said.says}", attribute)
    parent = node if said.code == "schema.missing" else node.getparent()
    opinion = opinions.get(node if parent is None else parent)
    expected = (opinion.expected,) if opinion is not None and opinion.expected else said.expected
    is_stranger = opinion is not None and node is not parent and node.tag not in opinion.known
    if parent is not None and len(expected) == 1 and not is_stranger and not _follows(parent, node, expected[0]):
        child = prefixed(parent, expected[0])
        sentence = f"{child} is missing in {prefixed(parent, parent.tag)}"
        if node is not parent:
            sentence += f"; it must stand before {name}"
        return SchemaFault(original, "schema.missing", f"{sentence}.", None, (twin.original(parent), expected[0]))
    options = listed([prefixed(node, e) for e in said.expected])
    sentence = f"{name} {said.says}" + (f"; expected: {options}." if options else ".")
    return SchemaFault(original, said.code, sentence, is_child=node is not parent)


def _follows(parent: etree._Element, node: etree._Element, name: str) -> bool:
    """Whether the child that should stand at ``node`` comes later: then ``node`` is the one out of place."""
    return node is not parent and next(node.itersiblings(name), None) is not None
