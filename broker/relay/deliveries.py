"""A delivery that waits for its destination (``swb.retry.<participant>``): made, or given up after the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.model.ids import MessageId, ParticipantCode
from broker.relay import headers, topics
from broker.relay.documents import first_redrive
from broker.relay.facts import PayloadDelivered
from broker.relay.headers import Kind
from broker.relay.notifications import notify_failed
from broker.relay.records import Produced

if TYPE_CHECKING:
    from broker.relay.batch import Batch
    from broker.relay.records import Consumed

_OF_WAITING = frozenset({headers.WAITING_SINCE, headers.REASON, headers.REDRIVE_OF, headers.REDRIVEN_BY})
_PAYLOAD = f"swb.{Kind.PAYLOAD}"


def goes_on_waiting(batch: Batch, record: Consumed) -> bool:
    """Whether it stays at the head of its queue: its destination takes nothing now and the limit has not passed."""
    participant = topics.waiting_for(record.topic) or ""
    is_waiting = batch.routes.route_of_waiting(participant, record.place).to == "retry"
    return is_waiting and not is_given_up(batch, record)


def plan_waiting(batch: Batch, record: Consumed) -> None:
    """The delivery as it was finished, or a dead letter and a notice."""
    participant = topics.waiting_for(record.topic) or ParticipantCode("")
    route = batch.routes.route_of_waiting(participant, record.place)
    if route.to != "inbox":
        dead_letter_waiting(batch, record, route.reason)
        return
    if not _leaves(batch, record, participant):
        return
    batch.write(_delivery(record, participant))
    batch.routes.sent(participant)
    if record.header(headers.CE_TYPE) == _PAYLOAD:
        message = MessageId(record.header(headers.MESSAGE_ID))
        batch.emit_event("delivered", message, sender=record.header(headers.SENDER), window=participant)
        batch.send_fact(PayloadDelivered(at=batch.now, message_id=message, window=participant))
        batch.log("delivery.made", message_id=message, window=participant)


def dead_letter_waiting(batch: Batch, record: Consumed, reason: str) -> None:
    """The delivery is given up: a dead letter, and for a payload the notice to its sender."""
    participant = topics.waiting_for(record.topic) or ParticipantCode("")
    if not _leaves(batch, record, participant):
        return
    batch.dead_letter(_delivery(record, participant), reason)
    if record.header(headers.CE_TYPE) == _PAYLOAD:
        message, sender = MessageId(record.header(headers.MESSAGE_ID)), ParticipantCode(record.header(headers.SENDER))
        notify_failed(
            batch, message, sender, record.key, window=participant, reason=reason,
            cause=record.header(headers.REDRIVE_OF), document_type=record.header(headers.DOCUMENT_TYPE),
        )  # fmt: skip


def _leaves(batch: Batch, record: Consumed, participant: ParticipantCode) -> bool:
    """Whether the record counts as it leaves the queue; a dead letter that was redriven before does not."""
    redrive_of = record.header(headers.REDRIVE_OF)
    if redrive_of:
        return first_redrive(batch, redrive_of, record.header(headers.MESSAGE_ID))
    batch.routes.leaves(participant, record.key, record.offset)
    return True


def _delivery(record: Consumed, participant: ParticipantCode) -> Produced:
    kept = tuple(header for header in record.headers if header[0] not in _OF_WAITING)
    return Produced(topics.inbox(participant), record.key, record.value, kept)


def is_given_up(batch: Batch, record: Consumed) -> bool:
    """Whether it has waited as long as a delivery may."""
    since = int(record.header(headers.WAITING_SINCE) or record.timestamp)
    return batch.now - since >= batch.context.retry_limit_ms
