"""The nouns of the broker: frozen values that every step takes and gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, NewType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from decimal import Decimal

    from lxml import etree

MessageId = NewType("MessageId", str)
"""32 hex digits, derived from participant and ``ce_id``; the payload's FunctionalReferenceID (WCO D026)."""
ConversationId = NewType("ConversationId", str)
"""All that belongs to one message; the message id of the document that opened it."""
ParticipantCode = NewType("ParticipantCode", str)
"""``[a-z0-9-]+``, economy first where there is one: ``pe-vuce``."""
DocumentTypeName = NewType("DocumentTypeName", str)
"""``family/format-version``: ``origin/aladi-cod-1.8``."""
Mrn = NewType("Mrn", str)
"""The reference a window gave to a declaration."""

NO_MESSAGE_ID = MessageId("0" * 32)
"""What a plain file carries offline."""


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault in a document: stable code, path and line in the sender's own bytes, the value, a sentence."""

    code: str
    message: str
    severity: Severity = Severity.ERROR
    pointer: str = ""
    line: int | None = None
    value: str | None = None

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def as_json(self) -> dict[str, str | int | None]:
        """The finding as every output in JSON tells it."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "pointer": self.pointer,
            "line": self.line,
            "value": self.value,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class Message:
    """What arrived: who sent it and the bytes, never altered."""

    id: MessageId
    content: bytes
    sender: ParticipantCode | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A content as recognised: its type, the parsed root without its envelopes, and where it lay in the bytes."""

    type: DocumentType
    root: etree._Element
    envelopes: tuple[Opened, ...] = ()
    line_offset: int = 0
    """Added to a node's line: the lines of the envelope before content that was carried as text."""
    findings: tuple[Finding, ...] = ()
    """Warnings of what was tolerated."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A wrapping that is taken off before a document is recognised (``mappings/envelopes``)."""

    name: str
    root: str
    content: str
    form: Literal["element", "text", "base64", "salted"]
    """How it holds the document: as an element, as text, as text in base64, or as JSON with salted values."""
    namespaces: Mapping[str, str]
    why: str
    when: Any = None
    """Compiled XPath 1.0 test on the root, where envelopes share one; None: always."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An envelope that was taken off: its root, and the element that is the document or holds it as text."""

    envelope: Envelope
    root: etree._Element
    inner: etree._Element

    def holds(self, element: etree._Element, attribute: str | None) -> bool:
        """Whether a leaf below ``root`` is the envelope's own, and not of what it wraps."""
        if self.envelope.form in {"text", "base64"}:
            return element is not self.inner or attribute is not None
        return element is not self.inner and self.inner not in element.iterancestors()


@dataclass(frozen=True, slots=True)
class Rule:
    """A business rule beyond the schema: XPath 1.0 that must hold for each context node."""

    id: str
    each: str
    test: str
    at: str
    message: Mapping[str, str]
    """Language (``en``, ``es``, ``zh``) to sentence."""
    severity: Severity = Severity.ERROR
    when: str = ""
    code: str = ""
    """A window's own ValidationCode (377, an..8) for it; empty: the id."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """A named quirk of senders that the schema refuses and we take with a warning (``document.toml``: tolerates)."""

    id: str
    why: str
    ignore: str = ""
    """XPath 1.0 from the root: elements or attributes the schema is not asked about."""
    trim: str = ""
    """XPath 1.0 from the root: elements or attributes whose text is taken without the white space around it."""


@dataclass(frozen=True, slots=True)
class DocumentType:
    """Family, format and version of a content, and all the data that describes it (``mappings/documents``)."""

    name: DocumentTypeName
    title: str
    family: str
    root: str
    """Clark name of the root element."""
    when: Any
    """Compiled XPath 1.0 test on the root that tells formats with the same root apart; None: always."""
    namespaces: Mapping[str, str]
    schema: Any
    """broker.validate.Schema"""
    mapping: Any
    """broker.mapping.Mapping"""
    rules: tuple[Rule, ...]
    folder: str
    response: str = ""
    """The form in which an answer is told to the sender (broker.respond)."""
    tolerates: tuple[Tolerance, ...] = ()


@dataclass(frozen=True, slots=True)
class Payload:
    """The WCO Data Model form of a document: the bytes to publish and the same parsed."""

    content: bytes
    root: etree._Element
    """The Declaration element, inside its MetaData."""


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
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Path in the Declaration (no prefixes) to the values of which one must occur there."""
    unless: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The same, of which none may occur."""
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


@dataclass(frozen=True, slots=True)
class Routing:
    """Whether one window takes a payload: by which rule, or the reason why not."""

    participant: ParticipantCode
    rule: str | None
    reason: str

    @property
    def is_accepted(self) -> bool:
        return self.rule is not None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that differs between documents, countries and versions, read once."""

    document_types: Mapping[DocumentTypeName, DocumentType]
    envelopes: tuple[Envelope, ...]
    participants: Mapping[ParticipantCode, Participant]
    code_lists: Mapping[str, Any]
    payload_schema: Any
    """broker.validate.Schema of MetaData with Declaration or Response."""
    roots: Mapping[str, tuple[DocumentType, ...]] = field(default_factory=dict)
    """Clark name of a root element to the document types that have it."""
    max_content: int = 16 * 1024 * 1024
    """Bytes of one document, attachments included."""

    def windows(self) -> tuple[Participant, ...]:
        return tuple(p for p in self.participants.values() if p.kind == "window")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message on the line: accepted with a payload, or refused with findings."""

    message: Message
    document_type: DocumentTypeName | None
    findings: tuple[Finding, ...] = ()
    payload: Payload | None = None
    routings: tuple[Routing, ...] = ()
    document: Document | None = None
    """The content as recognised; None where it was not."""

    @property
    def is_accepted(self) -> bool:
        return self.payload is not None

    @property
    def windows(self) -> tuple[ParticipantCode, ...]:
        """The windows that take it."""
        return tuple(r.participant for r in self.routings if r.is_accepted)
