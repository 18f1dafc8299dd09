"""A source schema as the author of a mapping sees it: which elements and attributes a path may name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xmlschema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from broker.mapping.compiler.source_tree import SourceNode
    from broker.mapping.language.paths import Path as RowPath
    from broker.mapping.language.paths import Predicate, Step

Elements = frozenset[Any]
"""Declarations (xmlschema's) that a path may have reached."""
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


class Profile:
    """The schema in a file, asked about paths."""

    def __init__(self, file: Path) -> None:
        self._schema = xmlschema.XMLSchema(file, validation="skip")

    def root(self, name: str) -> Elements:
        """The declaration of a root element; empty when there is none."""
        found = self._schema.maps.elements.get(name)
        return frozenset((found,)) if found is not None else frozenset()

    def follow(self, start: Elements, path: RowPath) -> tuple[Elements, list[str]]:
        """The declarations at the end of a path, and each of its names that the schema does not know there."""
        here, unknown = start, []
        for step in path.steps:
            here, missing = self._step(here, step)
            unknown += missing
        if path.attribute and here and not _has_attribute(here, path.attribute):
            unknown.append(f"@{_local(path.attribute)}")
        return here, unknown

    def unmentioned(self, root: str, node: SourceNode) -> Iterator[str]:
        """The paths of elements that the schema knows, below what rows name, and no row or drop mentions."""
        yield from _unmentioned(self.root(root), node, "")

    def _step(self, here: Elements, step: Step) -> tuple[Elements, list[str]]:
        found: set[Any] = set()
        unknown = []
        for name in step.names:
            named = {child for element in here for child in _children(element) if _is(child, name)}
            if here and not named:
                unknown.append(_local(name))
            found |= named
        after = frozenset(found)
        for predicate in step.predicates:
            unknown += _predicate(after, predicate)
        return after, unknown


def _predicate(here: Elements, predicate: Predicate) -> list[str]:
    for name in predicate.steps:
        after = frozenset(child for element in here for child in _children(element) if _is(child, name))
        if here and not after:
            return [_local(name)]
        here = after
    if predicate.attribute and here and not _has_attribute(here, predicate.attribute):
        return [f"@{_local(predicate.attribute)}"]
    return []


def _children(element: Any) -> Iterator[Any]:  # noqa: ANN401 - xmlschema's, or a wildcard's
    content: Any = getattr(getattr(element, "type", None), "content", None)
    if hasattr(content, "iter_elements"):
        yield from content.iter_elements()
    elif content is None:
        yield element  # below a wildcard: anything


def _is(declared: Any, name: str) -> bool:  # noqa: ANN401 - as above
    return declared.name is None or declared.name == name


def _has_attribute(here: Elements, name: str) -> bool:
    """Whether an element may have it; ``xsi:`` ones may stand anywhere."""
    if name.startswith(_XSI):
        return True
    return any(
        not hasattr(element, "attributes") or name in element.attributes or None in element.attributes
        for element in here
    )


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _unmentioned(here: Elements, node: SourceNode, path: str) -> Iterator[str]:
    if node.drop is not None:
        return
    known = {str(child.name): child for element in here for child in _children(element) if child.name}
    for name, child in sorted(known.items()):
        below = node.children.get(name)
        if below is None:
            yield f"{path}/{_local(name)}"
        elif below.children:
            yield from _unmentioned(frozenset((child,)), below, f"{path}/{_local(name)}")
