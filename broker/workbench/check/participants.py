"""Participants: what they accept can be met, what they demand can be asked, what they answer means what it should."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

from broker.content.payload_path import compile_xpath
from broker.model.errors import Misconfigured
from broker.registry import statuses as status_lists
from broker.windows.functions import functions
from broker.workbench.fault import DataFault, placed
from broker.workbench.xpath_names import literals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from broker.model.documents import Rule
    from broker.model.participants import Participant, RoutingRule
    from broker.registry.statuses import Statuses
    from broker.workbench.check.scope import CheckScope

_HOURS = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)[+-]([01]\d):([0-5]\d)")


def faults(scope: CheckScope) -> Iterator[DataFault]:
    """What is wrong with each participant, one after another."""
    try:
        statuses = status_lists.load(scope.root / "mappings" / "statuses")
    except (Misconfigured, OSError):
        statuses = None  # told with the answers
    for participant in scope.participants():
        file = f"mappings/participants/{participant.code}/participant.toml"
        for row, sentence in _all(participant, scope, statuses):
            yield placed(DataFault(file, sentence, row=row), scope.root, f'"{row}"' if row.isupper() else row, row)


def _all(participant: Participant, scope: CheckScope, statuses: Statuses | None) -> Iterator[tuple[str, str]]:
    yield from _identifiers(participant, scope)
    yield from _plain(participant, scope)
    for route in participant.accepts:
        yield from ((route.id, text) for text in _route(route, scope))
    for rule in participant.rules:
        yield from ((rule.id, text) for text in _rule(rule, participant, scope))
    ids = [*(route.id for route in participant.accepts), *(rule.id for rule in participant.rules)]
    yield from ((one, "the id stands there twice") for one in dict.fromkeys(ids) if ids.count(one) > 1)
    codes = [rule.code for rule in participant.rules]
    for rule in participant.rules:
        if codes.count(rule.code) > 1 and rule.code in codes[: participant.rules.index(rule)]:
            yield rule.id, f"its code {rule.code} is that of another rule: an answer with it would name the wrong one"
    if participant.kind == "window" and statuses is not None:
        yield from _answers(participant, statuses)


def _identifiers(participant: Participant, scope: CheckScope) -> Iterator[tuple[str, str]]:
    for one in participant.identifiers:
        try:
            reason = scope.catalogue.identifiers.check(one.scheme, one.value)
        except Misconfigured as error:
            reason = str(error)
        if reason:
            yield "identifiers", f"identifiers: {reason}"


def _plain(participant: Participant, scope: CheckScope) -> Iterator[tuple[str, str]]:
    """Countries, hours, numbers and paths that stand by themselves."""
    countries = scope.catalogue.code_lists.get("iso-3166-1")
    if participant.economy and countries and countries.reason_against(participant.economy, None):
        yield "economy", f"economy: {participant.economy!r} is no country of iso-3166-1"
    limits, policy = participant.limits, participant.policy
    for name, number in (("size", limits.size), ("rate", limits.rate), ("retention_days", policy.retention_days)):
        if number is not None and number <= 0:
            yield name, f"{name} must be more than 0, and is {number}"
    if limits.opening and not _HOURS.fullmatch(limits.opening):
        yield "opening", f"opening: {limits.opening} are no hours of a day"
    for path in policy.redaction:
        _, unknown = scope.payload.follow(path, scope.payload.start)
        if unknown:
            yield "redaction", f"redaction: {path}: the payload has no {unknown[0]} there, so nothing would be kept out"
    if participant.answers.delay < 0:
        yield "delay", f"delay must not be less than 0, and is {participant.answers.delay}"


def _route(route: RoutingRule, scope: CheckScope) -> Iterator[str]:
    """What an entry of ``accepts`` names that is not here, and what lets it take nothing, or everything."""
    yield from _kinds(route, scope)
    yield from _conditions(route, scope)
    if route.valid_from and route.valid_until and route.valid_until < route.valid_from:
        yield f"valid_until {route.valid_until} is before valid_from {route.valid_from}, so it takes nothing"
    value = route.value
    if value and value.at_least is not None and value.at_most is not None and value.at_most < value.at_least:
        yield f"value: at_most {value.at_most} is less than at_least {value.at_least}, so it takes nothing"
    if value and value.unit:
        known = [one for one in ("iso-4217", "unece-rec-20") if one in scope.catalogue.code_lists]
        if known and all(scope.catalogue.code_lists[one].reason_against(value.unit, None) for one in known):
            yield f"value: the unit {value.unit!r} is no currency and no unit of measure"


def _kinds(route: RoutingRule, scope: CheckScope) -> Iterator[str]:
    families = {document_type.family for document_type in scope.catalogue.document_types.values()}
    if route.family and route.family not in families:
        yield f"there is no family {route.family}; there are {', '.join(sorted(families))}"
    for name in route.types:
        if name not in scope.catalogue.document_types:
            yield f"there is no document type {name}"
        elif route.family and name.partition("/")[0] != route.family:
            yield f"{name} is not of the family {route.family}, so the entry takes nothing"
    if not (route.family or route.types):
        yield "says neither family nor types, so it would take documents of every kind"


def _conditions(route: RoutingRule, scope: CheckScope) -> Iterator[str]:
    paths = [path.text for test in (route.when.tests() if route.when else ()) for path in test.paths()]
    for expression in (*paths, *([route.value.path] if route.value else [])):
        for unknown in scope.payload.follow(expression, scope.payload.start)[1]:
            yield f"{expression}: the payload has no {unknown} there"


def _rule(rule: Rule, participant: Participant, scope: CheckScope) -> Iterator[str]:
    """Names that the payload has not, lists and numberings that are not here, languages without a sentence."""
    here, unknown = scope.payload.follow(rule.each, scope.payload.start)
    yield from (f"each: the payload has no {name} there" for name in unknown)
    for key, expression in (("when", rule.when), ("test", rule.test), ("at", rule.at)):
        if expression and here:
            yield from (_unknown(key, name) for name in scope.payload.follow(expression, here)[1])
        yield from (f"{key}: {text}" for text in _arguments(expression, scope))
    yield from _asked(rule, scope)
    for language in participant.languages:
        if not rule.message.get(language):
            yield f"message.{language} is missing, and {participant.name} speaks {', '.join(participant.languages)}"


def _arguments(expression: str, scope: CheckScope) -> Iterator[str]:
    """Lists, numberings and patterns that its functions are called with, and that there are not."""
    for name in literals(expression, "in-list", {}, bare=True):
        if name not in scope.catalogue.code_lists:
            yield f"there is no code list {name!r}"
    for name in literals(expression, "valid-id", {}, bare=True):
        if name not in scope.catalogue.identifiers.kinds:
            yield f"there is no identifier kind {name!r}"
    for pattern in literals(expression, "matches", {}, bare=True, argument=1):
        try:
            re.compile(pattern)
        except re.error as error:
            yield f"{pattern!r} is no pattern: {error}"


def _unknown(key: str, name: str) -> str:
    return f"{key}: {name}" if " " in name else f"{key}: the payload has no {name} there"


def _asked(rule: Rule, scope: CheckScope) -> Iterator[str]:
    """What libxml2 says of the expressions when they are asked of a payload with nothing in it."""
    nothing = etree.Element("{urn:wco:datamodel:WCO:DEC-DMS:2}Declaration")
    for key, expression in (("each", rule.each), ("when", rule.when), ("test", rule.test), ("at", rule.at)):
        if not expression:
            continue
        try:
            compile_xpath(expression, functions(scope.catalogue))(nothing, today="20260101")
        except (etree.XPathError, TypeError, Misconfigured, KeyError, re.error) as error:
            yield f"{key}: {expression!r} cannot be asked: {error}"


def _answers(participant: Participant, statuses: Statuses) -> Iterator[tuple[str, str]]:
    """The last step of each verdict must mean that verdict in the words of the window's own list."""
    answers = participant.answers
    known = statuses.lists.get(answers.dialect)
    if known is None:
        yield "dialect", f"answers: there is no status list {answers.dialect!r}; there are {', '.join(statuses.lists)}"
        return
    for code, state in answers.states.items():
        if state not in statuses.states:
            yield "states", f"answers.states.{code}: {state!r} is no canonical state"
    for verdict, steps in (("accepted", answers.accepted), ("rejected", answers.rejected)):
        for last, step in ((step is steps[-1], step) for step in steps):
            codes = [f"{step.function}/{step.status}", step.function] if step.status else [step.function]
            state = next((answers.states[c] for c in codes if c in answers.states), "") or next(
                (known.codes[c].state for c in codes if c in known.codes and known.codes[c].state), ""
            )
            means = statuses.states[state].verdict if state in statuses.states else ""
            told = f"answers.{verdict}: {codes[0]} means {state or 'nothing'} in {known.name}"
            if last and means != verdict and (means or not state):
                yield verdict, f"{told}, where the window's answer must be {verdict}"
            elif not last and means and means != verdict:
                yield verdict, f"{told}, on the way to {verdict}"
