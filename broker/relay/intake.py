"""A document as it came: on an outbox, or over ``swb.intake``: without key, redriven, or one of several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from broker.model.ids import MessageId, ParticipantCode  # noqa: TC001 - names of fields
from broker.relay import headers, ids, topics
from broker.relay.ids import content_id
from broker.relay.limits import CAUSED_BYTES, OverBudget
from broker.relay.records import Place, Produced

if TYPE_CHECKING:
    from broker.relay.batch import Batch
    from broker.relay.records import Consumed


@dataclass(frozen=True, slots=True)
class IncomingDocument:
    """A document as it came: who sent it, under which names, and what is known of it before it is read."""

    sender: ParticipantCode
    origin: Place
    key: bytes | None
    message_id: MessageId
    sha256: str
    content: bytes
    oversize: int
    """Bytes of a document that was too large to be carried any further; else 0."""
    redrive_of: str
    claimed: str
    """Whom its headers name as its source."""
    ce_id: str = ""
    """The sender's own id of it; empty when it gave none."""
    trace_id: str = ""
    """Of the sender's ``traceparent``."""
    written_at: int = 0
    """When the record was written, in milliseconds."""
    part: int = 0
    """Which document of an envelope of several it is, from 1."""
    skipped: int = 0
    """Lines of the envelope's documents before it."""

    @property
    def name(self) -> bytes:
        return self.message_id.encode()


def received(record: Consumed, max_content: int) -> IncomingDocument:
    """What came on an outbox or, re-keyed or redriven, on the intake topic; ValueError where that names no origin."""
    rekeyed = record.topic == topics.INTAKE
    origin = record.origin if rekeyed else record.place
    sender = topics.writer_of(origin.topic)
    if sender is None:
        raise ValueError(f"{origin.topic} is no outbox")
    told_sha = record.header(headers.CONTENT_SHA256) if rekeyed else ""
    sha256 = told_sha or content_id(record.content)
    oversize = int(record.header(headers.OVERSIZE) or 0) if rekeyed else 0
    if len(record.content) > max_content:
        oversize = len(record.content)
    part, _, skipped = record.header(headers.PART).partition(" ") if rekeyed else ("", "", "")
    return IncomingDocument(
        sender=sender,
        origin=origin,
        key=record.key,
        message_id=ids.message_id(sender, record.header(headers.CE_ID) or sha256),
        sha256=sha256,
        content=record.content,
        oversize=oversize,
        redrive_of=record.header(headers.REDRIVE_OF) if rekeyed else "",
        claimed=record.header(headers.CE_SOURCE),
        ce_id=record.header(headers.CE_ID),
        trace_id=headers.trace_id(record.header(headers.TRACEPARENT)),
        written_at=record.timestamp,
        part=int(part or 0),
        skipped=int(skipped or 0),
    )


def rekey(batch: Batch, record: Consumed) -> None:
    """A record without a key goes to the lane of its message id; nobody is notified before that lane has it."""
    to_lane(batch, record, None)


def to_lane(batch: Batch, record: Consumed, lane: int | None) -> None:
    """A record goes on to another lane: to one that is given, or to that of its message id."""
    document = received(record, batch.context.max_content)
    own = {
        **document.origin.headers(),
        headers.CE_ID: record.header(headers.CE_ID) or document.sha256,
        headers.CONTENT_SHA256: document.sha256,
        headers.OVERSIZE: str(document.oversize) if document.oversize else "",
    }
    kept = tuple(header for header in headers.of_sender(record.headers) if header[0] != headers.CE_ID)
    content = b"" if document.oversize else record.content
    batch.write(Produced(topics.INTAKE, document.name, content, kept + headers.encoded(own), lane))


def take_apart(batch: Batch, record: Consumed) -> bool:
    """Whether the record is an envelope of several documents: then each goes to the lane of its own message id.

    Nothing of them is judged here, so that a large envelope holds up its lane no longer than it takes to cut it.
    Raises Refused for an envelope that holds more than is taken.
    """
    is_part = record.topic == topics.INTAKE and bool(record.header(headers.PART))
    if is_part or len(record.content) > batch.context.max_content:
        return False
    parts = batch.context.split(record.content)
    if not parts:
        return False
    document = received(record, batch.context.max_content)
    ce_id = record.header(headers.CE_ID) or document.sha256
    kept = tuple(header for header in headers.of_sender(record.headers) if header[0] != headers.CE_ID)
    if len(parts) * sum(len(name) + len(value) for name, value in kept) > CAUSED_BYTES:
        raise OverBudget("the headers of an envelope with each of its documents")
    for part in parts:
        name = ids.part_id(ce_id, part.number)
        own = {
            **document.origin.headers(),
            headers.CE_ID: name,
            headers.CONTENT_SHA256: content_id(part.content),
            headers.PART: f"{part.number} {part.skipped}",
        }
        key = ids.message_id(document.sender, name).encode()
        batch.write(Produced(topics.INTAKE, key, part.content, kept + headers.encoded(own)))
    about = {"sender": document.sender, "sha256": document.sha256, "parts": len(parts)}
    batch.emit_event("split", document.message_id, **about, origin=str(document.origin))
    batch.log("message.split", message_id=document.message_id, sender=document.sender, parts=len(parts))
    return True
