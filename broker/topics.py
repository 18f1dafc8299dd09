"""Names of topics and headers, the ids derived from them, and the records that travel under them.

Headers follow the CloudEvents Kafka binding, binary mode. Ids are derived, never drawn: a repeat has the same id.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from broker.model import MessageId, ParticipantCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# --- topics and groups ------------------------------------------------------------------------------------------------

INTAKE = "swb.intake"
ANSWERS = "swb.answers"
DUPLICATES = "swb.duplicates"
CONVERSATIONS = "swb.conversations"
REFERENCES = "swb.references"
WRITEOFF = "swb.writeoff"
TRACKING = "swb.tracking"
DEADLETTER = "swb.deadletter"

STATE = (DUPLICATES, CONVERSATIONS, REFERENCES, WRITEOFF)
"""What a lane remembers; partition k belongs to lane k."""
UNDER_WAY = (INTAKE, ANSWERS)
"""What the relay has taken in and is not done with; all of it came from an outbox."""
OWN = (*UNDER_WAY, *STATE, TRACKING, DEADLETTER)

RELAY_GROUP = "swb-relay"
TRANSACTIONAL_PREFIX = "swb-relay."

_OUTBOX = re.compile(r"swb\.([a-z0-9-]+)\.outbox")
_INBOX = re.compile(r"swb\.([a-z0-9-]+)\.inbox")
_RETRY = re.compile(r"swb\.retry\.([a-z0-9-]+)")
_MESSAGE_ID = re.compile(r"[0-9a-f]{32}")


def outbox(participant: str) -> str:
    return f"swb.{participant}.outbox"


def inbox(participant: str) -> str:
    return f"swb.{participant}.inbox"


def retry(participant: str) -> str:
    return f"swb.retry.{participant}"


def transactional_id(lane: int) -> str:
    """The identity that fences: it belongs to the lane, whichever worker holds it."""
    return f"{TRANSACTIONAL_PREFIX}{lane}"


def writer_of(topic: str) -> ParticipantCode | None:
    """Whose outbox a topic is; None for every other topic."""
    match = _OUTBOX.fullmatch(topic)
    return ParticipantCode(match[1]) if match else None


def reader_of(topic: str) -> ParticipantCode | None:
    """Whose inbox a topic is; None for every other topic."""
    match = _INBOX.fullmatch(topic)
    return ParticipantCode(match[1]) if match else None


def waiting_for(topic: str) -> ParticipantCode | None:
    """For whom the deliveries of a retry topic wait; None for every other topic."""
    match = _RETRY.fullmatch(topic)
    return ParticipantCode(match[1]) if match else None


def worked_topics(participants: Iterable[str]) -> list[str]:
    """What the relay's group subscribes to: all outboxes, the intake hop, answers and all retry topics."""
    codes = sorted(participants)
    return [*map(outbox, codes), *UNDER_WAY, *map(retry, codes)]


def written_topics(participants: Iterable[str]) -> list[str]:
    """What the relay may write to: all but the outboxes."""
    codes = sorted(participants)
    return [*map(inbox, codes), *map(retry, codes), *OWN]


def all_topics(participants: Iterable[str]) -> list[str]:
    """Every topic of an installation."""
    codes = sorted(participants)
    return [*(name for code in codes for name in (outbox(code), inbox(code), retry(code))), *OWN]


# --- headers ----------------------------------------------------------------------------------------------------------

CE_ID = "ce_id"
CE_SOURCE = "ce_source"
CE_TYPE = "ce_type"
CE_TIME = "ce_time"
CE_VERSION = "ce_specversion"
CONTENT_TYPE = "content-type"
TRACEPARENT = "traceparent"

MESSAGE_ID = "swb_message_id"
CONVERSATION_ID = "swb_conversation_id"
MAPPING = "swb_mapping"
DOCUMENT_TYPE = "swb_document_type"
SENDER = "swb_sender"
WINDOW = "swb_window"
STATE_HEADER = "swb_state"
FINDINGS = "swb_findings"
RELATES_TO = "swb_relates_to"
DELIVERED_TO = "swb_delivered_to"

REASON = "swb_reason"
LANE = "swb_lane"
DESTINATION = "swb_destination"
BURIED_AT = "swb_buried_at"
ORIGIN_TOPIC = "swb_origin_topic"
ORIGIN_PARTITION = "swb_origin_partition"
ORIGIN_OFFSET = "swb_origin_offset"
WAITING_SINCE = "swb_waiting_since"
REDRIVE_OF = "swb_redrive_of"
REDRIVEN_BY = "swb_redriven_by"
OVERSIZE = "swb_oversize"
CLAIM = "swb_claim"
CONTENT_SHA256 = "swb_content_sha256"
ANSWER_POSITION = "swb_answer_position"
RECORD_ID = "swb_record_id"

SOURCE = "swb"
XML = "application/xml"
JSON = "application/json"

ANSWER_TYPE = "swb.answer"
"""The ``ce_type`` by which a window marks what it sends as an answer."""
WRITEOFF_TYPE = "swb.writeoff"
"""The same for a request to reserve, consume or release a quantity of a certificate."""
DOCUMENT_TYPE_OF_EVENT = "swb.document"
EVENT_TYPE = "swb.event"


class Kind(StrEnum):
    """What a record in an inbox is; its ``ce_type`` is ``swb.<kind>``."""

    PAYLOAD = "payload"
    RECEIPT = "receipt"
    ANSWER = "answer"
    REFUSAL = "refusal"
    NOTICE = "notice"


class Fact(StrEnum):
    """What a record on ``swb.answers`` tells the lane that owns its key; its ``ce_type`` is ``swb.fact.<fact>``."""

    ACCEPTED = "accepted"
    REPEAT = "repeat"
    DELIVERED = "delivered"
    FAILED = "failed"
    ANSWER = "answer"
    REFERENCE = "reference"
    NO_ANSWER = "no-answer"
    NAMED = "named"
    AMENDS = "amends"
    AMENDED = "amended"
    RELATED = "related"
    GRANTED = "granted"
    WITHDRAWN = "withdrawn"
    WRITEOFF = "writeoff"

    @property
    def ce_type(self) -> str:
        return f"swb.fact.{self.value}"


# --- ids --------------------------------------------------------------------------------------------------------------


def content_id(content: bytes) -> str:
    """SHA-256 of a content, in hex; the ``ce_id`` of a record that came without one."""
    return hashlib.sha256(content).hexdigest()


def message_id(participant: str, ce_id: str) -> MessageId:
    """The first 32 hex digits of SHA-256 over participant LF ``ce_id``: FunctionalReferenceID is an..35."""
    return MessageId(hashlib.sha256(f"{participant}\n{ce_id}".encode()).hexdigest()[:32])


def broker_id(message: str, window: str, kind: str, cause: str) -> str:
    """The ``ce_id`` of a record that the broker writes: the same for every repeat and redrive of the same thing."""
    return hashlib.sha256(f"{message}\n{window}\n{kind}\n{cause}".encode()).hexdigest()


def is_message_id(text: str) -> bool:
    return _MESSAGE_ID.fullmatch(text) is not None


def reference_key(window: str, mrn: str) -> bytes:
    """The key on ``swb.answers`` under which what a window numbered is found again."""
    return f"{window}\n{mrn}".encode()


# --- records ----------------------------------------------------------------------------------------------------------

Header = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    def headers(self) -> dict[str, str]:
        return {
            ORIGIN_TOPIC: self.topic,
            ORIGIN_PARTITION: str(self.partition),
            ORIGIN_OFFSET: str(self.offset),
        }


@dataclass(frozen=True, slots=True)
class Consumed:
    """A record as it was read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...] = ()
    timestamp: int = 0

    @property
    def place(self) -> Place:
        return Place(self.topic, self.partition, self.offset)

    @property
    def content(self) -> bytes:
        """The value; a tombstone is an empty content."""
        return self.value or b""

    def header(self, name: str) -> str:
        """The first header of that name as text (junk bytes replaced); empty when there is none."""
        return next((v.decode("utf-8", "replace") for n, v in self.headers if n == name and v is not None), "")

    @property
    def origin(self) -> Place:
        """Where a hopped record lay first; ValueError when its headers do not say."""
        return Place(self.header(ORIGIN_TOPIC), int(self.header(ORIGIN_PARTITION)), int(self.header(ORIGIN_OFFSET)))


@dataclass(frozen=True, slots=True)
class Produced:
    """A record to be written; without a partition the key decides (murmur2)."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...] = ()
    partition: int | None = None

    def header(self, name: str) -> str:
        return next((v.decode("utf-8", "replace") for n, v in self.headers if n == name), "")


def of_sender(given: Iterable[Header]) -> tuple[Header, ...]:
    """A participant's own headers: what it wrote under our names is not believed and goes no further."""
    return tuple(header for header in given if not header[0].startswith("swb_"))


def headers(values: Mapping[str, str]) -> tuple[Header, ...]:
    """Kafka's form of headers; what is empty is left out."""
    return tuple((name, value.encode()) for name, value in values.items() if value)


def moment(milliseconds: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    text = datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
