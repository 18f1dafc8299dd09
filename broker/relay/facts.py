"""Facts: what one lane has to let another know. One record on ``swb.facts`` is one fact.

A lane writes state only into its own partition. What concerns another lane is sent to it as a fact, keyed by its owner:
the conversation, the name or the certificate that the fact is about. A small fact is JSON. A fact that carries a
document, a Response or a request has it as the record's value, and everything else in headers.

Every kind has a version. A record without one is of version 1, which is what release 0.1.0 wrote.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self

import orjson

from broker.model.ids import MessageId
from broker.relay import headers, ids, topics
from broker.relay.ledger import dump, read_grant, read_request
from broker.relay.records import Place, Produced, moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.model.ids import ParticipantCode
    from broker.relay.ledger import Grant, Request
    from broker.relay.records import Consumed

PREFIX = "swb.fact."
"""Of a fact's ``ce_type``; the kind follows."""

# Every fact has an ``owner``, the key of its record: the lane to which it leads owns what the fact is about. ``at`` is
# when the fact was planned, in milliseconds since 1970.


class NewerFact(Exception):
    """A record of a kind that is known, in a version that a later release wrote."""


class LaneFact:
    """What all facts share."""

    __slots__ = ()
    KIND: ClassVar[str]
    VERSION: ClassVar[int] = 1
    CONTENT_TYPE: ClassVar[str] = headers.JSON

    @classmethod
    def ce_type(cls) -> str:
        return f"{PREFIX}{cls.KIND}"

    def encoded(self) -> tuple[bytes, dict[str, str]]:
        """The record's value, and the headers that belong to the fact."""
        raise NotImplementedError

    @classmethod
    def decoded(cls, record: Consumed) -> Self:
        """The fact that ``encoded`` wrote; raises ValueError, KeyError or TypeError for anything else."""
        raise NotImplementedError


class _JsonFact(LaneFact):
    """A fact whose fields stand in its content."""

    __slots__ = ()
    message_id: MessageId

    @property
    def owner(self) -> bytes:
        return self.message_id.encode()

    def encoded(self) -> tuple[bytes, dict[str, str]]:
        return orjson.dumps(self), {}

    @classmethod
    def decoded(cls, record: Consumed) -> Self:
        return cls(**cls._arguments(orjson.loads(record.content)))

    @classmethod
    def _arguments(cls, data: dict[str, Any]) -> dict[str, Any]:
        return {f.name: data[f.name] for f in fields(cls) if f.name in data}  # type: ignore[arg-type]  # all are dataclasses


# --- about a conversation ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AcceptedBy:
    """A window that a document is routed to, and the routing rule."""

    window: ParticipantCode
    rule: str


@dataclass(frozen=True, slots=True)
class DeclinedBy:
    """A window that does not take a document, and why."""

    window: ParticipantCode
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentAccepted(_JsonFact):
    """A document was accepted: its conversation begins, or goes on when it was judged anew."""

    KIND: ClassVar[str] = "accepted"
    VERSION: ClassVar[int] = 2

    at: int
    message_id: MessageId
    sender: ParticipantCode
    document_type: str
    mapping: str
    sha256: str
    key: str | None
    """Of the sender's record, as Latin-1."""
    origin: Place
    part: int = 0
    """Which document of the envelope at its origin it is, from 1; 0 where it is all there is."""
    skipped: int = 0
    """Lines of the envelope's documents before it."""
    routed: tuple[AcceptedBy, ...] = ()
    unrouted: tuple[DeclinedBy, ...] = ()
    """Why no window takes it, where none does."""
    delivered: tuple[ParticipantCode, ...] = ()
    """The windows that have it already."""

    @classmethod
    def _arguments(cls, data: dict[str, Any]) -> dict[str, Any]:
        place = data["origin"]  # in version 1 a list
        return {
            **super(DocumentAccepted, cls)._arguments(data),
            "origin": Place(**place) if isinstance(place, dict) else Place(*place),
            "routed": tuple(AcceptedBy(**one) for one in data["routed"]),
            "unrouted": tuple(DeclinedBy(**one) for one in data["unrouted"]),
            "delivered": tuple(data["delivered"]),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRepeated(_JsonFact):
    """The sender sent an accepted document again: it gets its receipt and the decisions again."""

    KIND: ClassVar[str] = "repeat"

    at: int
    message_id: MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadDelivered(_JsonFact):
    """A payload that had to wait, or that an amendment brought, lies in a window's inbox."""

    KIND: ClassVar[str] = "delivered"

    at: int
    message_id: MessageId
    window: ParticipantCode


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadUndelivered(_JsonFact):
    """A delivery was given up and became a dead letter."""

    KIND: ClassVar[str] = "failed"

    at: int
    message_id: MessageId
    window: ParticipantCode
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerAwaited(_JsonFact):
    """The watchdog asks the owner to look whether a window takes longer than agreed."""

    KIND: ClassVar[str] = "no-answer"

    at: int
    message_id: MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendmentLinked(_JsonFact):
    """To an amendment's own conversation: this is what it amends, and who is to have it."""

    KIND: ClassVar[str] = "related"

    at: int
    message_id: MessageId
    amends: MessageId
    relates_to: str = ""
    windows: tuple[ParticipantCode, ...] = ()
    """Those that have what is amended, and so are to have the amendment."""

    @classmethod
    def _arguments(cls, data: dict[str, Any]) -> dict[str, Any]:
        given = super(AmendmentLinked, cls)._arguments(data)
        return {**given, "windows": tuple(data.get("windows", ()))}


# --- about a name -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberAssigned(_JsonFact):
    """A window gave a message its own number."""

    KIND: ClassVar[str] = "reference"

    at: int
    message_id: MessageId
    window: ParticipantCode
    mrn: str
    related: tuple[MessageId, ...] = ()
    """What the message amends, or is amended by: these may share the number."""

    @classmethod
    def _arguments(cls, data: dict[str, Any]) -> dict[str, Any]:
        return {**super(NumberAssigned, cls)._arguments(data), "related": tuple(data.get("related", ()))}

    @property
    def owner(self) -> bytes:
        return ids.reference_key(self.window, self.mrn)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberContested(_JsonFact):
    """To each conversation that a window gave the same number to."""

    KIND: ClassVar[str] = "number-contested"

    at: int
    message_id: MessageId
    window: ParticipantCode
    mrn: str
    other: MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentNamed(_JsonFact):
    """A document has this name: its sender, kind and number, which are the key."""

    KIND: ClassVar[str] = "named"

    at: int
    message_id: MessageId
    name: str

    @property
    def owner(self) -> bytes:
        return self.name.encode()

    @classmethod
    def decoded(cls, record: Consumed) -> Self:
        data = orjson.loads(record.content)
        return cls(at=data["at"], message_id=data["message_id"], name=(record.key or b"").decode())


class _ContentFact(LaneFact):
    """A fact that carries bytes of others; ``HEADERS`` names the header of each other field."""

    __slots__ = ()
    CONTENT_TYPE: ClassVar[str] = headers.XML
    HEADERS: ClassVar[Mapping[str, str]]

    def encoded(self) -> tuple[bytes, dict[str, str]]:
        content: bytes = getattr(self, "content")  # noqa: B009 - a field of every dataclass below
        return content, {header: getattr(self, name) for name, header in self.HEADERS.items()}

    @classmethod
    def decoded(cls, record: Consumed) -> Self:
        return cls(**cls._arguments(record))

    @classmethod
    def _arguments(cls, record: Consumed) -> dict[str, Any]:
        texts = {name: record.header(header) for name, header in cls.HEADERS.items()}
        return {**texts, "owner": record.key or b"", "content": record.content}


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowAnswered(_ContentFact):
    """One Response of a window. Its owner is the conversation it names, or else the window's own number."""

    KIND: ClassVar[str] = "answer"
    VERSION: ClassVar[int] = 2
    HEADERS: ClassVar[Mapping[str, str]] = {
        "id": headers.CE_ID,
        "window": headers.WINDOW,
        "record_id": headers.RECORD_ID,
    }

    owner: bytes
    id: str
    window: ParticipantCode
    record_id: str
    """``ce_id`` of the window's record."""
    position: int
    """Which Response of the record it is, from 1."""
    origin: Place
    """Where the window's record lies."""
    content: bytes
    """The part of the record that holds this Response; in version 1 the whole record."""

    @property
    def is_by_number(self) -> bool:
        """Whether it names the message by nothing but the window's number."""
        return b"\n" in self.owner

    def encoded(self) -> tuple[bytes, dict[str, str]]:
        content, values = super(WindowAnswered, self).encoded()
        return content, {**values, headers.ANSWER_POSITION: str(self.position), **self.origin.headers()}

    @classmethod
    def _arguments(cls, record: Consumed) -> dict[str, Any]:
        position = int(record.header(headers.ANSWER_POSITION))
        given = super(WindowAnswered, cls)._arguments(record)
        return {**given, "position": position, "origin": record.origin}


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendmentSent(_JsonFact):
    """A document amends another, which its sender names: to the owner of that name.

    The payload stays where it is: the amendment's own lane makes it again from the document when it is wanted.
    """

    KIND: ClassVar[str] = "amends"
    VERSION: ClassVar[int] = 2

    at: int
    name: str
    """Of the document that is amended: its sender, kind and number."""
    message_id: MessageId
    """Of the amendment."""
    relates_to: str
    """What it does to which document: ``replaces 851 2026-PE-000417``."""

    @property
    def owner(self) -> bytes:
        return self.name.encode()

    @classmethod
    def decoded(cls, record: Consumed) -> Self:
        if headers.FACT_VERSION in {name for name, _ in record.headers}:
            return super(AmendmentSent, cls).decoded(record)
        return cls(**_amendment_of_version_1(record), name=(record.key or b"").decode())


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendmentFound(_JsonFact):
    """The same, on its way from the name to the conversation of a document of that name."""

    KIND: ClassVar[str] = "amended"
    VERSION: ClassVar[int] = 2

    at: int
    amended: MessageId
    """The document that is amended."""
    message_id: MessageId
    relates_to: str

    @property
    def owner(self) -> bytes:
        return self.amended.encode()

    @classmethod
    def decoded(cls, record: Consumed) -> Self:
        if headers.FACT_VERSION in {name for name, _ in record.headers}:
            return super(AmendmentFound, cls).decoded(record)
        return cls(**_amendment_of_version_1(record), amended=MessageId((record.key or b"").decode()))


def _amendment_of_version_1(record: Consumed) -> dict[str, Any]:
    """What release 0.1.0 wrote into headers; the payload that it carried along is not needed."""
    message = MessageId(record.header(headers.MESSAGE_ID))
    if not message:
        raise ValueError("an amendment without its id")
    return {"at": record.timestamp, "message_id": message, "relates_to": record.header(headers.RELATES_TO)}


# --- about a certificate ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateGranted(LaneFact):
    """An accepted certificate grants quantities to the windows that it goes to."""

    KIND: ClassVar[str] = "granted"
    VERSION: ClassVar[int] = 2

    at: int
    owner: bytes
    """The number of the certificate."""
    grant: Grant
    kind: str = ""
    """Of the certificate (UNCL 1001)."""
    document_type: str = ""
    key: str | None = None
    """Of the sender's record, as Latin-1."""
    windows: tuple[ParticipantCode, ...] = ()
    is_reissue: bool = False
    """Whether it was issued before under the same number, and grants in place of that."""

    def encoded(self) -> tuple[bytes, dict[str, str]]:
        parts = {name: getattr(self, name) for name in _OF_GRANT}
        return orjson.dumps({"grant": orjson.Fragment(dump(self.grant)), **parts}), {}

    @classmethod
    def decoded(cls, record: Consumed) -> Self:
        data = orjson.loads(record.content)
        given = {name: data[name] for name in _OF_GRANT if name in data}
        given["windows"] = tuple(data.get("windows", ()))
        return cls(owner=record.key or b"", grant=read_grant(orjson.dumps(data["grant"])), **given)


_OF_GRANT = ("at", "kind", "document_type", "key", "windows", "is_reissue")


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateWithdrawn(LaneFact):
    """A certificate no longer stands."""

    KIND: ClassVar[str] = "withdrawn"

    at: int
    owner: bytes
    issuer: ParticipantCode
    by: MessageId
    """The document that ended it."""
    kind: str = ""
    """Of the certificate; empty: all of that issuer and number."""

    def encoded(self) -> tuple[bytes, dict[str, str]]:
        return orjson.dumps({"at": self.at, "issuer": self.issuer, "by": self.by, "kind": self.kind}), {}

    @classmethod
    def decoded(cls, record: Consumed) -> Self:
        data = orjson.loads(record.content)
        kind = data.get("kind", "")
        return cls(at=data["at"], owner=record.key or b"", issuer=data["issuer"], by=data["by"], kind=kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteoffRequested(LaneFact):
    """A window wants to reserve, use up or release a quantity of a certificate."""

    KIND: ClassVar[str] = "writeoff"

    owner: bytes
    origin: Place
    request: Request

    def encoded(self) -> tuple[bytes, dict[str, str]]:
        return dump(self.request), self.origin.headers()

    @classmethod
    def decoded(cls, record: Consumed) -> Self:
        return cls(owner=record.key or b"", origin=record.origin, request=read_request(record.content))


Fact = (
    DocumentAccepted
    | DocumentRepeated
    | PayloadDelivered
    | PayloadUndelivered
    | AnswerAwaited
    | AmendmentLinked
    | NumberAssigned
    | NumberContested
    | DocumentNamed
    | WindowAnswered
    | AmendmentSent
    | AmendmentFound
    | CertificateGranted
    | CertificateWithdrawn
    | WriteoffRequested
)


def to_record(fact: Fact, at: int) -> Produced:
    """The record of a fact, for a writer that is no lane; ``at`` in milliseconds."""
    content, extra = fact.encoded()
    values = {
        headers.CE_VERSION: "1.0",
        headers.CE_SOURCE: headers.SOURCE,
        headers.CE_TYPE: fact.ce_type(),
        headers.CE_TIME: moment(at),
        headers.CONTENT_TYPE: fact.CONTENT_TYPE,
    }
    return Produced(topics.FACTS, fact.owner, content, headers.encoded(values | version_header(fact) | extra))


def version_header(fact: Fact) -> dict[str, str]:
    return {headers.FACT_VERSION: str(fact.VERSION)} if fact.VERSION > 1 else {}


def kind_of(record: Consumed) -> str:
    """The kind that a record says it is."""
    return record.header(headers.CE_TYPE).removeprefix(PREFIX)
