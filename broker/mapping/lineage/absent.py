"""Where in the sender's document a value would have to stand that the payload lacks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

from broker.content.json_tree import is_json, json_pointer
from broker.content.xml import pointer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from broker.mapping.language.rows import Group, Row
    from broker.model.conditions import Step

_FROM = frozenset({0, -1})
"""Paths from the scope itself, or from the document's root."""
_LABEL = re.compile(r"\[[^\]]*\]|#\d+$")
MEANT = re.compile(r"\[(?P<name>[A-Za-z]+)\s*=\s*'(?P<value>[^']*)'\]")


def expected(
    body: Group, target: str, instances: Mapping[str, etree._Element], root: etree._Element
) -> tuple[etree._Element, str, str] | None:
    """The nearest element that exists, the path of what is missing in the document's own prefixes, and its label.

    ``target`` is the plain path below the Declaration; a step may say which of several it means by the constant of a
    child (``AdditionalInformation[StatementCode='SEAL']``). ``instances`` are the source elements of the group
    instances around it by their plain paths. Of several places that a row reads or joins the first is meant. None when
    no row fills the target.
    """
    meant = MEANT.search(target)
    for row, groups, group in _rows(body, MEANT.sub("", target), "", ()):
        if meant is None or _is_meant(row, group, meant["name"], meant["value"]):
            return _place(row, groups, instances, root)
    return None


def _place(
    row: Row, groups: tuple[tuple[str, Group], ...], instances: Mapping[str, etree._Element], root: etree._Element
) -> tuple[etree._Element, str, str] | None:
    source = row.sources[0]
    paths = [*(group.each for _, group in groups), source]
    if any(path.up not in _FROM for path in paths):
        return None
    at, steps = (root, ()) if source.up else _start(groups, instances, root)
    element, place = absent_place(at, (*steps, *source.steps), source.attribute, root)
    return element, place, row.label or place.rpartition("/")[2]


def absent_place(
    at: etree._Element, steps: tuple[Step, ...], attribute: str, root: etree._Element
) -> tuple[etree._Element, str]:
    """The nearest element that exists on a way down, and the path of the place at its end."""
    element, missing = _walk(at, steps)
    path = json_pointer(element) if is_json(root) else pointer(element)
    last = f"/@{etree.QName(attribute).localname}" if attribute else ""
    return element, path + "".join(f"/{_written(step, root)}" for step in missing) + last


def _rows(
    group: Group, target: str, prefix: str, outer: tuple[tuple[str, Group], ...]
) -> Iterator[tuple[Row, tuple[tuple[str, Group], ...], Group]]:
    """Every row that fills the target, the groups around it with the plain paths of their instances, and its own."""
    for row in group.rows:
        if row.sources and prefix + _LABEL.sub("", row.to) == target:
            yield row, outer, group
    for inner in group.groups:
        below = prefix + (f"{inner.to}/" if inner.to else "")
        if target.startswith(below):
            yield from _rows(inner, target, below, (*outer, (below.rstrip("/"), inner)))


def _is_meant(row: Row, group: Group, name: str, value: str) -> bool:
    """Whether the row's instance is the one whose child of that name is that constant."""
    holder = row.to.rpartition("/")[0]
    beside = f"{holder}/{name}" if holder else name
    return any(other.to == beside and other.value == value for other in group.rows)


def _start(
    groups: tuple[tuple[str, Group], ...], instances: Mapping[str, etree._Element], root: etree._Element
) -> tuple[etree._Element, tuple[Step, ...]]:
    """The element of the innermost group instance there is, and the steps from it to the row's own scope."""
    at: etree._Element = root
    steps: tuple[Step, ...] = ()
    for path, group in groups:
        if group.to and path in instances:
            at, steps = instances[path], ()
        elif group.each.up:
            at, steps = root, group.each.steps
        else:
            steps = (*steps, *group.each.steps)
    return at, steps


def _walk(element: etree._Element, steps: tuple[Step, ...]) -> tuple[etree._Element, tuple[Step, ...]]:
    """As far down as the document goes, and the steps that are missing."""
    for done, step in enumerate(steps):
        if step.names == (".",):
            continue
        child = next((c for c in element.iterchildren(etree.Element) if c.tag in step.names), None)
        if child is None or step.predicates:
            return element, steps[done:]
        element = child
    return element, ()


def _written(step: Step, root: etree._Element) -> str:
    name = etree.QName(step.names[0])
    if name.namespace is None:
        return name.localname
    declared = (item for element in root.iter(etree.Element) for item in element.nsmap.items())
    prefix = next((prefix for prefix, uri in declared if uri == name.namespace), None)
    return f"{prefix}:{name.localname}" if prefix else name.localname
