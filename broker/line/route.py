"""Payload to the participants that accept it, and why the others do not."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from broker.content.payload_path import elements, values
from broker.model.participants import Routing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml import etree

    from broker.model.documents import DocumentType, Payload
    from broker.model.outcomes import Catalogue
    from broker.model.participants import Participant, RoutingRule, ValueRange

ANY = "*"
"""In a rule's ``when`` or ``unless``: whatever stands there, as long as something does."""
_CLASSIFICATION = "GoodsShipment/GovernmentAgencyGoodsItem/Commodity/Classification/ID"
_ISSUED = "IssueDateTime/DateTimeString"


def route(document_type: DocumentType, payload: Payload, catalogue: Catalogue) -> tuple[Routing, ...]:
    """For every window the rule by which it accepts the payload, or a plain reason why it does not."""
    facts = _Facts(document_type, payload.root)
    return tuple(_ask(window, facts, len(payload.content)) for window in catalogue.windows())


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


class _Facts:
    """What rules look at, read from the payload when first asked for."""

    def __init__(self, document_type: DocumentType, root: etree._Element) -> None:
        self.type = document_type
        self._root = root
        self._found: dict[str, tuple[str, ...]] = {}

    def at(self, expression: str) -> tuple[str, ...]:
        if expression not in self._found:
            self._found[expression] = tuple(v for v in values(self._root, expression) if v)
        return self._found[expression]

    def nodes(self, expression: str) -> list[etree._Element]:
        return elements(self._root, expression)


def _why_not(rule: RoutingRule, facts: _Facts) -> str | None:
    """None when every part of the rule holds; else the first that does not, in words."""
    if rule.family and rule.family != facts.type.family:
        return f"takes {rule.family} documents, this is {facts.type.family}"
    if rule.types and facts.type.name not in rule.types:
        return f"takes {', '.join(rule.types)}, this is {facts.type.name}"
    return (
        _when(rule.when, facts)
        or _unless(rule.unless, facts)
        or _chapter(rule, facts)
        or _date(rule, facts)
        or (_value(rule.value, facts) if rule.value else None)
    )


def _when(conditions: Mapping[str, tuple[str, ...]], facts: _Facts) -> str | None:
    for expression, wanted in conditions.items():
        found = facts.at(expression)
        if not (found if ANY in wanted else set(found) & set(wanted)):
            expected = "" if ANY in wanted else f" = {' or '.join(wanted)}"
            return f"wants {expression}{expected}, found {_shown(found)}"
    return None


def _unless(conditions: Mapping[str, tuple[str, ...]], facts: _Facts) -> str | None:
    for expression, unwanted in conditions.items():
        found = facts.at(expression)
        if found and (ANY in unwanted or set(found) & set(unwanted)):
            return f"does not take {expression} = {_shown(found)}"
    return None


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
    nodes = facts.nodes(wanted.path)
    if not nodes:
        return f"needs a value at {wanted.path}, found none"
    for node in nodes:
        unit = node.get("currencyID") or node.get("unitCode") or ""
        text = (node.text or "").strip()
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
