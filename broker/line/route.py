"""Payload to the participants that accept it, and why the others do not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING

from broker.content.payload_path import elements, values
from broker.model.participants import Routing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml import etree

    from broker.model.conditions import Condition, Test
    from broker.model.documents import DocumentType, Payload
    from broker.model.outcomes import Catalogue
    from broker.model.participants import Participant, RoutingRule, ValueRange

_CLASSIFICATION = "GoodsShipment/GovernmentAgencyGoodsItem/Commodity/Classification/ID"
_WORDS = re.compile(r"[\w .-]+(\|[\w .-]+)*")
"""A pattern that only lists words."""
_ISSUED = "IssueDateTime/DateTimeString"
_DECISIONS = 1024
"""Remembered for each document type."""
_TYPES = 256
"""Document types (times catalogues) whose decisions are remembered."""
_Values = tuple[tuple[str, str], ...]
_KNOWN: dict[tuple[int, int], _Decisions] = {}


def route(document_type: DocumentType, payload: Payload, catalogue: Catalogue) -> tuple[Routing, ...]:
    """For every window the rule by which it accepts the payload, or a plain reason why it does not."""
    return _decisions(document_type, catalogue).about(payload)


class _Decisions:
    """What the windows decide about one document type. Equal facts, equal decisions: those of late are remembered.

    Facts are read one after the other, each when a rule asks for it: a payload is read no further than is needed.
    """

    def __init__(self, document_type: DocumentType, catalogue: Catalogue) -> None:
        self.made_for = (document_type, catalogue)
        self._type, self._windows = document_type, catalogue.windows()
        self._least = min((w.limits.size for w in self._windows if w.limits.size is not None), default=None)
        self._decide = lru_cache(_DECISIONS)(self._decided)

    def about(self, payload: Payload) -> tuple[Routing, ...]:
        """The decision of each window; a size counts only where one of them limits it."""
        size = len(payload.content)
        size = size if self._least is not None and size > self._least else 0
        known: tuple[tuple[_Place, _Values], ...] = ()
        while isinstance(found := self._decide(known, size), _Place):
            known = (*known, (found, found.read(payload.root)))
        return found

    def _decided(self, known: tuple[tuple[_Place, _Values], ...], size: int) -> tuple[Routing, ...] | _Place:
        """The decisions, or the place that must be read first."""
        facts = _Facts(self._type, dict(known))
        try:
            return tuple(_ask(window, facts, size) for window in self._windows)
        except _Unread as unread:
            return unread.place


def _decisions(document_type: DocumentType, catalogue: Catalogue) -> _Decisions:
    """Those of the type in its catalogue, made when they are first asked for."""
    key = id(document_type), id(catalogue)
    found = _KNOWN.get(key)
    if found is None:
        if len(_KNOWN) >= _TYPES:
            _KNOWN.clear()
        found = _KNOWN[key] = _Decisions(document_type, catalogue)
    return found


@dataclass(frozen=True, slots=True)
class _Place:
    """A place of the payload that rules look at: its texts, or its amounts, each with its unit or currency."""

    path: str
    is_measured: bool = False

    def read(self, root: etree._Element) -> _Values:
        if self.is_measured:
            nodes = elements(root, self.path)
            return tuple((n.get("currencyID") or n.get("unitCode") or "", (n.text or "").strip()) for n in nodes)
        return tuple(("", text) for text in values(root, self.path) if text)


class _Unread(Exception):
    """A rule looks at a place that has not been read yet."""

    def __init__(self, place: _Place) -> None:
        super().__init__(place.path)
        self.place = place


@dataclass(frozen=True, slots=True)
class _Facts:
    """What rules look at, as far as it has been read."""

    type: DocumentType
    known: Mapping[_Place, _Values]

    def at(self, path: str) -> tuple[str, ...]:
        """The texts that stand there."""
        return tuple(text for _, text in self._of(_Place(path)))

    def measured(self, path: str) -> _Values:
        """Unit (or currency) and text of what stands there."""
        return self._of(_Place(path, is_measured=True))

    def _of(self, place: _Place) -> _Values:
        if place not in self.known:
            raise _Unread(place)
        return self.known[place]


def _ask(window: Participant, facts: _Facts, size: int) -> Routing:
    if window.limits.size is not None and size > window.limits.size:
        return Routing(window.code, None, f"takes {window.limits.size:,} bytes, the payload has {size:,}")
    reasons: list[str] = []
    for rule in window.accepts:
        reason = _why_not(rule, facts)
        if reason is None:
            return Routing(window.code, rule.id, f"{rule.id} holds")
        reasons.append(f"{rule.id}: {reason}")
    return Routing(window.code, None, "; ".join(reasons) or "it accepts no documents at all")


def _why_not(rule: RoutingRule, facts: _Facts) -> str | None:
    """None when every part of the rule holds; else the first that does not, in words."""
    if rule.family and rule.family != facts.type.family:
        return f"takes {rule.family} documents, this is {facts.type.family}"
    if rule.types and facts.type.name not in rule.types:
        return f"takes {', '.join(rule.types)}, this is {facts.type.name}"
    return (
        (_unmet(rule.when, facts) if rule.when else None)
        or _chapter(rule, facts)
        or _date(rule, facts)
        or (_value(rule.value, facts) if rule.value else None)
    )


def _unmet(condition: Condition, facts: _Facts) -> str | None:
    """None when the condition holds; else why it does not, with what was found."""
    if condition.test is not None:
        return _untrue(condition.test, facts)
    if condition.operator == "not":
        (inner,) = condition.parts
        if _unmet(inner, facts) is not None:
            return None
        found = [f"{path.text} = {_shown(facts.at(path.text))}" for test in inner.tests() for path in test.paths()]
        return f"does not take {', '.join(dict.fromkeys(found))}"
    reasons = [reason for part in condition.parts if (reason := _unmet(part, facts)) is not None]
    if condition.operator == "and":
        return next(iter(reasons), None)
    return " or ".join(dict.fromkeys(reasons)) if len(reasons) == len(condition.parts) else None


def _untrue(test: Test, facts: _Facts) -> str | None:
    """As XPath 1.0 has it: a comparison holds when it does for one of the values, a function takes the first."""
    found = facts.at(test.path.text)
    wanted = facts.at(test.other.text) if test.other else (test.value,)
    match test.operator:
        case "exists":
            holds, expected = bool(found), ""
        case "matches":
            holds = re.fullmatch(test.value, found[0]) is not None if found else False
            expected = f" = {' or '.join(test.value.split('|'))}" if _WORDS.fullmatch(test.value) else f" {test.value}"
        case operator:
            pairs = ((one, other) for one in found for other in wanted)
            holds = any((one == other) == (operator == "=") for one, other in pairs)
            expected = f" {operator} {test.other.text if test.other else test.value}"
    return None if holds else f"wants {test.path.text}{expected}, found {_shown(found)}"


def _chapter(rule: RoutingRule, facts: _Facts) -> str | None:
    if not rule.chapters:
        return None
    found = {code[:2] for code in facts.at(_CLASSIFICATION) if code[:2].isdigit()}
    if found & set(rule.chapters):
        return None
    return f"takes HS chapters {', '.join(rule.chapters)}, found {_shown(tuple(sorted(found)))}"


def _date(rule: RoutingRule, facts: _Facts) -> str | None:
    if rule.valid_from is None and rule.valid_until is None:
        return None
    issued = next(iter(facts.at(_ISSUED)), "")[:8]
    if not issued:
        return "needs a date of issue, found none"
    if rule.valid_from and issued < rule.valid_from.strftime("%Y%m%d"):
        return f"is in force from {rule.valid_from}, this was issued on {issued}"
    if rule.valid_until and issued > rule.valid_until.strftime("%Y%m%d"):
        return f"was in force until {rule.valid_until}, this was issued on {issued}"
    return None


def _value(wanted: ValueRange, facts: _Facts) -> str | None:
    found = facts.measured(wanted.path)
    if not found:
        return f"needs a value at {wanted.path}, found none"
    for unit, text in found:
        if wanted.unit and unit != wanted.unit:
            return f"wants {wanted.path} in {wanted.unit}, found {unit or 'no unit'}"
        if not _lies_within(text, wanted):
            return f"wants {wanted.path} {_range(wanted)}, found {text}"
    return None


def _lies_within(text: str, wanted: ValueRange) -> bool:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return False
    return (wanted.at_least is None or amount >= wanted.at_least) and (
        wanted.at_most is None or amount <= wanted.at_most
    )


def _range(wanted: ValueRange) -> str:
    parts = []
    if wanted.at_least is not None:
        parts.append(f"at least {wanted.at_least}")
    if wanted.at_most is not None:
        parts.append(f"at most {wanted.at_most}")
    return " and ".join(parts)


def _shown(found: tuple[str, ...]) -> str:
    return ", ".join(dict.fromkeys(found)) or "nothing"
