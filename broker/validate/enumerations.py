"""The same schema, cheaper to ask: a long enumeration becomes a pattern that decides letter by letter.

libxml2 compares a value with every code of a list, one after the other. The verdict of the pattern is the same; the
words of a fault are made by the schema as it is written, which is asked only where this one refuses.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lxml import etree

from broker.validate.declared import closure

if TYPE_CHECKING:
    from collections.abc import Iterable

_XS = "{http://www.w3.org/2001/XMLSchema}"
_SHORT = 8
"""Up to so many codes cost as much either way."""
_SPECIAL = re.compile(r"([\\.?*+(){}\[\]|^-])")
"""What has a meaning in a pattern (XML Schema Part 2, appendix F)."""


def with_patterns(file: Path) -> etree.XMLSchema | None:
    """The schema of a file and of all it imports, with patterns for long lists; None where no list is long.

    Raises XMLSchemaParseError as lxml does for the schema as it is written.
    """
    if not any(_long_lists(schema) for schema in closure(file)):
        return None
    parser = etree.XMLParser()
    parser.resolvers.add(_Rewritten())
    return etree.XMLSchema(etree.fromstring(rewritten(file.read_bytes()), parser, base_url=str(file)))


class _Rewritten(etree.Resolver):
    def resolve(self, system_url: str, public_id: str, context: Any) -> Any:  # type: ignore[override]  # noqa: ANN401, ARG002 - as lxml calls it
        file = Path(system_url.removeprefix("file://"))
        return self.resolve_string(rewritten(file.read_bytes()), context, base_url=str(file))


def rewritten(schema: bytes) -> bytes:
    """The schema with a pattern in the place of each long list of tokens."""
    root = etree.fromstring(schema)
    for restriction, codes in _long_lists(root):
        for code in codes:
            restriction.remove(code)
        etree.SubElement(restriction, f"{_XS}pattern", value=pattern(code.get("value", "") for code in codes))
    return etree.tostring(root)


def _long_lists(schema: etree._Element) -> list[tuple[etree._Element, list[etree._Element]]]:
    tokens = (node for node in schema.iter(f"{_XS}restriction") if node.get("base") == "xs:token")
    lists = ((node, node.findall(f"{_XS}enumeration")) for node in tokens)
    return [(node, codes) for node, codes in lists if len(codes) > _SHORT]


def pattern(codes: Iterable[str]) -> str:
    """An XSD pattern that matches these codes and nothing else: ``A[DE]|BR`` for AD, AE and BR."""
    tree: dict[str, Any] = {}
    for code in codes:
        node = tree
        for letter in code:
            node = node.setdefault(letter, {})
        node[""] = {}
    return _written(tree)


def _written(node: dict[str, Any]) -> str:
    below = {_SPECIAL.sub(r"\\\1", letter): _written(child) for letter, child in sorted(node.items()) if letter}
    last = [letter for letter, rest in below.items() if not rest]
    parts = [f"[{''.join(last)}]" if len(last) > 1 else last[0]] if last else []
    parts += [letter + rest for letter, rest in below.items() if rest]
    if not parts:
        return ""
    text = "|".join(parts)
    if "" in node:
        return f"({text})?"
    return f"({text})" if len(parts) > 1 else text
