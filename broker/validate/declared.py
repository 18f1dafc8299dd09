"""What a schema's files declare, where libxml2 does not tell: which elements hold base64, what a type is made of."""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_XS = "{http://www.w3.org/2001/XMLSchema}"
_BLANK = str.maketrans("", "", " \t\r\n")


def is_base64(text: str) -> bool:
    """XSD part 2, 3.2.16: white space may stand anywhere, nothing else beside the alphabet and its padding.

    libxml2 takes junk between the characters (``-``, ``.``, anything beyond ASCII), so it is not asked.
    """
    try:
        binascii.a2b_base64(text.translate(_BLANK), strict_mode=True)
    except (binascii.Error, ValueError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class Declared:
    """Types by Clark name to what they are derived from, and the elements that are base64Binary."""

    bases: Mapping[str, str]
    binary: frozenset[str]

    def built_in(self, name: str) -> str:
        """The XSD type at the bottom of a type: ``decimal``."""
        while name in self.bases:
            name = self.bases[name]
        return name.removeprefix(_XS)


def declared(file: Path) -> Declared:
    """Reads a schema with all it imports and includes."""
    schemas = closure(file)
    bases = {
        _clark(schema, node.get("name", "")): _base(node)
        for schema in schemas
        for node in schema.iterchildren(f"{_XS}simpleType", f"{_XS}complexType")
    }
    types = Declared(bases, frozenset())
    binary = set()
    for schema in schemas:
        qualified = schema.get("elementFormDefault") == "qualified"
        for node in schema.iter(f"{_XS}element"):
            kind = _resolved(node, node.get("type")) if node.get("type") else _base(node)
            if types.built_in(kind) == "base64Binary":
                name = node.get("name", "")
                binary.add(_clark(schema, name) if qualified or node.getparent() is schema else name)
    return Declared(bases, frozenset(binary))


def closure(file: Path) -> list[etree._Element]:
    """The root of a schema and of every schema that it imports or includes."""
    return _closure(file, {})


def _closure(file: Path, seen: dict[Path, etree._Element]) -> list[etree._Element]:
    file = file.resolve()
    if file not in seen:
        seen[file] = schema = etree.parse(file).getroot()
        for node in schema.iterchildren(f"{_XS}import", f"{_XS}include"):
            location = node.get("schemaLocation")
            if location:
                _closure(file.parent / location, seen)
    return list(seen.values())


def _base(node: etree._Element) -> str:
    derivation = next(node.iter(f"{_XS}extension", f"{_XS}restriction"), None)
    return "" if derivation is None else _resolved(derivation, derivation.get("base"))


def _resolved(node: etree._Element, qname: str | None) -> str:
    prefix, _, local = (qname or "").rpartition(":")
    namespace = node.nsmap.get(prefix or None)
    return f"{{{namespace}}}{local}" if namespace else local


def _clark(schema: etree._Element, name: str) -> str:
    namespace = schema.get("targetNamespace")
    return f"{{{namespace}}}{name}" if namespace else name
