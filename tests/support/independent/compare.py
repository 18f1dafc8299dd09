"""One document held against its payload: every fact, both ways."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.independent import forms
from tests.support.independent.facts import OF_A_DOCUMENT, OF_A_LINE, OF_A_PARTY, Facts, Line, Party, Value, Values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.support.independent.payload import Told

SHORTEST_CUT = 35
"""The narrowest text of the payload in which a longer one is cut (105 CityName an..35): shorter ones stand whole."""
LONG = 6
"""From so many letters on a text is told apart from others by itself."""
IN_PLACE = frozenset(
    {"kind", "issued", "export", "destination", "transit", "mode", "country", "origin", "freight", "packages"}
)
"""Facts that a window decides by where they stand, or so short that a text among others has them by chance."""
TEXTS = frozenset({"description", "name", "means"})
OTHER_DOCUMENTS = frozenset({"invoice", "invoiced"})
"""Facts that stand with an AdditionalDocument or a PreviousDocument as well as with the Invoice."""
_TOKEN = re.compile(r"[^\s|,;:()]+")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A value on which document and payload do not agree."""

    fact: str
    kind: str
    """``wrong``: the payload has what the document has not there. ``lost``: it has it nowhere, and nothing says why."""
    value: str
    instead: str
    """What stands there on the other side."""
    at: str = ""

    def __str__(self) -> str:
        return f"{self.fact} {self.kind}: {self.value!r} (there: {self.instead}) {self.at}".rstrip()


@dataclass(frozen=True, slots=True)
class Explained:
    """What the product itself says of values that it does not carry; places without prefixes."""

    findings: tuple[tuple[str, str], ...] = ()
    """Where a finding points, and what it says: value and sentence."""
    dropped: frozenset[str] = frozenset()
    """What the loss report calls dropped."""

    def by_finding(self, source: Value) -> bool:
        """Whether findings point at a value or its attribute; of a number with its unit they must name both."""
        said = [text for pointer, text in self.findings if pointer.partition("/@")[0].endswith(source.at)]
        wanted = [frozenset(_parts(text)) for text in (source.text, *source.also)]
        named = frozenset(token for text in said for token in _tokens(text))
        return bool(said) and (
            len(wanted[0]) == 1 or not forms.number(source.text.split()[0]) or any(parts <= named for parts in wanted)
        )

    def by_loss(self, at: str) -> bool:
        """Whether the loss report names a value among what is dropped."""
        return any(p.endswith(at) for p in self.dropped)


@dataclass(slots=True)
class Account:
    """What a comparison came to."""

    compared: int = 0
    disagreements: list[Disagreement] = field(default_factory=list)
    dropped: list[Disagreement] = field(default_factory=list)
    """Facts that the payload lacks and the loss report names with a reason."""
    told: int = 0
    """Values that a finding points at instead."""


def compare(source: Facts, payload: Told, explained: Explained) -> Account:
    """Hold a document against its payload."""
    account = Account(compared=1)
    if len(source.lines) != len(payload.facts.lines):
        account.disagreements.append(
            Disagreement("lines", "wrong", str(len(payload.facts.lines)), str(len(source.lines)))
        )
    for way in _ways(source, payload):
        _both(way, explained, account)
    return account


@dataclass(frozen=True, slots=True)
class _Way:
    """One fact on both sides."""

    fact: str
    values: Values
    """The document's."""
    there: Values
    """The payload's, in the fact's own place."""
    texts: Sequence[str]
    """Where else the payload may tell it."""


def _ways(source: Facts, payload: Told) -> Iterator[_Way]:
    """Every fact of the document, of its parties and, where they are as many, of its lines."""
    for name in OF_A_DOCUMENT:
        texts = payload.leaves if name in OTHER_DOCUMENTS else () if name in IN_PLACE else payload.statements
        yield _Way(name, getattr(source, name), getattr(payload.facts, name), texts)
    yield _Way("due", source.due, (), (*payload.statements, *(v.text for v in payload.facts.total)))
    nobody = Party()
    for role in sorted({*source.parties, *payload.facts.parties}):
        here, there = source.parties.get(role, nobody), payload.facts.parties.get(role, nobody)
        for name in OF_A_PARTY:
            texts = () if name in IN_PLACE else payload.leaves
            yield _Way(f"{role}.{name}", getattr(here, name), getattr(there, name), texts)
    if len(source.lines) != len(payload.facts.lines):
        return
    for line, item, told in zip(source.lines, payload.facts.lines, payload.of_lines, strict=True):
        for name in OF_A_LINE:
            yield _Way(f"line.{name}", getattr(line, name), getattr(item, name), _texts(name, item, told))


def _texts(name: str, item: Line, told: tuple[str, ...]) -> tuple[str, ...]:
    """Where a line tells more: its description, and the statements that go on with it; number and unit may be two."""
    if name in IN_PLACE:
        return ()
    if name == "description":
        return (*(v.text for v in item.description), *told)
    return (*told, " ".join(told)) if name == "quantity" else told


def _both(way: _Way, explained: Explained, account: Account) -> None:
    """One fact, both ways."""
    fact, values, there, carried = way.fact, way.values, way.there, _Carried(way.texts)
    is_text = fact.rpartition(".")[2] in TEXTS
    for value in there:
        account.compared += 1
        if not any(_same(source, value, is_text=is_text) for source in values):
            account.disagreements.append(Disagreement(fact, "wrong", value.text, _list(values)))
    for source in values:
        if not source.must:
            continue
        account.compared += 1
        if any(_same(source, value, is_text=is_text, whole=True) for value in there) or carried(source):
            continue
        if is_text and any(carried.rest(source, value) for value in there):
            continue
        lost = Disagreement(fact, "lost", source.text, _list(there), source.at)
        if explained.by_finding(source):
            account.told += 1
        elif explained.by_loss(source.at):
            account.dropped.append(lost)
        else:
            account.disagreements.append(lost)


def _same(source: Value, value: Value, *, is_text: bool, whole: bool = False) -> bool:
    """Whether a value of the payload is that of the document; a text may be cut where it goes on elsewhere."""
    forms_of = {source.text, *source.also}
    if value.text in forms_of or forms_of.intersection(value.also):
        return True
    return is_text and not whole and len(value.text) >= SHORTEST_CUT - 1 and source.text.startswith(value.text)


def _list(values: Values) -> str:
    return " / ".join(dict.fromkeys(v.text for v in values)) or "nothing"


class _Carried:
    """The texts of a payload, asked whether they tell a value."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.tokens = [frozenset(_tokens(text)) for text in texts]
        self.joined = "".join("".join(text.split()) for text in texts)
        self.cleaned = [forms.identifier(text) for text in texts]

    def __call__(self, source: Value) -> bool:
        """Whether one text has every part of the value, or all together have a long one, folded or not."""
        squeezed = "".join(source.text.split())
        if len(squeezed) >= LONG and squeezed in self.joined:
            return True
        if len(source.text) >= LONG and any(source.text in text for text in self.cleaned):
            return True
        wanted = [frozenset(_parts(text)) for text in (source.text, *source.also)]
        return any(parts and parts <= tokens for parts in wanted for tokens in self.tokens)

    def rest(self, source: Value, value: Value) -> bool:
        """Whether a text that is cut in its place goes on in another."""
        squeezed = "".join(source.text.removeprefix(value.text).split())
        return source.text.startswith(value.text) and squeezed in self.joined


def _parts(text: str) -> Iterator[str]:
    """The parts of a text: numbers and units in the form in which they are compared."""
    for part in _TOKEN.findall(text):
        yield forms.number(part) or forms.unit(part)


def _tokens(text: str) -> Iterator[str]:
    """The same, and cleaned of signs, and as a moment."""
    yield from _parts(text)
    for part in _TOKEN.findall(text):
        yield forms.identifier(part)
        if moment := forms.moment(part)[0]:
            yield moment
