"""A batch as it is planned: the records to be written, each with the one it came from. No Kafka here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from broker.relay import headers, ids, topics
from broker.relay.facts import version_header
from broker.relay.ledger import RESERVED_MS
from broker.relay.limits import CAUSED_BYTES, CAUSED_RECORDS, OverBudget
from broker.relay.records import Consumed, Produced, moment
from broker.relay.watchdog.policy import WatchdogPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from broker.answers.way_back import Notification, Rendered
    from broker.content.parts import Part
    from broker.model.answers import Answer
    from broker.model.documents import Document, Message, Payload
    from broker.model.findings import Finding
    from broker.model.ids import DocumentTypeName, MessageId, ParticipantCode
    from broker.model.outcomes import Outcome
    from broker.model.participants import Participant
    from broker.registry.relations import Names
    from broker.registry.statuses import Meaning, Statuses
    from broker.relay.delivery_routes import DeliveryRoute, DeliveryRoutes
    from broker.relay.facts import Fact
    from broker.relay.headers import Kind
    from broker.relay.ledger import Grant
    from broker.relay.records import Place
    from broker.relay.stores import StateStore, Stores

E = TypeVar("E")
_TRACE_CHARACTERS = 64
"""Of a ``traceparent``, which has 55."""
NOTHING = Consumed("", 0, 0, None, None)
"""The source of what no record gave rise to."""
VERSION = 1
"""Of the JSON on swb.tracking."""


@dataclass(frozen=True, slots=True)
class PlanContext:
    """All that a plan needs to know and does not remember."""

    process: Callable[[Message], Outcome]
    """The line, with its catalogue."""
    participants: Mapping[str, Participant]
    render: Callable[[Notification], Rendered]
    """Puts a notification into the sender's own form."""
    mapping_label: Callable[[DocumentTypeName], str]
    """``id@version+sha256`` of the mapping of a document type; empty when it has none any more."""
    meaning: Callable[[Answer], Meaning]
    """The canonical state that a window's answer means."""
    statuses: Statuses
    max_content: int
    retry_limit_ms: int
    accepted_in: Callable[[bytes], int | None] = lambda _message: None
    """The lane that is known to have accepted a message id."""
    watchdog_policy: WatchdogPolicy = field(default_factory=WatchdogPolicy)
    """How long each window may take."""
    names: Callable[[Payload], Names] = lambda _payload: (None, ())
    """What a document calls itself, and which earlier ones it amends."""
    declarant: Callable[[Payload], str] = lambda _payload: ""
    """The id of who declares, or on whose behalf; empty where the payload names none."""
    split: Callable[[bytes], tuple[Part, ...]] = lambda _content: ()
    """The documents of an envelope that holds several; empty for every other content."""
    part: Callable[[bytes, int], bytes | None] = lambda _content, _number: None
    """One of them by its number."""
    grant: Callable[[DocumentTypeName, Payload, MessageId, ParticipantCode], Grant | None] = lambda *_: None
    """What a document grants for windows to reserve and use up; None for those that grant nothing."""

    reserved_ms: int = RESERVED_MS
    """How long a reservation of a window stands."""

    recognise: Callable[[Message], Document | None] = lambda _message: None
    """A document as it is recognised; None for what is not."""

    def rates(self) -> dict[str, int]:
        """Records a minute that were agreed with each participant, where anything was."""
        return {code: p.limits.rate for code, p in self.participants.items() if p.limits.rate}


@dataclass(slots=True)
class Batch:
    """What one lane's batch will write, in order."""

    lane: int
    now: int
    context: PlanContext
    stores: Stores
    routes: DeliveryRoutes
    fetched: Callable[[Place], bytes | None]
    """A document read again at its origin; raises :class:`Unfetched` when it has not been read yet."""
    out: list[tuple[Consumed, Produced]] = field(default_factory=list)
    source: Consumed = NOTHING
    """The record being planned."""
    log_events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Log events, written when the batch is committed."""
    at: str = field(init=False)
    """``now`` as text."""
    _records: int = CAUSED_RECORDS
    _bytes: int = CAUSED_BYTES
    _standard: dict[tuple[str, str], tuple[headers.Header, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.at = moment(self.now)

    def begin(self, record: Consumed) -> None:
        """From now on all that is planned comes from this record."""
        self.source, self._records, self._bytes = record, CAUSED_RECORDS, CAUSED_BYTES

    def write(self, record: Produced) -> None:
        """Plan a record; raises OverBudget where the one in hand causes more than it may."""
        self._records -= 1
        self._bytes -= len(record.value or b"")
        if self._records < 0 or self._bytes < 0:
            raise OverBudget(f"more than {CAUSED_RECORDS:,} records or {CAUSED_BYTES:,} bytes")
        self.out.append((self.source, record))

    def remember(self, store: StateStore[E], key: bytes, entry: E | None) -> None:
        """The entry changes together with everything else of this batch."""
        self.write(store.put(key, entry, self.lane))

    def send_fact(self, fact: Fact) -> None:
        """A fact for the lane that owns what it is about."""
        content, extra = fact.encoded()
        kept = self._headers(fact.ce_type(), fact.CONTENT_TYPE, version_header(fact) | extra)
        self.write(Produced(topics.FACTS, fact.owner, content, kept))

    def emit_event(self, event: str, message: str, **fields: object) -> None:
        """A tracking event: codes and pointers, never content."""
        value = {
            "v": VERSION,
            "event": event,
            "at": self.at,
            "message_id": message,
            "conversation_id": message,
            **fields,
        }
        content = orjson.dumps({name: item for name, item in value.items() if item not in (None, "", [])})
        cause = f"{self.source.place}"
        extra = {headers.CE_ID: ids.broker_id(message, str(fields.get("window", "")), event, cause)}
        extra |= {headers.MESSAGE_ID: message, headers.CONVERSATION_ID: message}
        self.write(
            Produced(topics.TRACKING, message.encode(), content, self._headers(headers.EVENT_TYPE, headers.JSON, extra))
        )

    def log(self, event: str, **fields: object) -> None:
        """A log line, if and when the batch is committed."""
        self.log_events.append((event, fields))

    def deliver(  # noqa: PLR0917 - the parts of a record
        self,
        participant: str,
        kind: Kind,
        message: MessageId,
        key: bytes | None,
        content: bytes,
        extra: Mapping[str, str],
        *,
        window: str = "",
        cause: str = "",
    ) -> DeliveryRoute:
        """A record for a participant's inbox, on the way that is open to it now."""
        values = {
            headers.CE_ID: ids.broker_id(message, window or participant, kind, cause),
            headers.MESSAGE_ID: message,
            headers.CONVERSATION_ID: message,
            headers.WINDOW: window,
            headers.TRACEPARENT: self.source.header(headers.TRACEPARENT)[:_TRACE_CHARACTERS],
            **extra,
        }
        kept = self._headers(f"swb.{kind}", values.pop(headers.CONTENT_TYPE, headers.XML), values)
        record = Produced(topics.inbox(participant), key, content, kept)
        route = self.routes.route(participant, record, self.source.place)
        if route.to == "inbox":
            self.write(record)
        elif route.to == "retry":
            waiting = headers.encoded({headers.WAITING_SINCE: str(self.now), headers.REASON: route.reason})
            self.write(Produced(topics.retry(participant), key, content, kept + waiting, self.lane))
            self.routes.waits(participant, key)
        else:
            self.dead_letter(record, route.reason)
        return route

    def dead_letter(self, record: Produced, reason: str, origin: Place | None = None) -> None:
        """A dead letter: original bytes, key and headers, and what was wrong where."""
        why = {
            headers.REASON: reason,
            headers.LANE: str(self.lane),
            headers.DESTINATION: record.topic,
            headers.DEAD_LETTERED_AT: self.at,
            **(origin or self.source.place).headers(),
        }
        kept = tuple(header for header in record.headers if header[0] not in (*why, headers.REDRIVE_OF))
        self.write(Produced(topics.DEADLETTER, record.key, record.value, kept + headers.encoded(why)))

    def _headers(self, ce_type: str, content_type: str, extra: Mapping[str, str]) -> tuple[headers.Header, ...]:
        standard = self._standard.get((ce_type, content_type))
        if standard is None:
            standard = headers.encoded(
                {
                    headers.CE_VERSION: "1.0",
                    headers.CE_SOURCE: headers.SOURCE,
                    headers.CE_TYPE: ce_type,
                    headers.CE_TIME: self.at,
                    headers.CONTENT_TYPE: content_type,
                }
            )
            self._standard[ce_type, content_type] = standard
        return standard + headers.encoded(extra)


class Unfetched(Exception):
    """A plan needs a document that must be read first. Nothing of the record has been planned yet."""

    def __init__(self, place: Place) -> None:
        super().__init__(str(place))
        self.place = place


def places(findings: tuple[Finding, ...], limit: int = 100) -> list[dict[str, Any]]:
    """The first findings as tracking may hold them: codes and pointers, never values."""
    return [finding.as_place() for finding in findings[:limit]]
