"""Participants: agencies and single windows, what they accept, demand and were promised."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from decimal import Decimal

    from broker.model.conditions import Condition
    from broker.model.documents import Rule
    from broker.model.ids import DocumentTypeName, ParticipantCode


@dataclass(frozen=True, slots=True)
class ValueRange:
    """Bounds on an amount or measure of the payload; every value found at ``path`` must lie between them."""

    path: str
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    unit: str = ""
    """Currency or unit code the value must carry; empty: any."""


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """A condition under which a participant accepts a document: every part that is given must hold."""

    id: str
    family: str = ""
    types: tuple[DocumentTypeName, ...] = ()
    when: Condition | None = None
    """On the Declaration, names without prefixes; None: always."""
    when_text: str = ""
    chapters: tuple[str, ...] = ()
    """HS chapters (two digits), of which one must be among the goods."""
    value: ValueRange | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    """First and last day of issue that the rule covers."""


@dataclass(frozen=True, slots=True)
class PartyId:
    """An identifier of an organisation, and whose numbering it is."""

    scheme: str
    value: str


@dataclass(frozen=True, slots=True)
class AnswerStep:
    """One Response a window sends about a message: WCO FunctionCode (017) and, where it gives one, Status (379)."""

    function: str
    status: str = ""
    by: Literal["reference", "mrn"] = "reference"
    """What it names the message by: our reference, or nothing but the window's own MRN."""


@dataclass(frozen=True, slots=True)
class Answering:
    """How a participant is answered (an agency) or answers (a window)."""

    form: str = ""
    """Agency: the form its answers take, ``wco-response`` for instance; empty: that of the document's own type."""
    dialect: str = "dms"
    """Window: whose meaning of the function codes it uses."""
    key: Literal["message", "mrn", "own"] = "message"
    """Window: what it keys its answers by: our reference, its own MRN, or a number nobody else knows."""
    reference: str = ""
    """Window: how it numbers declarations; each ``#`` is a digit."""
    delay: float = 0.0
    """Window: seconds until the mock answers."""
    accepted: tuple[AnswerStep, ...] = ()
    rejected: tuple[AnswerStep, ...] = ()
    states: Mapping[str, str] = field(default_factory=dict)
    """Window: its function codes, each with the canonical state it means."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a participant can take: bytes of one message, records a minute, hours of the day (with zone)."""

    size: int | None = None
    rate: int | None = None
    opening: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a step may take: until the first event, until each escalation, until waiting ends (None: never)."""

    after: timedelta
    escalate: tuple[timedelta, ...] = ()
    give_up: timedelta | None = None

    def __post_init__(self) -> None:
        times = [self.after, *self.escalate]
        grows = times == sorted(set(times)) and self.after > timedelta()
        if not grows or (self.give_up is not None and self.give_up < times[-1]):
            raise ValueError("a wait grows from the first event over the escalations to its end")


@dataclass(frozen=True, slots=True)
class Policy:
    """What was agreed with a partner."""

    duplicates: Literal["answer", "ignore"] = "answer"
    """The same document again: receipt and latest decision are sent again, or it is counted and nothing is said."""
    strict: bool = False
    """A source value that no row mentions refuses the document."""
    redaction: tuple[str, ...] = ()
    """Payload paths whose values are told in no record: an answer then names path and line alone."""
    retention_days: int | None = None
    """How long its outbox and inbox keep a record; None: as all others."""


@dataclass(frozen=True, slots=True)
class Participant:
    """An organisation connected to the broker (``mappings/participants/<code>``)."""

    code: ParticipantCode
    name: str
    kind: Literal["agency", "window"]
    economy: str
    accepts: tuple[RoutingRule, ...] = ()
    rules: tuple[Rule, ...] = ()
    """What a window's profile demands beyond the WCO schema; XPath on the Declaration, names without prefixes."""
    identifiers: tuple[PartyId, ...] = ()
    languages: tuple[str, ...] = ("en",)
    """In which sentences are told, the first wanted first."""
    answers: Answering = field(default_factory=Answering)
    limits: Limits = field(default_factory=Limits)
    patience: Mapping[str, Wait] = field(default_factory=dict)
    """Window: how long delivery, receipt and decision may take; what it does not name takes as long as usual."""
    policy: Policy = field(default_factory=Policy)
    profile: str = ""
    """Where the profile comes from; says so when it is our own."""
    folder: str = ""
    extends: ParticipantCode | None = None
    """The participant that it takes over."""


@dataclass(frozen=True, slots=True)
class Routing:
    """Whether one window takes a payload: by which rule, or the reason why not."""

    participant: ParticipantCode
    rule: str | None
    reason: str

    @property
    def is_accepted(self) -> bool:
        return self.rule is not None
