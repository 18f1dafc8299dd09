"""Reads ``mappings/participants``: who is connected, what they accept, what their profile demands, how they answer."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lxml import etree

from broker.content.conditions import BadPath, read_condition
from broker.content.payload_path import compile_xpath
from broker.model.errors import Misconfigured
from broker.model.ids import DocumentTypeName, ParticipantCode
from broker.model.participants import (
    Answering,
    AnswerStep,
    Limits,
    Participant,
    PartyId,
    Policy,
    RoutingRule,
    ValueRange,
    Wait,
)
from broker.registry.rules import filled, load_shared, rule_of
from broker.toml_table import Table, read_toml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from broker.model.conditions import Condition
    from broker.model.documents import Rule
    from broker.registry.rules import SharedRules

_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
RESERVED = frozenset({"retry", "intake", "facts", "answers", "duplicates", "conversations", "references", "writeoff"})
RESERVED |= {"tracking", "deadletter", "relay", "swb"}
"""Codes that would give a participant's topics names of the relay's own, or nearly."""
_VALIDATION_CODE = re.compile(r"\S{1,8}")  # WCO 377, an..8
_FUNCTION_CODE = re.compile(r"\d{1,2}")  # WCO 017, n..2
_CHAPTERS = re.compile(r"(\d\d)(?:-(\d\d))?")
_OPENING = re.compile(r"\d\d:\d\d-\d\d:\d\d[+-]\d\d:\d\d")
_DURATION = re.compile(r"([1-9]\d*)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_BY_ID = frozenset({"accepts", "rules"})
STEPS = ("delivery", "receipt", "decision")
"""What a window may keep others waiting for: the payload in its inbox, its first word, its verdict."""


def load_participants(folder: Path) -> dict[ParticipantCode, Participant]:
    """Every participant below the folder by its code; raises Misconfigured with file, place and remedy."""
    shared = load_shared(folder.parent / "rules")
    found = {p.code: p for p in (load_participant(file, shared) for file in participant_files(folder))}
    refuse_doubles(found)
    return found


def participant_files(folder: Path) -> list[Path]:
    """What describes each participant."""
    return sorted(folder.glob("*/participant.toml"))


def load_participant(file: Path, shared: SharedRules | None = None) -> Participant:
    """One participant.toml; its folder's name is the code. Shared rules are those of its data folder, if not given."""
    code = file.parent.name
    shared = load_shared(file.parents[2] / "rules") if shared is None else shared
    if code in RESERVED:
        raise Misconfigured(f"{file.parent}: the code {code} is reserved: the broker's own topics are called so")
    if not _CODE.fullmatch(code):
        raise Misconfigured(f"{file.parent}: a participant's folder is its code: lower case letters, digits, hyphens")
    table = Table(_with_base(file), str(file))
    participant = Participant(
        code=ParticipantCode(code),
        name=table.text("name"),
        kind=table.choice("kind", ("agency", "window"), "agency"),
        economy=table.text("economy", ""),
        profile=table.text("profile", ""),
        languages=table.texts("languages") or ("en",),
        identifiers=tuple(_party_id(t) for t in table.tables("identifiers")),
        accepts=tuple(_routing_rule(t) for t in table.tables("accepts")),
        rules=tuple(_rule(Table(filled(entry, shared, place), place)) for place, entry in table.placed("rules")),
        answers=_answering(table.table("answers")),
        limits=_limits(table.table("limits")),
        patience=_patience(table.table("patience")),
        policy=_policy(table.table("policy")),
        folder=str(file.parent),
        extends=ParticipantCode(table.text("extends")) if "extends" in table else None,
    )
    table.end()
    _refuse_contradictions(participant, table)
    return participant


def _with_base(file: Path, above: tuple[str, ...] = ()) -> dict[str, Any]:
    """What a participant.toml says, and for the rest what the participant says that it ``extends``.

    Lists of entries with an id take over those of the base but for the ids they name, tables but for their keys.
    """
    own = read_toml(file)
    base = own.get("extends")
    if not isinstance(base, str):
        return own
    if base in (*above, file.parent.name):
        raise Misconfigured(f"{file}: extends: {base} extends this participant itself")
    whole = _with_base(file.parent.parent / base / file.name, (*above, file.parent.name))
    for key, value in own.items():
        known = whole.get(key)
        if key in _BY_ID and isinstance(known, list) and isinstance(value, list):
            named = [entry.get("id") for entry in value if isinstance(entry, dict)]
            kept = [entry for entry in known if entry.get("id") not in named]
            whole[key] = kept + [e for e in value if not (isinstance(e, dict) and e.get("remove") is True)]
        elif isinstance(known, dict) and isinstance(value, dict):
            whole[key] = {**known, **value}
        else:
            whole[key] = value
    return whole


def _party_id(table: Table) -> PartyId:
    found = PartyId(table.text("scheme"), table.text("value"))
    table.end()
    return found


def _routing_rule(table: Table) -> RoutingRule:
    when = table.text("when", "")
    rule = RoutingRule(
        id=table.text("id"),
        family=table.text("family", ""),
        types=tuple(DocumentTypeName(t) for t in table.texts("types")),
        when=_condition(table, when) if when else None,
        when_text=when,
        chapters=_chapters(table),
        value=_value(table.table("value")),
        valid_from=table.day("valid_from"),
        valid_until=table.day("valid_until"),
    )
    table.end()
    return rule


def _condition(table: Table, text: str) -> Condition:
    """The condition of a route; its paths are XPath too, and a code list has no day here to pick an edition by."""
    try:
        condition = read_condition(text, {})
    except BadPath as error:
        raise table.wrong(f"when: {error}") from None
    for test in condition.tests():
        if test.operator == "in-list":
            raise table.wrong("when: a route asks no code list; write matches(path, 'A|B')")
        for path in test.paths():
            if path.up:
                raise table.wrong(f"when: {path.text}: a path of a route starts at the Declaration, without / or ../")
            _compile(table, "when", path.text)
    return condition


def _chapters(table: Table) -> tuple[str, ...]:
    """``["01-24", "44"]``, each chapter by itself."""
    is_said = "chapters" in table.unread()
    chapters: list[str] = []
    for text in table.texts("chapters"):
        match = _CHAPTERS.fullmatch(text)
        found = [f"{n:02}" for n in range(int(match[1]), int(match[2] or match[1]) + 1)] if match else []
        if not found:
            raise table.wrong(f'chapters: write "07" or "01-24", not {text!r}')
        chapters += found
    if is_said and not chapters:
        raise table.wrong("chapters names none; without the key all are taken")
    return tuple(chapters)


def _value(table: Table) -> ValueRange | None:
    if not table:
        return None
    found = ValueRange(table.text("path"), table.decimal("at_least"), table.decimal("at_most"), table.text("unit", ""))
    table.end()
    if found.at_least is None and found.at_most is None:
        raise table.wrong("give at_least, at_most or both")
    _compile(table, "path", found.path)
    return found


def _rule(table: Table) -> Rule:
    code = table.text("code")
    rule = replace(rule_of(table), code=code)
    if not rule.test:
        raise table.wrong(f"{rule.id}: a window's rule has a test")
    for key in ("each", "when", "test", "at"):
        _compile(table, key, getattr(rule, key))
    if not _VALIDATION_CODE.fullmatch(rule.code):
        raise table.wrong(f"{rule.id}: code {rule.code!r} must have 1 to 8 characters and no blanks (WCO 377)")
    return rule


def _answering(table: Table) -> Answering:
    answering = Answering(
        form=table.text("form", ""),
        dialect=table.text("dialect", "dms"),
        key=table.choice("key", ("message", "mrn", "own"), "message"),
        reference=table.text("reference", ""),
        delay=table.seconds("delay"),
        accepted=tuple(_step(t) for t in table.tables("accepted")),
        rejected=tuple(_step(t) for t in table.tables("rejected")),
        states=table.names("states"),
    )
    table.end()
    return answering


def _step(table: Table) -> AnswerStep:
    step = AnswerStep(
        table.text("function"),
        table.text("status", ""),
        table.choice("by", ("reference", "mrn"), "reference"),
    )
    table.end()
    if not _FUNCTION_CODE.fullmatch(step.function):
        raise table.wrong(f"function {step.function!r} must have one or two digits (WCO 017)")
    return step


def _limits(table: Table) -> Limits:
    limits = Limits(table.whole("size"), table.whole("rate"), table.text("opening", ""))
    table.end()
    if limits.opening and not _OPENING.fullmatch(limits.opening):
        raise table.wrong(f'opening must look like "07:00-19:00-05:00", not {limits.opening!r}')
    return limits


def _patience(table: Table) -> dict[str, Wait]:
    waits = {}
    for step in [name for name in STEPS if name in table.unread()]:
        entry = table.table(step)
        after, give_up = _duration(entry, entry.text("after")), entry.text("give_up", "")
        escalate = tuple(_duration(entry, text) for text in entry.texts("escalate"))
        entry.end()
        try:
            waits[step] = Wait(after, escalate, _duration(entry, give_up) if give_up else None)
        except ValueError as error:
            raise entry.wrong(str(error)) from None
    table.end()
    return waits


def _duration(table: Table, text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise table.wrong(f'a time is written "30s", "15m", "4h" or "2d", not {text!r}')
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _policy(table: Table) -> Policy:
    policy = Policy(
        duplicates=table.choice("duplicates", ("answer", "ignore"), "answer"),
        strict=table.flag("strict", default=False),
        redaction=table.texts("redaction"),
        retention_days=table.whole("retention_days"),
    )
    table.end()
    return policy


def _compile(table: Table, key: str, expression: str) -> None:
    if not expression:
        return
    try:
        compile_xpath(expression)
    except etree.XPathSyntaxError as error:
        raise table.wrong(f"{key}: {expression!r} is not XPath 1.0: {error}") from None


def _refuse_contradictions(participant: Participant, table: Table) -> None:
    if participant.kind == "agency":
        if participant.accepts or participant.rules:
            raise table.wrong("an agency sends documents; accepts and rules belong to windows")
        return
    if not participant.accepts:
        raise table.wrong("a window needs at least one entry in accepts")
    if not participant.profile:
        raise table.wrong("profile is missing: say who published the window's profile, or that it is our own")
    if not participant.answers.accepted or not participant.answers.rejected:
        raise table.wrong("a window needs answers.accepted and answers.rejected: the function codes it sends")


def refuse_doubles(participants: Mapping[ParticipantCode, Participant]) -> None:
    """A rule's id stands in answers and sample names, so it is one rule in the whole catalogue, taken over or not."""
    owner: dict[str, Participant] = {}
    for participant in participants.values():
        for rule_id in (*(r.id for r in participant.accepts), *(r.id for r in participant.rules)):
            known = owner.setdefault(rule_id, participant)
            if known is not participant and _first(known, participants) != _first(participant, participants):
                file = f"{participant.folder}/participant.toml"
                raise Misconfigured(f"{file}: rule {rule_id} exists already in {known.folder}")


def _first(participant: Participant, participants: Mapping[ParticipantCode, Participant]) -> ParticipantCode:
    """The participant that it extends, and that extends none."""
    while participant.extends:
        participant = participants[participant.extends]
    return participant.code
