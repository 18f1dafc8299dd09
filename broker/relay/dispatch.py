"""The relay's plan: a record and the lane's memory in; records to write, changes and verdicts out. No Kafka here."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from broker.relay import headers, topics
from broker.relay.answers import is_answer, plan_fact, plan_window_record
from broker.relay.deliveries import dead_letter_waiting, goes_on_waiting, plan_waiting
from broker.relay.documents import dead_letter_document, first_redrive, plan_document
from broker.relay.intake import rekey
from broker.relay.records import Produced
from broker.relay.writeoff import plan_request

if TYPE_CHECKING:
    from broker.relay.batch import Batch
    from broker.relay.records import Consumed


def plan(batch: Batch, record: Consumed) -> bool:
    """Plan one record into the draft; False when it stays where it is because its destination takes nothing now.

    Raises Unfetched, before anything is planned, when a document must be read again first. Whatever else is raised was
    not foreseen: the draft is spoilt, and the record's next plan is :func:`bury`.
    """
    batch.source = record
    if topics.waiting_for(record.topic):
        if goes_on_waiting(batch, record):
            return False
        plan_waiting(batch, record)
    elif record.topic == topics.ANSWERS:
        plan_fact(batch, record)
    else:
        _plan_sent(batch, record)
    return True


def _plan_sent(batch: Batch, record: Consumed) -> None:
    """What a participant sent, from its outbox or from the intake topic."""
    is_rekeyed = record.topic == topics.INTAKE
    origin = record.origin if is_rekeyed else record.place
    writer = topics.writer_of(origin.topic)
    participant = batch.context.participants.get(writer or "")
    is_window = participant is not None and participant.kind == "window"
    if participant and is_window and record.header(headers.CE_TYPE) == headers.WRITEOFF_TYPE:
        plan_request(batch, record, participant.code, origin)
    elif participant and is_window and is_answer(record):
        redrive_of = record.header(headers.REDRIVE_OF) if is_rekeyed else ""
        if not redrive_of or first_redrive(batch, redrive_of, ""):
            plan_window_record(batch, record, participant.code, origin)
    elif is_rekeyed or record.key is not None:
        plan_document(batch, record)
    else:
        rekey(batch, record)


def bury(batch: Batch, record: Consumed, error: str) -> None:
    """What raised an exception that nobody foresaw is kept among the dead letters; a document's sender is told."""
    batch.source = record
    if topics.waiting_for(record.topic):
        dead_letter_waiting(batch, record, f"unforeseen: {error.partition(':')[0]}")
        return
    if record.topic != topics.ANSWERS:
        with suppress(ValueError):  # a hopped record that says no origin
            dead_letter_document(batch, record, error)
            return
    kind, place = error.partition(":")[0], str(record.place)
    kept = headers.of_sender(record.headers) if topics.writer_of(record.topic) else record.headers
    batch.dead_letter(Produced(record.topic, record.key, record.value, kept), f"unforeseen: {kind}")
    batch.emit_event("deadletter", record.header(headers.MESSAGE_ID), reason=kind, origin=place)
    batch.log("record.failed", origin=place, error=error[:300])
