"""Whether a certificate may be lodged: issued, in force and not revoked, as the tables of type and envelopes say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from broker.content.instants import Span, span
from broker.content.json_tree import is_json, json_pointer
from broker.content.xml import line_of, pointer, shown
from broker.model.findings import Finding, Severity
from broker.validate.rules import places

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from broker.model.documents import Document
    from broker.model.issuance import Issuance, Mark, Period, StateMark

NOT_ISSUED, UNKNOWN, MISSING = "state.not-issued", "state.unknown", "state.missing"
EXPIRED, NOT_YET, NO_DATE = "state.expired", "state.not-yet-valid", "state.no-date"


def issuance_findings(document: Document, moment: datetime | None) -> Iterator[Finding]:
    """What speaks against lodging it at that moment (None: the calendar is not asked), and what nobody checked."""
    absent: frozenset[str] = getattr(document.type.mapping, "absent", frozenset())
    at = Span.at(moment) if moment else None
    for opened in document.envelopes:
        envelope = opened.envelope
        if envelope.issuance is not None:
            yield from _Lodgeable(opened.root, envelope.namespaces, opened.offset, frozenset()).judge(
                envelope.issuance, at
            )
    own = _Lodgeable(document.root, document.type.namespaces, document.line_offset, absent)
    if document.type.issuance is not None:
        yield from own.judge(document.type.issuance, at)


def check_issuance(issuance: Issuance, namespaces: Mapping[str, str], what: str) -> None:
    """Raises Misconfigured for an expression that is no XPath or uses a prefix nobody declared."""
    nothing, prefixes = etree.Element("nothing"), tuple(sorted(namespaces.items()))
    for expression in issuance.expressions():
        list(places(nothing, expression, prefixes, what))


@dataclass(frozen=True, slots=True)
class _Found:
    """A text, and where it stands."""

    text: str
    pointer: str
    line: int | None

    def objection(self, code: str, message: str, severity: Severity = Severity.ERROR) -> Finding:
        return Finding(code, message, severity, self.pointer, self.line, shown(self.text) or None)


@dataclass(frozen=True, slots=True)
class _Lodgeable:
    """A root with what is needed to look things up below it."""

    root: etree._Element
    namespaces: Mapping[str, str]
    offset: int
    absent: frozenset[str]

    def judge(self, table: Issuance, moment: Span | None) -> Iterator[Finding]:
        for state in table.states:
            yield from self._state(state)
        for period in table.periods:
            yield from self._period(period, moment)
        for mark in table.revoked:
            yield from self._mark(mark, Severity.ERROR)
        for mark in table.unchecked:
            yield from self._mark(mark, Severity.WARNING)

    def _state(self, state: StateMark) -> Iterator[Finding]:
        said = list(self._texts(state.at))
        if not said and state.is_required:
            yield self._here().objection(MISSING, "The document does not say in which state it is.")
        for one in said:
            word = one.text.casefold()
            if word in state.refused:
                meaning = state.refused[word]
                yield one.objection(
                    NOT_ISSUED, f"The document is {meaning}; only what is issued and in force is taken."
                )
            elif word not in state.issued and word not in state.ended:
                yield one.objection(
                    UNKNOWN, "Nothing is known of this state; only what is issued and in force is taken."
                )

    def _period(self, period: Period, moment: Span | None) -> Iterator[Finding]:
        begins, until = (list(self._texts(path)) if path else [] for path in (period.begins, period.until))
        for one in (*begins, *until):
            if span(one.text) is None:
                yield one.objection(NO_DATE, "This is no date, so nobody can tell whether the document is in force.")
        starts = [(one, when) for one in begins if (when := span(one.text))]
        ends = [(one, when) for one in until if (when := span(one.text))]
        for one, when in ends:
            if any(when.is_before(start) for _, start in starts):
                yield one.objection(EXPIRED, "The document ceases to hold before it begins to.")
            elif moment and when.is_before(moment):
                yield one.objection(EXPIRED, "The document is no longer in force.")
        for one, when in starts:
            if moment and moment.is_before(when):
                yield one.objection(NOT_YET, "The document is not in force yet.")

    def _mark(self, mark: Mark, severity: Severity) -> Iterator[Finding]:
        for one in list(self._texts(mark.at, empty=True))[:1]:
            yield one.objection(mark.code, mark.message, severity)

    def _texts(self, expression: str, *, empty: bool = False) -> Iterator[_Found]:
        """What stands there; markers of absence do not."""
        for node, attribute in places(self.root, expression, tuple(sorted(self.namespaces.items())), expression):
            text = ((node.get(attribute) if attribute else node.text) or "").strip()
            if (text and text not in self.absent) or (empty and len(node)):
                yield _Found(text, self._pointer(node, attribute), line_of(node, self._offset()))

    def _here(self) -> _Found:
        return _Found("", self._pointer(self.root), line_of(self.root, self._offset()))

    def _pointer(self, node: etree._Element, attribute: str | None = None) -> str:
        return json_pointer(node) if self._is_json() else pointer(node, attribute)

    def _offset(self) -> int:
        return 0 if self._is_json() else self.offset

    def _is_json(self) -> bool:
        return is_json(self.root.getroottree().getroot())
