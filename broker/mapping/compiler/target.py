"""The payload's schema as the mapping compiler needs it: elements in order, their types, limits and WCO ids.

Read from our own profile in ``xsd/wco`` (named complex types, one sequence of local elements each; ids in attributes
of the namespace ``urn:swb:wco-ids``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from lxml import etree

from broker.mapping.runtime.transforms import Unfit
from broker.model.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_XS = "{http://www.w3.org/2001/XMLSchema}"
_IDS = "{urn:swb:wco-ids}"


@dataclass(frozen=True, slots=True)
class Simple:
    """A simple type: its built-in base and its facets."""

    name: str
    base: str
    max_length: int | None = None
    total_digits: int | None = None
    fraction_digits: int | None = None
    patterns: tuple[str, ...] = ()
    values: frozenset[str] = frozenset()
    minimum: str | None = None
    maximum: str | None = None

    def limit(self) -> str:
        """How a report writes it: ``an..70``, ``n..16,3``."""
        if self.is_number:
            fraction = f",{self.fraction_digits}" if self.fraction_digits else ""
            return f"n..{self.total_digits}{fraction}" if self.total_digits else "n"
        return f"an..{self.max_length}" if self.max_length else "an"

    @property
    def is_number(self) -> bool:
        return self.base in {"decimal", "integer", "nonNegativeInteger", "positiveInteger"}

    def checker(self) -> Callable[[str], None]:
        """A function that raises Unfit for a text outside the facets."""
        limit, is_number, values = self.max_length, self.is_number, self.values
        matches = re.compile("|".join(f"(?:{_python_pattern(p)})" for p in self.patterns)).fullmatch

        def check(text: str) -> None:
            if limit is not None and len(text) > limit:
                raise Unfit("value.too-long", f"{len(text)} characters do not fit {self.limit()}")
            if is_number:
                self._number(text)
            if values and text not in values:
                raise Unfit("value.not-allowed", f"{text!r} is none of {', '.join(sorted(values)[:12])}")
            if self.patterns and matches(text) is None:
                raise Unfit("value.pattern", f"{text!r} does not have the form {' or '.join(self.patterns)}")

        return check

    def _number(self, text: str) -> None:
        whole, _, fraction = text.lstrip("-").partition(".")
        whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
        if not (whole + fraction).isdigit() and whole + fraction:
            raise Unfit("value.decimal", f"{text!r} is not a decimal number")
        if self.fraction_digits is not None and len(fraction) > self.fraction_digits:
            raise Unfit("value.too-precise", f"{text} has {len(fraction)} decimals; {self.limit()} is the limit")
        if self.total_digits is not None and len(whole) + len(fraction) > self.total_digits:
            raise Unfit("value.too-long", f"{text} has more digits than {self.limit()}")
        if self.minimum is not None and Decimal(text) < Decimal(self.minimum):
            raise Unfit("value.not-allowed", f"{text} is less than {self.minimum}")
        if self.maximum is not None and Decimal(text) > Decimal(self.maximum):
            raise Unfit("value.not-allowed", f"{text} is more than {self.maximum}")


def _python_pattern(pattern: str) -> str:
    r"""An XSD pattern in Python's words; our profile uses only what both share, but for ``\d`` (ASCII here)."""
    return pattern.replace(r"\d", "[0-9]")


@dataclass(frozen=True, slots=True)
class Attribute:
    name: str
    type: Simple
    required: bool


@dataclass(slots=True)
class Class:
    """A WCO class or a leaf type: children in schema order, or a simple content with attributes."""

    name: str
    class_id: str = ""
    children: dict[str, Element] = field(default_factory=dict)
    content: Simple | None = None
    attributes: dict[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a class: its place in the order, how often it may stand, its WCO id and type."""

    name: str
    namespace: str
    position: int
    minimum: int
    maximum: int | None
    wco_id: str
    type: Class

    @property
    def is_leaf(self) -> bool:
        return self.type.content is not None

    @property
    def is_date_time(self) -> bool:
        return "DateTimeString" in self.type.children

    @property
    def repeats(self) -> bool:
        return self.maximum is None or self.maximum > 1

    def child(self, name: str) -> Element | None:
        return self.type.children.get(name)

    def unit_attribute(self) -> Attribute | None:
        """The attribute that says in what the value is measured."""
        return self.type.attributes.get("unitCode") or self.type.attributes.get("currencyID")


def read_target(file: Path, root: str) -> Element:
    """The element ``root`` of the schema in ``file``, with all below it."""
    reader = _SchemaReader(file)
    for schema in reader.schemas:
        for node in schema.iterchildren(f"{_XS}element"):
            if node.get("name") == root:
                return reader.element(node, schema, 0)
    raise Misconfigured(f"{file.name}: no element {root}")


class _SchemaReader:
    def __init__(self, file: Path) -> None:
        self.schemas: list[etree._Element] = []
        self.types: dict[tuple[str, str], tuple[etree._Element, etree._Element]] = {}
        self.globals: dict[tuple[str, str], tuple[etree._Element, etree._Element]] = {}
        self.classes: dict[tuple[str, str], Class] = {}
        self._load(file, set())

    def _load(self, file: Path, seen: set[Path]) -> None:
        if file in seen:
            return
        seen.add(file)
        schema = etree.parse(file).getroot()
        self.schemas.append(schema)
        namespace = schema.get("targetNamespace", "")
        for node in schema:
            if node.tag in {f"{_XS}complexType", f"{_XS}simpleType"}:
                self.types[namespace, node.get("name", "")] = (node, schema)
            elif node.tag == f"{_XS}element":
                self.globals[namespace, node.get("name", "")] = (node, schema)
            elif node.tag in {f"{_XS}import", f"{_XS}include"} and node.get("schemaLocation"):
                self._load((file.parent / node.get("schemaLocation", "")).resolve(), seen)

    def element(self, node: etree._Element, schema: etree._Element, position: int) -> Element:
        minimum, maximum = int(node.get("minOccurs", "1")), node.get("maxOccurs", "1")
        wco_id = node.get(f"{_IDS}id", "")
        if node.get("ref"):
            node, schema = self.globals[self._name(node, node.get("ref", ""))]
        return Element(
            node.get("name", ""),
            schema.get("targetNamespace", ""),
            position,
            minimum,
            None if maximum == "unbounded" else int(maximum),
            wco_id or node.get(f"{_IDS}id", ""),
            self.cls(self._name(node, node.get("type", ""))),
        )

    def _name(self, node: etree._Element, qname: str) -> tuple[str, str]:
        prefix, _, local = qname.rpartition(":")
        return (node.nsmap.get(prefix or None) or "", local)

    def cls(self, key: tuple[str, str]) -> Class:
        if key in self.classes:
            return self.classes[key]
        if key not in self.types:  # a built-in type straight away
            return Class(key[1], content=Simple(key[1], key[1]))
        node, schema = self.types[key]
        cls = self.classes[key] = Class(key[1], node.get(f"{_IDS}class", ""))
        if node.tag == f"{_XS}simpleType":
            cls.content = self.simple(key)
            return cls
        for attribute in node.iter(f"{_XS}attribute"):
            if attribute.get("use") != "prohibited":
                name = attribute.get("name", "")
                cls.attributes[name] = Attribute(
                    name,
                    self.simple(self._name(attribute, attribute.get("type", ""))),
                    attribute.get("use") == "required",
                )
        extension = node.find(f"{_XS}simpleContent/{_XS}extension")
        if extension is not None:
            base = self._name(extension, extension.get("base", ""))
            if base in self.types and self.types[base][0].tag == f"{_XS}complexType":
                parent = self.cls(base)
                cls.content = parent.content
                cls.attributes = {**parent.attributes, **cls.attributes}
            else:
                cls.content = self.simple(base)
            return cls
        for position, child in enumerate(node.iterfind(f"{_XS}sequence/{_XS}element")):
            element = self.element(child, schema, position)
            if child.getroottree().getroot().get("elementFormDefault") != "qualified":
                raise Misconfigured(f"{key[1]}: the payload schema must have elementFormDefault qualified")
            cls.children[element.name] = element
        return cls

    def simple(self, key: tuple[str, str]) -> Simple:
        if key not in self.types:
            return Simple(key[1], key[1])
        restriction = self.types[key][0].find(f"{_XS}restriction")
        if restriction is None:
            return Simple(key[1], "string")
        base = self.simple(self._name(restriction, restriction.get("base", "")))
        facets: dict[str, list[str]] = {}
        for facet in restriction:
            facets.setdefault(etree.QName(facet).localname, []).append(facet.get("value", ""))

        def number(name: str, inherited: int | None) -> int | None:
            return int(facets[name][0]) if name in facets else inherited

        return Simple(
            key[1],
            base.base,
            number("maxLength", number("length", base.max_length)),
            number("totalDigits", base.total_digits),
            number("fractionDigits", base.fraction_digits),
            tuple(facets.get("pattern", base.patterns)),
            frozenset(facets.get("enumeration", base.values)),
            facets.get("minInclusive", [base.minimum])[0],
            facets.get("maxInclusive", [base.maximum])[0],
        )
