"""Between a place in the payload and the chain of WCO class ids that a Response points with (class 97A), both ways.

The ids are data: ``swb:class`` and ``swb:id`` in ``xsd/wco/3.6/declaration.xsd``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from broker.content.payload_path import written
from broker.model.answers import Chain, PointerStep

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_XS = "{http://www.w3.org/2001/XMLSchema}"
_IDS = "{urn:swb:wco-ids}"
_STEP = re.compile(r"(?P<name>[^\[\]/@]+)(?:\[(?P<n>\d+)\])?")


@dataclass(frozen=True, slots=True)
class _Child:
    name: str
    type: str
    repeats: bool
    tag: str
    """Data element id, or empty."""


@dataclass(frozen=True, slots=True)
class _Class:
    id: str
    children: Mapping[str, _Child]


@dataclass(frozen=True, slots=True)
class Doubt:
    """An occurrence that the payload does not have, or none named where it has several."""

    place: str
    """Where all of them stand in the payload: the path without a position."""
    number: int | None
    """Which one is meant; None where the chain does not say."""
    count: int
    """How many there are."""


@dataclass(frozen=True, slots=True)
class PointerTarget:
    """Where a chain leads: the deepest element that the payload has, and the steps below it that it has not."""

    element: etree._Element
    missing: str = ""
    is_exact: bool = True
    """Every step of the chain was understood."""
    doubt: Doubt | None = None
    """Why it is not known which of several occurrences is meant."""

    @property
    def path(self) -> str:
        """The place in the payload, whether something stands there or not."""
        return written(self.element) + self.missing


class Pointers:
    """The classes of a payload schema, ready to be pointed at."""

    def __init__(self, schema: etree._Element, root: str = "Declaration") -> None:
        self._classes = dict(_classes(schema))
        (self._root,) = [e.get("type", "") for e in schema.iterfind(f"{_XS}element") if e.get("name") == root]
        self._root = self._root.split(":")[-1]
        self._root_name = root

    def chain(self, path: str) -> Chain:
        """The chain for a path like ``/MetaData/Declaration/GoodsShipment/Exporter/ID``, absent elements included.

        It ends where the schema ends to have ids: the chain for an attribute is that of its element.
        """
        names = [(m["name"], int(m["n"] or 1)) for m in map(_STEP.fullmatch, path.split("/")) if m is not None]
        steps = names[next((i + 1 for i, (name, _) in enumerate(names) if name == self._root_name), 0) :]
        at = self._classes[self._root]
        chain = [PointerStep(at.id)]
        for name, n in steps:
            child = at.children.get(name)
            if child is None:
                break
            below = self._classes.get(child.type)
            if below is None or not below.id:
                chain[-1] = PointerStep(chain[-1].section, chain[-1].sequence, child.tag)
                break
            chain.append(PointerStep(below.id, n if child.repeats else None))
            at = below
        return tuple(chain)

    def resolve(self, chain: Chain, declaration: etree._Element) -> PointerTarget | None:
        """Where in this payload a chain leads, as far as that is sure; None when it points into no declaration."""
        at = self._classes[self._root]
        steps = chain[1:] if chain and chain[0].section == at.id else chain
        if not chain or (steps is chain and not self._named(at, chain[0].section)):
            return None
        element, missing = declaration, ""
        doubt: Doubt | None = None
        for step in steps:
            child = self._named(at, step.section)
            if child is None:
                return PointerTarget(element, missing, is_exact=False, doubt=doubt)
            doubt = doubt or (None if missing else _doubt(element, child, step.sequence))
            element, missing = _down(element, missing, child, step.sequence, is_sure=doubt is None)
            at = self._classes[child.type]
        tag = chain[-1].tag
        if not tag:
            return PointerTarget(element, missing, doubt=doubt)
        leaf = next((child for child in at.children.values() if child.tag == tag), None)
        if leaf is None:
            return PointerTarget(element, missing, is_exact=False, doubt=doubt)
        return PointerTarget(*_down(element, missing, leaf, None, is_sure=doubt is None), doubt=doubt)

    def _named(self, at: _Class, class_id: str) -> _Child | None:
        """The child of that class."""
        classes = self._classes
        return next((c for c in at.children.values() if c.type in classes and classes[c.type].id == class_id), None)


def _doubt(element: etree._Element, child: _Child, sequence: int | None) -> Doubt | None:
    """Whether the payload has no such occurrence, or several and none is named; a class that is absent is no doubt."""
    count = sum(1 for e in element.iterchildren(etree.Element) if etree.QName(e).localname == child.name)
    place = f"{written(element)}/{child.name}"
    if sequence is None:
        return Doubt(place, None, count) if count > 1 else None
    is_there = 1 <= sequence <= max(count, 1) or (sequence == 0 and not child.repeats)
    return None if is_there else Doubt(place, sequence, count)


def _down(
    element: etree._Element, missing: str, child: _Child, sequence: int | None, *, is_sure: bool
) -> tuple[etree._Element, str]:
    """One step further into the payload, or into what it lacks or what is not sure."""
    if not missing and is_sure:
        found = [e for e in element.iterchildren(etree.Element) if etree.QName(e).localname == child.name]
        if 0 < (sequence or 1) <= len(found):
            return found[(sequence or 1) - 1], ""
    return element, f"{missing}/{child.name}" + (f"[{sequence}]" if sequence and sequence > 1 else "")


def _classes(schema: etree._Element) -> Iterable[tuple[str, _Class]]:
    for type_ in schema.iterfind(f"{_XS}complexType"):
        elements = type_.findall(f"{_XS}sequence/{_XS}element")
        children = {
            e.get("name", ""): _Child(
                e.get("name", ""),
                e.get("type", "").split(":")[-1],
                e.get("maxOccurs", "1") != "1",
                e.get(f"{_IDS}id", ""),
            )
            for e in elements
        }
        if children:
            yield type_.get("name", ""), _Class(type_.get(f"{_IDS}class", ""), children)
