"""An XSD that judges: libxml2 on the hot path, with guards for its faults, and every fault at its node."""

from __future__ import annotations

import re
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from lxml import etree

from broker.model.errors import Misconfigured
from broker.model.schemas import SchemaFault, SchemaVerdict, Tolerated
from broker.registry.rules import rules_of
from broker.toml_table import Table
from broker.validate.declared import Declared, declared, is_base64
from broker.validate.enumerations import with_patterns
from broker.validate.libxml_messages import (
    LEXICAL,
    STRUCTURE,
    LibxmlMessage,
    attribute_named,
    listed,
    message_of,
    prefixed,
)
from broker.validate.missing_child import MissingChild, MissingChildFinder
from broker.validate.rules import places
from broker.validate.working_copy import BLANK, WorkingCopy

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


class Schema:
    """The schema in a file below ``xsd/``; compiled on first use, once per thread (a shared one mixes up its log).

    Rules beside it, ``<name>.rules.toml``, belong to it.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._local = threading.local()
        self._finder = MissingChildFinder(file)

    def warm(self) -> None:
        """Compiles now what would be compiled with the first document."""
        _ = self._xsd, self._with_patterns, self._declared, self.rules

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
        as_written, quick = self._xsd, self._with_patterns
        if quick.validate(root) or (quick is not as_written and as_written.validate(root)):
            return SchemaVerdict(self._bad_base64(root))
        errors = _entries(as_written)
        tolerated = tuple(_tolerated(root, tolerates, tuple(sorted((namespaces or {}).items()))))
        left_out = [one.node for one in tolerated if one.tolerance.ignore and one.attribute is None]
        if left_out and len(left_out) == len(tolerated) and self._holds_without(root, left_out):
            return SchemaVerdict(self._bad_base64(root), tolerated)
        copy = WorkingCopy(root)
        for one in tolerated:
            (copy.leave_out if one.tolerance.ignore else copy.trim)(one.node, one.attribute)
        if tolerated:
            errors = self._errors(copy.root)
        while padded := _padded(copy.root, errors):
            for node, attribute in padded:
                copy.trim(copy.original(node), attribute)
            errors = self._errors(copy.root)
        faults = self._faults(copy, errors)
        known = {(fault.node, fault.code) for fault in faults}
        more = [fault for fault in self._bad_base64(root) if (fault.node, fault.code) not in known]
        return SchemaVerdict((*faults, *more), tolerated)

    def _holds_without(self, root: etree._Element, elements: list[etree._Element]) -> bool:
        """Whether the schema has nothing to say but of these elements; each is put back where it was."""
        places = [(node.getparent(), node) for node in elements]
        if any(parent is None or len(set(node.nsmap.values())) < len(node.nsmap) for parent, node in places):
            return False  # with two prefixes of one namespace lxml might take the other when it puts a node back
        taken = []
        for parent, node in places:
            assert parent is not None  # noqa: S101 - asked above
            taken.append((parent, parent.index(node), node))
            parent.remove(node)
        try:
            return self._xsd.validate(root)
        finally:
            for parent, at, node in reversed(taken):
                parent.insert(at, node)

    def _errors(self, root: etree._Element) -> list[Any]:
        return [] if self._xsd.validate(root) else _entries(self._xsd)

    def _faults(self, copy: WorkingCopy, errors: list[Any]) -> tuple[SchemaFault, ...]:
        """All faults: libxml2 skips what follows a wrong child, so the copy is repaired there and judged again."""
        found: dict[tuple[object, ...], SchemaFault] = {}
        first = errors[:1]
        for _ in range(MAX_ROUNDS):
            missing = self._finder.about(copy.root) if any(e.type_name == STRUCTURE for e in errors) else {}
            again = False
            for entry, node, attribute in list(_located(copy.root, errors)):
                message = message_of(entry.type_name, entry.message, _value(node, attribute), self._declared.built_in)
                if message is None or not copy.knows(node):
                    continue
                fault = _fault(copy, node, attribute, message, missing)
                if not (fault.missing and copy.has_lost(*fault.missing)):
                    _add(found, fault)
                again = _repair(copy, node, fault) or again
            if not again:
                break
            errors = self._errors(copy.root)
        # Whatever libxml2 refused stays refused, even if none of its words is known.
        unknown = (SchemaFault(copy.original(copy.root), "schema.value", error.message) for error in first)
        return tuple(found.values()) or tuple(unknown)

    def _bad_base64(self, root: etree._Element) -> tuple[SchemaFault, ...]:
        binary = self._declared.binary
        if not binary:
            return ()
        return tuple(
            SchemaFault(node, "schema.type", f"{prefixed(node, node.tag)} is not base64.")
            for node in root.iter(*self._binary_names)
            if node.tag in binary and not is_base64(node.text or "")
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

    @property
    def _with_patterns(self) -> etree.XMLSchema:
        """The schema with patterns for its long lists, which is quicker to ask; the schema itself where it has none."""
        compiled: etree.XMLSchema | None = getattr(self._local, "with_patterns", None)
        if compiled is None:
            compiled = self._local.with_patterns = with_patterns(self.file) or self._xsd
        return compiled

    @cached_property
    def _binary_names(self) -> tuple[str, ...]:
        """What to look for: the elements that hold base64, or a whole namespace where it declares many of them."""
        by_namespace: dict[str, list[str]] = {}
        for name in sorted(self._declared.binary):
            by_namespace.setdefault(name.rpartition("}")[0], []).append(name)
        found = [[f"{space}}}*"] if space and len(names) > 2 else names for space, names in by_namespace.items()]
        return tuple(name for names in found for name in names)

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


def _add(found: dict[tuple[object, ...], SchemaFault], fault: SchemaFault) -> None:
    """Adds a fault; of several of one value the plainest is kept."""
    key = (fault.node, fault.attribute, fault.missing or fault.code not in _RANK or "value")
    if key not in found or _RANK.get(fault.code, 9) < _RANK.get(found[key].code, 9):
        found[key] = fault


def _repair(copy: WorkingCopy, node: etree._Element, fault: SchemaFault) -> bool:
    """Alters the twin so that what follows a wrong child is judged too; whether there was anything to do."""
    if fault.missing:
        parent, name = fault.missing
        return copy.fill(parent, name, None if fault.node is parent else fault.node)
    if fault.code == "schema.unexpected" and fault.attribute is None and fault.is_child:
        copy.misplace(copy.original(node))
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
    copy: WorkingCopy,
    node: etree._Element,
    attribute: str | None,
    message: LibxmlMessage,
    missing: Mapping[etree._Element, MissingChild],
) -> SchemaFault:
    original = copy.original(node)
    name = prefixed(node, node.tag)
    if message.says.endswith("."):
        subject = f"{prefixed(node, attribute)} of {name}" if attribute else name
        return SchemaFault(original, message.code, f"{subject} {message.says}", attribute)
    parent = node if message.code == "schema.missing" else node.getparent()
    missing_child = missing.get(node if parent is None else parent)
    expected = (missing_child.expected,) if missing_child is not None and missing_child.expected else message.expected
    is_stranger = missing_child is not None and node is not parent and node.tag not in missing_child.known
    if parent is not None and len(expected) == 1 and not is_stranger and not _follows(parent, node, expected[0]):
        child = prefixed(parent, expected[0])
        sentence = f"{child} is missing in {prefixed(parent, parent.tag)}"
        if node is not parent:
            sentence += f"; it must stand before {name}"
        return SchemaFault(original, "schema.missing", f"{sentence}.", None, (copy.original(parent), expected[0]))
    options = listed([prefixed(node, e) for e in message.expected])
    sentence = f"{name} {message.says}" + (f"; expected: {options}." if options else ".")
    return SchemaFault(original, message.code, sentence, is_child=node is not parent)


def _follows(parent: etree._Element, node: etree._Element, name: str) -> bool:
    """Whether the child that should stand at ``node`` comes later: then ``node`` is the one out of place."""
    return node is not parent and next(node.itersiblings(name), None) is not None
