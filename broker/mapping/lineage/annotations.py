"""Reads the payload that the traced function wrote: each leaf with the number of the note that says where it came from.

The function writes processing instructions (``<?swb 12?>`` before a text, ``<?swb 12 unitCode?>`` for an attribute,
``<?swb 3 each?>`` for an instance of a group). They are read in one pass by expat, without a tree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from xml.parsers import expat

if TYPE_CHECKING:
    from collections.abc import Mapping

_MARK = re.compile(r"<\?swb [^?]*\?>")
_EACH = "each"


class AnnotatedLeaf(NamedTuple):
    """A leaf of the payload: its path, its value, and the number of its note (``engine``: the engine's own)."""

    target: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class Annotations:
    """What an annotated payload says."""

    leaves: tuple[AnnotatedLeaf, ...]
    """In document order; an element's text before its attributes."""
    instances: Mapping[str, int]
    """Path of each instance of a group, to the number of the source element it stands for."""
    places: frozenset[str]
    """The paths of all elements: ``[n]`` only where siblings share the name."""


def without_marks(annotated: str) -> str:
    """The payload itself: the same text that the function writes when it does not trace."""
    return _MARK.sub("", annotated)


def read_annotations(annotated: str) -> Annotations:
    """The leaves, instances and places of an annotated payload."""
    reader = _Reading()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.ordered_attributes = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.ProcessingInstructionHandler = reader.mark
    parser.Parse(annotated.encode(), True)
    return reader.result()


class _Element:
    """An element as it is read: its place among its siblings is known when all of them are."""

    __slots__ = ("attributes", "counts", "marks", "name", "number", "parent", "path", "texts")

    def __init__(self, parent: _Element | None, name: str, attributes: list[str]) -> None:
        self.parent, self.name, self.attributes = parent, name, attributes
        self.counts: dict[str, int] = {}
        self.texts: list[str] = []
        self.marks: dict[str, str] = {}
        self.path = ""
        if parent is None:
            self.number = 1
        else:
            self.number = parent.counts[name] = parent.counts.get(name, 0) + 1


class _Reading:
    def __init__(self) -> None:
        self._elements: list[_Element] = []
        self._at: _Element | None = None

    def start(self, name: str, attributes: list[str]) -> None:
        self._at = _Element(self._at, name.rpartition(":")[2], attributes)
        self._elements.append(self._at)

    def end(self, _name: str) -> None:
        assert self._at is not None  # noqa: S101 - expat ends what began
        self._at = self._at.parent

    def text(self, text: str) -> None:
        if self._at is not None:
            self._at.texts.append(text)

    def mark(self, _target: str, data: str) -> None:
        if self._at is not None:
            number, _, about = data.partition(" ")
            self._at.marks[about.strip()] = number

    def result(self) -> Annotations:
        leaves: list[AnnotatedLeaf] = []
        instances: dict[str, int] = {}
        for one in self._elements:
            above = one.parent
            is_one_of_many = above is not None and above.counts[one.name] > 1
            path = f"{above.path if above else ''}/{one.name}" + (f"[{one.number}]" if is_one_of_many else "")
            one.path = path
            marks = one.marks
            if "" in marks and (text := "".join(one.texts)).strip():
                leaves.append(AnnotatedLeaf(path, text, marks[""]))
            if one.attributes:
                pairs = zip(one.attributes[::2], one.attributes[1::2], strict=True)
                leaves += [
                    AnnotatedLeaf(f"{path}/@{name}", value, marks.get(name, ""))
                    for name, value in pairs
                    if not name.startswith("xmlns")
                ]
            if _EACH in marks:
                instances[path] = int(marks[_EACH])
        return Annotations(tuple(leaves), instances, frozenset(one.path for one in self._elements))
