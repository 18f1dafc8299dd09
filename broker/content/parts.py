"""An envelope of several documents as so many contents, each with the envelope around it: read once, as a stream.

A part is the bytes as sent without the other documents: declaration, namespaces, cover and white space stay, so that it
is recognised, judged and pointed into like an envelope of one.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING
from xml.parsers import expat

from broker.content.json_tree import looks_like_json
from broker.content.xml import start_of
from broker.model.errors import Refused
from broker.model.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from broker.model.documents import Envelope

MAX_PARTS = 2_000
"""Documents of one envelope: as many as the largest that is published (EnvioDTE) may hold."""
MAX_COPIES = 64 * 1024 * 1024
"""Bytes of all that stands between the documents, taken once for each of them."""
_MAX_DEPTH = 5
"""Elements around an envelope that is itself wrapped."""
_REMEMBERED = 16
"""Envelopes whose answers may come one by one."""
_HEAD, _CHUNK = 1024, 64 * 1024
"""Bytes that show what most contents are, and that are read at once of an envelope."""


@dataclass(frozen=True, slots=True)
class Part:
    """One document of an envelope, with the envelope around it."""

    number: int
    content: bytes
    skipped: int
    """Lines of the documents before it, which its content does not have."""


@dataclass(frozen=True, slots=True)
class _Range:
    """Where a document stands in the bytes, and how many line ends it has."""

    start: int
    end: int
    lines: int


def split(content: bytes, envelopes: Iterable[Envelope]) -> tuple[Part, ...]:
    """The parts of an envelope that holds several documents; empty for anything else, and for what cannot be read.

    Raises Refused (``envelope.too-many``) where there are more than are taken.
    """
    ranges = _ranges(content, tuple(envelopes))
    if len(ranges) < 2:
        return ()
    between = len(content) - sum(one.end - one.start for one in ranges)
    if len(ranges) > MAX_PARTS or between * len(ranges) > MAX_COPIES:
        message = f"The envelope holds {len(ranges):,} documents; at most {MAX_PARTS:,} are taken, with a small cover."
        raise Refused([Finding("envelope.too-many", message)])
    return _parts(content, ranges, range(1, len(ranges) + 1))


class PartReader:
    """Finds one document of an envelope by its number; remembers where those of the last few envelopes stand."""

    def __init__(self, envelopes: Iterable[Envelope]) -> None:
        self._envelopes = tuple(envelopes)
        self._known: OrderedDict[bytes, list[_Range]] = OrderedDict()

    def __call__(self, content: bytes, number: int) -> bytes | None:
        """The content of a part, from 1; None where the envelope does not have it."""
        name = hashlib.sha256(content).digest()
        if name not in self._known:
            self._known[name] = _ranges(content, self._envelopes)
        self._known.move_to_end(name)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        ranges = self._known[name]
        return _parts(content, ranges, (number,))[0].content if 1 <= number <= len(ranges) else None


def _parts(content: bytes, ranges: list[_Range], numbers: Iterable[int]) -> tuple[Part, ...]:
    """These parts: what stands between the documents is the same for all of them."""
    between, places, at = bytearray(), [], 0
    for one in ranges:
        between += content[at : one.start]
        places.append(len(between))
        at = one.end
    around = bytes(between + content[at:])
    lines = (0, *accumulate(one.lines for one in ranges))

    def made(number: int) -> Part:
        one, place = ranges[number - 1], places[number - 1]
        return Part(number, b"".join((around[:place], content[one.start : one.end], around[place:])), lines[number - 1])

    return tuple(made(number) for number in numbers)


def _ranges(content: bytes, envelopes: tuple[Envelope, ...]) -> list[_Range]:
    if looks_like_json(content):
        return []
    start = start_of(content)
    scan = _Scan(envelopes, start)
    try:
        scan.read(content[start:] if start else content)
    except (expat.ExpatError, _NoEnvelope, ValueError):
        return []
    return scan.ranges


class _NoEnvelope(Exception):
    """The content is none that is split."""


class _Scan:
    """Follows the elements of a content down to the documents of the envelope that it is, or holds."""

    def __init__(self, envelopes: tuple[Envelope, ...], offset: int) -> None:
        self.steps = {e.root: e.parts for e in envelopes if e.parts}
        self.transparent = {e.root for e in envelopes if e.form == "element" and not e.parts}
        self.offset = offset
        self.ranges: list[_Range] = []
        self.path: tuple[str, ...] = ()
        """What is still to be followed of the envelope's path; empty before the envelope is met."""
        self.depth = 0
        self.at = 0
        """The depth at which the envelope stands."""
        self.matched = 0
        """Steps of the path that lead to where the stream is."""
        self.open: tuple[int, int] | None = None
        self.parser = expat.ParserCreate(namespace_separator="}")
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.StartDoctypeDeclHandler = self.doctype

    def read(self, content: bytes) -> None:
        self.parser.Parse(content[:_HEAD], len(content) <= _HEAD)
        for at in range(_HEAD, len(content), _CHUNK):
            self.parser.Parse(content[at : at + _CHUNK], at + _CHUNK >= len(content))

    def doctype(self, *_: object) -> None:
        raise _NoEnvelope

    def start(self, name: str, _attributes: object) -> None:
        self.after()
        self.depth += 1
        clark = f"{{{name}" if "}" in name else name
        if not self.path:
            self.meet(clark)
        elif self.depth == self.at + self.matched + 1 and self.path[self.matched : self.matched + 1] == (clark,):
            self.matched += 1
            if self.matched == len(self.path):
                self.open = self.parser.CurrentByteIndex, self.parser.CurrentLineNumber

    def meet(self, clark: str) -> None:
        """Whether this is the envelope, or something that may hold it."""
        if clark in self.steps:
            self.path, self.at = self.steps[clark], self.depth
        elif self.depth > _MAX_DEPTH or (self.depth == 1 and clark not in self.transparent):
            raise _NoEnvelope

    def end(self, _name: str) -> None:
        self.after()
        if self.path and self.matched and self.depth == self.at + self.matched:
            if self.matched == len(self.path):
                self.parser.DefaultHandler = self.after  # where the next thing begins, the document has ended
            else:
                self.matched -= 1
        self.depth -= 1

    def after(self, *_: object) -> None:
        """Close the document that has just ended."""
        if self.parser.DefaultHandler is None or self.open is None:
            return
        start, line = self.open
        end, lines = self.parser.CurrentByteIndex, self.parser.CurrentLineNumber - line
        self.ranges.append(_Range(start + self.offset, end + self.offset, lines))
        self.parser.DefaultHandler = None
        self.open = None
        self.matched -= 1
