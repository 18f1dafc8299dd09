"""Paths and tests on a payload, written without prefixes: XPath 1.0, the same in routing rules and profiles."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lxml import etree

from broker.content.xml import index, numbered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Functions = Mapping[tuple[None, str], Callable[..., Any]]

NAMESPACES = {
    "d": "urn:wco:datamodel:WCO:DEC-DMS:2",
    "ds": "urn:wco:datamodel:WCO:Declaration_DS:DMS:2",
}
_DATE_TIME = "DateTimeString"
_OPERATORS = frozenset({"and", "or", "div", "mod"})
_TOKEN = re.compile(r"""'[^']*'|"[^"]*"|[@$]?[A-Za-z_][\w.-]*(?:::|\s*\()?|[^'"A-Za-z_@$]+|[@$]""")
_NAME = re.compile(r"[A-Za-z_][\w.-]*")


def compile_xpath(expression: str, functions: Functions | None = None) -> etree.XPath:
    """The expression ready to be called on a Declaration or a node below it; raises XPathSyntaxError."""
    return etree.XPath(_with_prefixes(expression), namespaces=NAMESPACES, extensions=functions or None)


@lru_cache(maxsize=4096)
def path(expression: str) -> etree.XPath:
    """A path compiled once for the whole process."""
    return compile_xpath(expression)


def _with_prefixes(expression: str) -> str:
    """``Exporter/ID = 'x'`` as ``d:Exporter/d:ID = 'x'``: the two namespaces of a payload are not the author's care."""
    out: list[str] = []
    for token in _TOKEN.findall(expression):
        before = "".join(out).rstrip()
        is_operator = token in _OPERATORS and bool(before) and before[-1] not in "/[(,=<>|+-*@:"
        if _NAME.fullmatch(token) and not is_operator:
            out.append(f"{'ds' if token == _DATE_TIME else 'd'}:{token}")
        else:
            out.append(token)
    return "".join(out)


def values(root: etree._Element, expression: str) -> tuple[str, ...]:
    """The texts found at a path, blanks around them removed."""
    found = path(expression)(root)
    if not isinstance(found, list):
        return (str(found),)
    return tuple(item.strip() if isinstance(item, str) else _text(item) for item in found)


def elements(node: etree._Element, expression: str | etree.XPath) -> list[etree._Element]:
    """The elements found at a path."""
    found = (path(expression) if isinstance(expression, str) else expression)(node)
    nodes = found if isinstance(found, list) else []
    return [node for node in nodes if etree.iselement(node)]


def _text(item: object) -> str:
    return (item.text or "").strip() if etree.iselement(item) else ""


def written(element: etree._Element) -> str:
    """Where an element stands in its payload: ``/MetaData/Declaration/GoodsShipment/Exporter/ID``.

    ``[n]`` only where siblings share the name.
    """
    steps: list[str] = []
    node: etree._Element | None = element
    while node is not None:
        steps.append(f"/{etree.QName(node).localname}{index(node)}")
        node = node.getparent()
    return "".join(reversed(steps))


def paths(root: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    """Every element of a payload with its path, in document order and in one walk."""
    pending = [(root, written(root))]
    while pending:
        element, at = pending.pop()
        yield element, at
        below = [(child, f"{at}/{str(child.tag).rpartition('}')[2]}{number}") for child, number in numbered(element)]
        pending += reversed(below)
