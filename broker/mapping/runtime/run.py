"""What the generated code of a mapping calls while it translates one document."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from broker.content.xml import leaves
from broker.mapping.runtime.transforms import Lossy, Unfit, fold, total
from broker.mapping.runtime.transforms import date as day
from broker.model.errors import Refused
from broker.model.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lxml import etree

    from broker.mapping.compiler.source_tree import Capture
    from broker.registry.codelists import CodeList
    from broker.registry.identifiers import Identifiers

    Convert = Callable[[str, date | None], str]
    Pair = tuple[etree._Element | None, str | None]  # noqa: SLF001  (the public name of the type)
    """A place: an element, if it is there, and the attribute of it that is meant."""
    Measured = tuple[Pair, ...]
    """A value, and the places where its unit may stand, the nearest first."""
    Leaf = etree._Element | tuple[etree._Element, str | None]  # noqa: SLF001  (the public name of the type)

_WHOLE = re.compile(r"\+?[0-9]+")


PARTIAL = frozenset({"date.time-lost", "date.fraction-lost", "identifier.invalid", "identifier.doubtful"})
"""Issues of values that are carried all the same."""
ABSENT = "?"
"""Marks, in place of an attribute, the path of a leaf that is not there."""
ITSELF = "."
"""In place of an attribute: not the element's text but the element, as one of several."""


class Issue(NamedTuple):
    """A value that does not reach its target as it is: where in the source, and why."""

    code: str
    element: etree._Element
    attribute: str | None
    row: int
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """Where one leaf of the payload came from: its row, the leaves it shows, the leaves that decided."""

    row: int
    sources: tuple[Leaf, ...]
    deciders: tuple[Leaf, ...]


class Run:
    """The state of one translation."""

    __slots__ = (
        "absent", "claimed", "failures", "instances", "issues", "left", "missing", "notes", "on", "repeats",
        "root", "sorted", "used",
    )  # fmt: skip

    def __init__(self, absent: frozenset[str], root: etree._Element | None = None) -> None:
        self.absent = absent
        self.root = root
        self.issues: list[Issue] = []
        self.failures: set[tuple[int, etree._Element, str | None]] = set()
        """Row and leaf of the issues sorted so far, but for those of which a part is carried."""
        self.sorted = 0
        self.left: list[Leaf] = []
        self.claimed: list[Leaf] = []
        self.used: set[Leaf] = set()
        self.missing: list[tuple[int, etree._Element]] = []
        self.notes: list[Note] = []
        self.instances: list[etree._Element] = []
        self.on: date | None = None
        self.repeats: list[tuple[Capture, etree._Element, etree._Element]] = []
        """Places of which a row carries the first element: what was found, the first, and each further one."""

    def clean(self, text: str | None) -> str:
        """The text with white space collapsed; empty for a marker of absence."""
        if not text:
            return ""
        text = " ".join(text.split())
        return "" if text in self.absent else text

    def value(self, convert: Convert, element: etree._Element, attribute: str | None, row: int) -> str:
        """The converted text of a leaf; empty, with an issue, where it does not fit."""
        if attribute is None:
            self.used.add(element)
            raw = element.text
        else:
            self.used.add((element, attribute))
            raw = element.get(attribute)
        text = " ".join(raw.split()) if raw else ""
        if not text or text in self.absent:
            return ""
        try:
            value = convert(text, self.on)
        except Unfit as unfit:
            self.issues.append(Issue(unfit.code, element, attribute, row, text, unfit.reason))
            return ""
        if value.__class__ is Lossy:
            self.issues.append(Issue(value.code, element, attribute, row, text, value.reason))
        return value

    def look(self, element: etree._Element | None, attribute: str | None = None) -> str:
        """What a condition reads: the clean text of a leaf, empty where there is none. Nothing of it is carried."""
        if element is None:
            return ""
        return self.clean(element.text if attribute is None else element.get(attribute))

    def text(self, element: etree._Element | None, attribute: str | None = None) -> str:
        """The clean text of a leaf that is carried, empty where there is none."""
        if element is None:
            return ""
        if attribute is None:
            self.used.add(element)
            return self.clean(element.text)
        self.used.add((element, attribute))
        return self.clean(element.get(attribute))

    def below(self, element: etree._Element, steps: Sequence[str], attribute: str) -> str:
        """What a predicate reads: the text or attribute at a path below the element."""
        found: etree._Element | None = element
        for step in steps:
            found = found.find(step) if found is not None else None
        if found is None:
            return ""
        return self.clean(found.get(attribute) if attribute else found.text)

    def of_root(self, steps: Sequence[str]) -> str:
        """What a predicate is held against: the text at a path from the document's root."""
        return self.below(self.root, steps, "") if self.root is not None else ""

    def root_leaf(self, steps: Sequence[str]) -> tuple[Leaf, ...]:
        """The same as a leaf."""
        return self.predicate(self.root, 0, steps, "")

    def with_unit(self, values: Sequence[Pair], *places: Pair) -> tuple[Pair, ...]:
        """Values that stand in one text, and the nearest unit after them; nothing where there is no value."""
        if not any(self.look(*value) for value in values):
            return ()
        return (*values, *[place for place in places if self.look(*place)][:1])

    def joined(self, convert: Convert, leaves: Sequence[Pair], join: str, row: int) -> str:
        """Several leaves as one value."""
        there = [(element, attribute) for element, attribute in leaves if element is not None]
        texts = [self.text(element, attribute) for element, attribute in there]
        return self._several(convert, there, join.join(t for t in texts if t), row)

    def sum(self, convert: Convert, elements: Sequence[etree._Element], row: int) -> str:
        """The exact sum of the texts of elements; empty, with an issue, where one is no decimal."""
        texts = []
        for element in elements:
            text = self.text(element)
            if text:
                try:
                    texts.append(total([text]))
                except Unfit as unfit:
                    self.issues.append(Issue(unfit.code, element, None, row, text, unfit.reason))
                    return ""
        return self._several(convert, [(e, None) for e in elements], total(texts) if texts else "", row)

    def _several(
        self, convert: Convert, leaves: Sequence[tuple[etree._Element, str | None]], text: str, row: int
    ) -> str:
        if not text:
            return ""
        try:
            value = convert(text, self.on)
        except Unfit as unfit:
            for element, attribute in leaves:
                if leaf := self.text(element, attribute):
                    self.issues.append(Issue(unfit.code, element, attribute, row, leaf, unfit.reason))
            return ""
        if value.__class__ is Lossy:
            element, attribute = leaves[-1]
            self.issues.append(Issue(value.code, element, attribute, row, text, value.reason))
        return value

    def unit(self, convert: Convert, default: str, row: int, *places: Pair) -> str:
        """In what a value is measured: what the nearest place says, or, where none says anything, what is usual.

        Empty, with an issue, where it is said and not understood: no other unit takes its place.
        """
        for element, attribute in places:
            if self.look(element, attribute):
                assert element is not None  # noqa: S101  (it has a text)
                return self.value(convert, element, attribute, row)
        return default

    def one_unit(self, convert: Convert, default: str, row: int, *measured: Measured) -> str:
        """The unit that all of several values share; empty, with an issue, where they do not share one."""
        found: list[tuple[str, Pair]] = []
        for value, *places in measured:
            if self.look(*value):
                held = next((place for place in places if self.look(*place)), value)
                found.append((self.unit(convert, default, row, *places), held))
        units = {unit for unit, _ in found}
        if len(units) == 1:
            return found[0][0]
        for unit, (element, attribute) in found[1:]:
            if unit and unit != found[0][0] and element is not None:
                reason = f"{unit!r} and {found[0][0]!r} cannot be added"
                self.issues.append(Issue("value.units-differ", element, attribute, row, unit, reason))
        return ""

    def pairs(self, *measured: Measured) -> list[tuple[etree._Element, str | None]]:
        """Every value with its unit beside it, as leaves."""
        return [
            (element, attribute)
            for value, *places in measured
            if self.look(*value)
            for element, attribute in (value, *[place for place in places if self.look(*place)][:1])
            if element is not None
        ]

    def ordinal(self, convert: Convert, number: int, element: etree._Element, row: int) -> str:
        """The place of an element among its like."""
        try:
            return convert(str(number), self.on)
        except Unfit as unfit:
            self.issues.append(Issue(unfit.code, element, None, row, str(number), unfit.reason))
            return ""

    def parted(self, text: str, size: int) -> tuple[str, str]:
        """A long text in two: what fits, and all the rest."""
        head, *rest = fold(text, size) or [""]
        return head, " ".join(rest)

    def overflow(self) -> None:
        """Raises Refused: the payload would grow beyond every measure."""
        raise Refused(
            [Finding("payload.too-large", "The payload of this document would be larger than any window takes.")]
        )

    def lost(self, row: int, reason: str, *leaves: tuple[etree._Element | None, str | None]) -> None:
        """Leaves that would have fitted, had something else been there."""
        for element, attribute in leaves:
            if element is not None:
                text = self.text(element, attribute)
                if text and not any((i.element, i.attribute, i.row) == (element, attribute, row) for i in self.issues):
                    self.issues.append(Issue("mapping.incomplete", element, attribute, row, text, reason))

    def too_many(self, group: int, element: etree._Element) -> None:
        """One more instance than the payload can hold."""
        self.issues.append(Issue("mapping.too-many", element, None, group, "", "the payload can hold no more of these"))

    def failed(self, row: int) -> bool:
        """Whether the last issue is this row's: its value was there and did not fit."""
        return bool(self.issues) and self.issues[-1].row == row

    @staticmethod
    def same(one: str, other: str) -> bool:
        """Whether two values are the same: whole numbers as numbers, however they are written, all else as text."""
        if one == other:
            return True
        numbers = [text.removeprefix("+").lstrip("0") or "0" for text in (one, other) if _WHOLE.fullmatch(text)]
        return len(numbers) == 2 and numbers[0] == numbers[1]

    def listed(self, codes: CodeList, text: str) -> bool:
        """Whether a code is in the edition of its list."""
        edition = codes.edition(self.on)
        return text in edition.codes or edition.translate(text) is not None

    def dated(self, text: str) -> None:
        """The document's own date picks the edition of every code list."""
        try:
            found = day(text) if text else ""
        except Unfit:
            found = ""
        self.on = date(int(found[:4]), int(found[4:6]), int(found[6:8])) if found else None

    def identify(  # noqa: PLR0917  (written by the compiler, in this order)
        self, known: Identifiers, element: etree._Element, attribute: str | None, value: str, kind: str, row: int
    ) -> None:
        """Check an identifier of a kind, if it has one; a wrong or unusual one is told, and travels on."""
        wrong = known.check(kind, value) if kind else None
        reason = wrong or (known.doubt(kind, value) if kind else None)
        if reason:
            code = "identifier.invalid" if wrong else "identifier.doubtful"
            self.issues.append(Issue(code, element, attribute, row, value, reason))

    @staticmethod
    def inside(walked: Sequence[tuple[etree._Element, object]]) -> list[tuple[etree._Element, str | None]]:
        """Every leaf of the elements of a scope."""
        return [leaf for element, _ in walked for leaf in leaves(element)]

    def moved(self, row: int, to: str, leaves: Sequence[tuple[etree._Element | None, str | None]]) -> None:
        """These leaves, whose last issues are of one row, found another place; its unit did not."""
        for at in range(len(self.issues) - 1, -1, -1):
            issue = self.issues[at]
            if issue.row != row or issue.code == "mapping.moved":
                break
            if (issue.element, issue.attribute) in leaves:
                reason = f"{issue.reason.rstrip('.')}; carried in {to} instead"
                self.issues[at] = issue._replace(code="mapping.moved", reason=reason)
                self.failures.discard((issue.row, issue.element, issue.attribute))

    def mark(
        self, note: tuple[int, tuple[Leaf, ...], tuple[Leaf, ...]], extra: tuple[Leaf, ...], attribute: str
    ) -> str:
        """The origin of a payload leaf, as a processing instruction that is taken off again."""
        row, sources, deciders = note
        self.notes.append(Note(row, sources, deciders + extra))
        return f"<?swb {len(self.notes) - 1} {attribute}?>"

    def leaf(self, element: etree._Element | None, attribute: str | None) -> tuple[Leaf, ...]:
        """The leaf, if it has a value."""
        if element is None:
            return ()
        raw = element.text if attribute is None else element.get(attribute)
        if not raw or raw.isspace():
            return ()
        return (element if attribute is None else (element, attribute),)

    def decider(
        self, element: etree._Element | None, attribute: str | None, home: etree._Element, path: str
    ) -> tuple[Leaf, ...]:
        """The leaf; where it has no value, its absence decided: the place where it would have been."""
        return self.leaf(element, attribute) or ((home, f"{ABSENT}{path}"),)

    def taken(self, row: int, *leaves: tuple[etree._Element | None, str | None]) -> tuple[Leaf, ...]:
        """The leaf that gave its row a value: the first that has one, unless it did not fit."""
        for element, attribute in leaves:
            if element is not None and self.clean(element.text if attribute is None else element.get(attribute)):
                return () if self._failed(row, element, attribute) else self.leaf(element, attribute)
        return ()

    def _failed(self, row: int, element: etree._Element, attribute: str | None) -> bool:
        """Whether the row could not carry the leaf; each issue is looked at once, however many there are."""
        for issue in self.issues[self.sorted :]:
            if issue.code not in PARTIAL:
                self.failures.add((issue.row, issue.element, issue.attribute))
        self.sorted = len(self.issues)
        return (row, element, attribute) in self.failures

    def passed(self, row: int, *leaves: tuple[etree._Element | None, str | None]) -> tuple[Leaf, ...]:
        """Leaves before the one that gave the value: there, but only a marker of absence."""
        taken = self.taken(row, *leaves)
        found: list[Leaf] = []
        for element, attribute in leaves:
            leaf = self.leaf(element, attribute)
            if not taken or leaf == taken:
                break
            found += leaf
        return tuple(found)

    def taken_unit(self, row: int, *measured: Measured) -> tuple[Leaf, ...]:
        """The unit's leaf at the source that gave the value."""
        for value, *places in measured:
            if self.taken(row, value):
                return self._unit_leaf(places)
        return ()

    def taken_measured(self, row: int, *measured: Measured) -> tuple[Leaf, ...]:
        """The leaf that gave the value, and its unit's."""
        for value, *places in measured:
            if taken := self.taken(row, value):
                return taken + self._unit_leaf(places)
        return ()

    def all_units(self, *measured: Measured) -> tuple[Leaf, ...]:
        """The unit's leaf of every one of several values."""
        found = [leaf for value, *places in measured if self.look(*value) for leaf in self._unit_leaf(places)]
        return tuple(dict.fromkeys(found))

    def _unit_leaf(self, places: Sequence[Pair]) -> tuple[Leaf, ...]:
        return next((leaf for place in places if (leaf := self.leaf(*place))), ())

    def all_taken(self, *leaves: tuple[etree._Element | None, str | None]) -> tuple[Leaf, ...]:
        """All of the leaves that have a value."""
        return tuple(leaf for e, a in leaves if e is not None and self.text(e, a) for leaf in self.leaf(e, a))

    def counted(self, elements: Sequence[etree._Element]) -> tuple[Leaf, ...]:
        """The counted elements: without one of them the count would differ."""
        return tuple(elements)

    def predicate(
        self, element: etree._Element | None, up: int, steps: Sequence[str], attribute: str
    ) -> tuple[Leaf, ...]:
        """The leaf that a predicate read, ``up`` levels above the element and down again."""
        for _ in range(up):
            element = element.getparent() if element is not None else None
        for step in steps:
            element = element.find(step) if element is not None else None
        return self.leaf(element, attribute or None)

    def instance(self, element: etree._Element) -> str:
        """The source element that an instance of a group stands for, as a processing instruction."""
        self.instances.append(element)
        return f"<?swb {len(self.instances) - 1} each?>"

    def tell_repeats(self, entries: Sequence[object]) -> None:
        """An issue for every further value of a place of which the payload shows the first, and nothing the others."""
        for capture, first, other in self.repeats:
            for row, attribute in capture.readers:
                text, shown = self.look(other, attribute), self.look(first, attribute)
                leaf, taken = (other, first) if attribute is None else ((other, attribute), (first, attribute))
                several = getattr(entries[row], "several", "")
                if text and text != shown and taken in self.used and (several or leaf not in self.used):
                    refused = several == "refuse"
                    code = "value.ambiguous" if refused else "mapping.several"
                    reason = f"{text!r} is not carried: there is one place, and {shown!r} came first"
                    if refused:
                        reason = f"{text!r} and {shown!r} are both named, and only one can be meant"
                    self.issues.append(Issue(code, other, attribute, row, text, reason))

    def unused(self) -> list[Leaf]:
        """What no row took: left by the walk, or claimed by a row that did not use it."""
        left = [leaf if isinstance(leaf, tuple) else (leaf, None) for leaf in self.claimed if leaf not in self.used]
        return list(dict.fromkeys([*self.left, *left]))


def escape(text: str) -> str:
    """Character data of XML 1.0."""
    if "&" in text or "<" in text or ">" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text


def escape_attribute(text: str) -> str:
    """An attribute value of XML 1.0, in double quotes."""
    return escape(text).replace('"', "&quot;")
