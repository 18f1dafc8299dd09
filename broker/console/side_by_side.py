"""A document and its payload side by side: each value of one knows those of the other, and what was lost is told.

The payload is made again from the document, by the mapping that made it: the same bytes. Nothing here is kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from lxml import etree

from broker.console.mask import hidden, masked
from broker.content.payload_path import paths
from broker.mapping.translate import DECLARATION
from broker.model.answers import chain_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from broker.content.pointers import Pointers
    from broker.mapping import Explanation

MOST_LINES = 5000
MOST_CHARACTERS = 800_000
_ENCODING = re.compile(rb"encoding=[\"']([A-Za-z0-9._-]+)[\"']")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some characters of a line; ``keys`` are the values they belong to."""

    text: str
    keys: tuple[str, ...] = ()
    state: str = ""
    title: str = ""


@dataclass(slots=True)
class ShownLine:
    number: int
    pieces: list[Piece]
    marks: list[str] = field(default_factory=list)
    """Codes of the findings that point here."""


@dataclass(frozen=True, slots=True)
class Pointed:
    """A finding, and where it points on both sides."""

    by: str
    code: str
    pointer: str
    source_line: int | None = None
    payload_line: int | None = None
    label: str = ""
    path: str = ""


@dataclass(slots=True)
class Sides:
    source: list[ShownLine] = field(default_factory=list)
    payload: list[ShownLine] = field(default_factory=list)
    losses: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    pointed: list[Pointed] = field(default_factory=list)
    is_cut: bool = False


def text_of(content: bytes) -> str:
    """The characters of a content, as far as its encoding is known."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    named = _ENCODING.search(content[:200])
    try:
        return content.decode(named[1].decode() if named else "utf-8-sig", "replace")
    except LookupError:
        return content.decode("utf-8", "replace")


def source_alone(content: bytes, findings: Iterable[tuple[str, dict[str, Any]]], *, reveal: bool) -> Sides:
    """A document without a payload, with its findings at their lines."""
    sides = Sides()
    _fill_source(sides, content, [], reveal=reveal)
    sides.pointed = [
        Pointed(by, f.get("code", ""), f.get("pointer") or "", f.get("line"), path=f.get("pointer") or "")
        for by, f in findings
    ]
    _mark(sides)
    return sides


def side_by_side(
    content: bytes,
    found: Explanation,
    findings: Iterable[tuple[str, dict[str, Any]]],
    pointers: Pointers,
    *,
    reveal: bool,
) -> Sides:
    """Both texts with their values tied to each other; ``findings`` are pairs of a window (or empty) and a finding."""
    keys: dict[str, str] = {}

    def key(path: str) -> str:
        return keys.setdefault(path, f"v{len(keys)}")

    sides = Sides(counts=found.counts)
    leaves: list[Leaf] = [(loss.line, loss.value, key(loss.path), loss.state, loss.path) for loss in found.loss]
    known = {loss.path for loss in found.loss}
    others = {s.path: s for origin in found.lineage for s in origin.sources if s.path not in known}
    leaves += [(s.line, s.value or "", key(s.path), "carried", s.path) for s in others.values()]
    raw = {s.path: s.value for origin in found.lineage for s in origin.sources if s.value}
    leaves = [(line, raw.get(path) or value, k, state, path) for line, value, k, state, path in leaves]
    _fill_source(sides, content, leaves, reveal=reveal)
    lines = _fill_payload(sides, found, key, reveal=reveal)
    sides.losses = [
        {
            "state": loss.state, "path": loss.path, "line": loss.line, "why": loss.why, "key": key(loss.path),
            "value": loss.value if reveal else hidden(loss.value),
        }
        for loss in found.loss
        if loss.state in ("dropped", "unmapped")
    ]  # fmt: skip
    declaration = next(etree.fromstring(found.content).iterchildren(DECLARATION), None)
    sides.pointed = [_pointed(by, f, found, pointers, declaration, lines) for by, f in findings]
    _mark(sides)
    return sides


def _pointed(  # noqa: PLR0917 - the parts of both sides
    by: str,
    finding: dict[str, Any],
    found: Explanation,
    pointers: Pointers,
    declaration: etree._Element | None,
    lines: dict[str, int],
) -> Pointed:
    """A window's chain as places on both sides; a finding of ours has its line already."""
    code, pointer = str(finding.get("code", "")), str(finding.get("pointer") or "")
    if not by or declaration is None:
        return Pointed(by, code, pointer, finding.get("line"), path=pointer)
    try:
        target = pointers.resolve(chain_of(pointer), declaration)
    except ValueError:
        target = None
    if target is None:
        return Pointed(by, code, pointer)
    places = found.locate(target.path)
    first = places[0] if places else None
    return Pointed(
        by,
        code,
        pointer,
        first.line if first else None,
        lines.get(target.path),
        first.label if first else "",
        first.path if first else target.path,
    )


def _mark(sides: Sides) -> None:
    """The codes of the findings at the lines to which they point."""
    for which, lines in (("source_line", sides.source), ("payload_line", sides.payload)):
        by_number = {line.number: line for line in lines}
        for pointed in sides.pointed:
            line = by_number.get(getattr(pointed, which))
            if line is not None and pointed.code not in line.marks:
                line.marks.append(pointed.code)


# --- the document -----------------------------------------------------------------------------------------------------

Leaf = tuple["int | None", str, str, str, str]
"""Line, value, key, what became of it, path."""


def _fill_source(sides: Sides, content: bytes, leaves: list[Leaf], *, reveal: bool) -> None:
    text = text_of(content)
    shown = text if reveal else masked(text)
    raw_lines, lines = text.split("\n"), shown.split("\n")
    spans = _spans(raw_lines, leaves)
    room = MOST_CHARACTERS
    for number, (raw, line) in enumerate(zip(raw_lines, lines, strict=True), 1):
        room -= len(line)
        if number > MOST_LINES or room < 0:
            sides.is_cut = True
            return
        sides.source.append(ShownLine(number, list(_pieces(line.rstrip("\r"), raw, spans.get(number, [])))))


def _spans(lines: list[str], leaves: list[Leaf]) -> dict[int, list[tuple[int, int, Leaf]]]:
    """Where the value of each leaf stands in its line; the whole line where that cannot be seen."""
    spans: dict[int, list[tuple[int, int, Leaf]]] = {}
    cursors: dict[int, int] = {}
    for leaf in leaves:
        number, value = leaf[0], leaf[1].strip()
        if number is None or not 1 <= number <= len(lines):
            continue
        line, taken = lines[number - 1], spans.setdefault(number, [])
        first = value.partition("\n")[0].rstrip("…").strip()
        for written in dict.fromkeys((first, escape(first, quote=False), escape(first))):
            at = _free(line, written, cursors.get(number, 0), taken) if written else -1
            if at >= 0:
                taken.append((at, at + len(written), leaf))
                cursors[number] = at + len(written)
                break
        else:
            taken.append((0, 0, leaf))
    return spans


def _free(line: str, value: str, start: int, taken: list[tuple[int, int, Leaf]]) -> int:
    """The first place of a value from there on that no other has taken, else the first at all; -1 for none."""
    for begin in (start, 0):
        at = line.find(value, begin)
        while at >= 0:
            if all(at >= end or at + len(value) <= first for first, end, _ in taken if end):
                return at
            at = line.find(value, at + 1)
    return -1


def _pieces(line: str, raw: str, spans: list[tuple[int, int, Leaf]]) -> Iterator[Piece]:
    if not spans:
        yield Piece(line)
        return
    at = 0
    whole = [leaf for _, end, leaf in spans if not end]
    rest = tuple(leaf[2] for leaf in whole)
    state = whole[0][3] if whole else ""
    for begin, end, leaf in sorted((s for s in spans if s[1]), key=lambda s: s[0]):
        if begin > at:
            yield Piece(line[at:begin], rest, state)
        yield Piece(line[begin:end], (leaf[2],), leaf[3], leaf[4])
        at = end
    if at < len(line) or not raw:
        yield Piece(line[at:], rest, state)


# --- the payload ------------------------------------------------------------------------------------------------------


def _fill_payload(  # noqa: C901 - one walk, told straight
    sides: Sides, found: Explanation, key: Callable[[str], str], *, reveal: bool
) -> dict[str, int]:
    """The payload's lines; path to line number."""
    origins = {origin.target: origin for origin in found.lineage}
    root = etree.fromstring(found.content)
    at = dict(paths(root))
    numbers: dict[str, int] = {}

    def value(target: str, text: str) -> Piece:
        origin = origins.get(target)
        shown = text if reveal else hidden(text)
        if origin is None:
            return Piece(shown)
        keys = tuple(key(source.path) for source in origin.sources)
        how = "; ".join(part for part in (origin.wco_id, origin.transform, origin.codes, origin.why) if part)
        return Piece(shown, keys, "carried" if keys else "made", how)

    def add(pieces: list[Piece], path: str | None = None) -> bool:
        if len(sides.payload) >= MOST_LINES:
            sides.is_cut = True
            return False
        sides.payload.append(ShownLine(len(sides.payload) + 1, pieces))
        if path is not None:
            numbers[path] = len(sides.payload)
        return True

    def walk(element: etree._Element, depth: int) -> None:
        name, path, space = etree.QName(element).localname, at[element], "  " * depth
        head = [Piece(f"{space}<{name}")]
        for attribute, text in element.items():
            local = str(attribute).rpartition("}")[2]
            head += [Piece(f' {local}="'), value(path + "/@" + str(attribute), str(text)), Piece('"')]
        children = list(element.iterchildren(etree.Element))
        if children:
            if add([*head, Piece(">")], path):
                for child in children:
                    walk(child, depth + 1)
                add([Piece(f"{space}</{name}>")])
        elif element.text:
            add([*head, Piece(">"), value(path, element.text), Piece(f"</{name}>")], path)
        else:
            add([*head, Piece("/>")], path)

    walk(root, 0)
    return numbers
