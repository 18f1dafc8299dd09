"""Reasons of drops that say "no class in the payload", held against what the payload has places for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from broker.toml_table import Table
from broker.workbench.schema_tree import ANY, local

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from broker.mapping.compiler.source_tree import SourceNode
    from broker.mapping.compiler.target import Element
    from broker.workbench.schema_tree import SchemaNode

FILE = "payload-places.toml"
CLAIM = re.compile(r"\bno (class|element|place)\b", re.IGNORECASE)
"""How a reason says that the payload cannot hold something."""


@dataclass(frozen=True, slots=True)
class PayloadPlace:
    """A thing, what sources call it, and where the payload has it."""

    concept: str
    names: re.Pattern[str]
    at: tuple[str, ...]


def read_places(file: Path) -> tuple[PayloadPlace, ...]:
    """The table of a folder ``mappings``; nothing where it has none. Raises Misconfigured."""
    if not file.is_file():
        return ()
    table = Table.read(file)
    found = []
    for entry in table.tables("places"):
        found.append(PayloadPlace(entry.text("concept"), re.compile(entry.text("names")), entry.texts("at")))
        entry.end()
    table.end()
    return tuple(found)


def missing_places(places: tuple[PayloadPlace, ...], declaration: Element) -> Iterator[str]:
    """Places of the table that the payload's schema does not have."""
    for place in places:
        for path in place.at:
            element: Element | None = declaration
            for name in path.split("/"):
                element = element.child(name) if element is not None else None
            if element is None:
                yield f"{place.concept}: the payload has no {path}"


def untrue_reasons(
    nodes: tuple[SchemaNode, ...], source: SourceNode, places: tuple[PayloadPlace, ...]
) -> Iterator[tuple[str, str]]:
    """Each drop whose reason is untrue, and why: it leaves out what the payload has a place for, and no row reads."""
    drop = source.drop
    if drop is not None and CLAIM.search(drop.why):
        for node in nodes:
            named = [child for child in node.children if child.name != ANY and not _is_read(source, child.name)]
            for one in (*([] if _reads(source) else [node]), *named):
                for place in places:
                    if place.names.fullmatch(local(one.name)):
                        text = (
                            f"{local(one.name)} has a place in the payload ({place.concept}: {' or '.join(place.at)})"
                        )
                        yield drop.text, f"{drop.why!r} is untrue: {text}"
    for name, child in source.children.items():
        below = tuple(found for node in nodes for found in node.named(name))
        if below:
            yield from untrue_reasons(below, child, places)


def _is_read(source: SourceNode, name: str) -> bool:
    """Whether a row, a condition or a more exact drop names a child."""
    child = source.children.get(name)
    return child is not None and (_reads(child) or child.drop is not None)


def _reads(node: SourceNode) -> bool:
    return bool(node.reads_text or node.captures or node.children)
