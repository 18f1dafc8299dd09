"""A copy of a document that may be altered before the schema sees it, while every node still knows its original."""

from __future__ import annotations

import copy

from lxml import etree

BLANK = " \t\r\n"


class WorkingCopy:
    def __init__(self, root: etree._Element) -> None:
        self.root = copy.deepcopy(root)
        self.root.tail = None
        self._originals = dict(zip(self.root.iter(), root.iter(), strict=True))
        self._copies = {original: copy for copy, original in self._originals.items()}
        self._lost: set[tuple[etree._Element | None, str]] = set()

    def original(self, node: etree._Element) -> etree._Element:
        return self._originals[node]

    def knows(self, node: etree._Element) -> bool:
        """Whether it stands for a node of the document, rather than filling a gap."""
        return node in self._originals

    def fill(self, parent: etree._Element, name: str, before: etree._Element | None) -> bool:
        """Puts an empty element where a child is missing; both nodes are originals. False when it is there already."""
        copy = self._copies[parent]
        if "*" in name or copy.find(name) is not None:
            return False
        filler = etree.Element(name)
        if before is None:
            copy.append(filler)
        else:
            copy.insert(copy.index(self._copies[before]), filler)
        return True

    def trim(self, node: etree._Element, attribute: str | None) -> None:
        """Takes away the white space around a text; ``node`` is the original."""
        copy = self._copies[node]
        if attribute is None:
            copy.text = (copy.text or "").strip(BLANK)
        else:
            copy.set(attribute, copy.get(attribute, "").strip(BLANK))

    def leave_out(self, node: etree._Element, attribute: str | None) -> None:
        """Takes away an element or an attribute; ``node`` is the original."""
        copy = self._copies[node]
        if attribute is not None:
            copy.attrib.pop(attribute)
        elif (parent := copy.getparent()) is not None:
            parent.remove(copy)

    def misplace(self, node: etree._Element) -> None:
        """Takes away an element that stands in a wrong place; ``node`` is the original."""
        copy = self._copies[node]
        self._lost.add((copy.getparent(), copy.tag))
        self.leave_out(node, None)

    def has_lost(self, parent: etree._Element, name: str) -> bool:
        """Whether a child of that name was there, only in a wrong place; ``parent`` is the original."""
        return (self._copies[parent], name) in self._lost
