"""The table: which topic, and which kind of fact, leads to which function.

A record and the lane's stores go in; records to write and changes of the stores come out. No Kafka here.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from broker.model.errors import Refused
from broker.relay import facts, headers, topics
from broker.relay.amendments import amendment_found, amendment_linked
from broker.relay.answers import is_answer, number_contested, plan_window_record, window_answered
from broker.relay.conversations import (
    answer_awaited,
    document_accepted,
    document_repeated,
    payload_delivered,
    payload_undelivered,
)
from broker.relay.deliveries import dead_letter_waiting, goes_on_waiting, plan_waiting
from broker.relay.documents import (
    dead_letter_document,
    first_redrive,
    note_redrive,
    plan_document,
    refuse_envelope,
    was_redriven,
)
from broker.relay.facts import NewerFact
from broker.relay.intake import rekey, take_apart
from broker.relay.limits import OverBudget
from broker.relay.records import Produced
from broker.relay.references import amendment_sent, answered_by_number, document_named, number_assigned
from broker.relay.unreadable import plan_unreadable
from broker.relay.writeoff import certificate_granted, certificate_withdrawn, plan_request, writeoff_requested

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.relay.batch import Batch
    from broker.relay.records import Consumed

F = TypeVar("F", bound=facts.LaneFact)


@dataclass(frozen=True, slots=True)
class FactHandler(Generic[F]):
    """One kind of fact, and the function that its owner plans it with."""

    fact: type[F]
    handler: Callable[[Batch, F], None]

    def read(self, record: Consumed) -> F:
        """The fact; raises NewerFact, or ValueError, KeyError or TypeError where it cannot be read."""
        if int(record.header(headers.FACT_VERSION) or 1) > self.fact.VERSION:
            raise NewerFact
        return self.fact.decoded(record)

    def ready(self, batch: Batch, record: Consumed) -> Callable[[], None]:
        """The fact is read, and may be planned."""
        fact = self.read(record)
        return lambda: self.handler(batch, fact)


def _window_answered(batch: Batch, fact: facts.WindowAnswered) -> None:
    (answered_by_number if fact.is_by_number else window_answered)(batch, fact)


_ROWS = (
    FactHandler(facts.DocumentAccepted, document_accepted),
    FactHandler(facts.DocumentRepeated, document_repeated),
    FactHandler(facts.PayloadDelivered, payload_delivered),
    FactHandler(facts.PayloadUndelivered, payload_undelivered),
    FactHandler(facts.AnswerAwaited, answer_awaited),
    FactHandler(facts.WindowAnswered, _window_answered),
    FactHandler(facts.NumberAssigned, number_assigned),
    FactHandler(facts.NumberContested, number_contested),
    FactHandler(facts.DocumentNamed, document_named),
    FactHandler(facts.AmendmentSent, amendment_sent),
    FactHandler(facts.AmendmentFound, amendment_found),
    FactHandler(facts.AmendmentLinked, amendment_linked),
    FactHandler(facts.CertificateGranted, certificate_granted),
    FactHandler(facts.CertificateWithdrawn, certificate_withdrawn),
    FactHandler(facts.WriteoffRequested, writeoff_requested),
)
FACTS = {row.fact.KIND: row for row in _ROWS}
"""Kind of fact to its row."""


def plan(batch: Batch, record: Consumed) -> bool:
    """Plan one record into the batch; False when it stays where it is because its destination takes nothing now.

    Raises Unfetched, before anything is planned, when a document must be read again first. Whatever else is raised was
    not foreseen: the batch is of no more use, and the record's next plan is :func:`plan_failed`.
    """
    batch.begin(record)
    if record.fault is not None:
        plan_unreadable(batch, record, record.fault)
        return True
    return _TOPICS[topics.role_of(record.topic)](batch, record)


def _retry(batch: Batch, record: Consumed) -> bool:
    """A delivery that waits for its destination."""
    if goes_on_waiting(batch, record):
        return False
    plan_waiting(batch, record)
    return True


def _fact(batch: Batch, record: Consumed) -> bool:
    """A fact, planned by its owner. What this release cannot read is kept among the dead letters, and alarmed."""
    redrive_of, message = record.header(headers.REDRIVE_OF), record.header(headers.MESSAGE_ID)
    if redrive_of and was_redriven(batch, redrive_of, message):
        return True
    kind = facts.kind_of(record)
    try:
        planned = FACTS[kind].ready(batch, record) if kind in FACTS else None
    except NewerFact:
        _keep_fact(batch, record, "fact-newer", kind)
    except (ValueError, KeyError, TypeError):
        _keep_fact(batch, record, "fact-unreadable", kind)
    else:
        if planned is None:
            _keep_fact(batch, record, "fact-unknown", kind)
        else:
            planned()
    if redrive_of:  # last: a document that has to be read first begins the plan again
        note_redrive(batch, redrive_of, message)
    return True


def _keep_fact(batch: Batch, record: Consumed, reason: str, kind: str) -> None:
    place = str(record.place)
    batch.dead_letter(Produced(record.topic, record.key, record.value, record.headers), reason)
    batch.emit_event(reason, record.header(headers.MESSAGE_ID), kind=kind[:100], origin=place)
    batch.log(reason.replace("-", ".", 1), kind=kind[:100], origin=place)


def _sent(batch: Batch, record: Consumed) -> bool:
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
    else:
        _document(batch, record, is_rekeyed=is_rekeyed)
    return True


def _document(batch: Batch, record: Consumed, *, is_rekeyed: bool) -> None:
    """A document goes to the lane of its key or message id, an envelope of several to those of its documents."""
    try:
        if take_apart(batch, record):
            return
    except Refused as refusal:
        refuse_envelope(batch, record, refusal)
        return
    if is_rekeyed or record.key is not None:
        plan_document(batch, record)
    else:
        rekey(batch, record)


_TOPICS: dict[topics.Role, Callable[[Batch, Consumed], bool]] = {
    "outbox": _sent,
    "intake": _sent,
    "facts": _fact,
    "retry": _retry,
}
"""What a topic is for, to the function that plans its records; it returns False for one that stays where it is."""


def plan_failed(batch: Batch, record: Consumed, error: str) -> None:
    """What raised an exception that nobody foresaw goes to the dead letters; a document's sender is notified."""
    batch.begin(record)
    role, kind, place = topics.role_of(record.topic), error.partition(":")[0], str(record.place)
    reason = "over-budget" if kind == OverBudget.__name__ else f"unforeseen: {kind}"
    if role == "retry":
        dead_letter_waiting(batch, record, reason)
        return
    if role != "facts":
        with suppress(ValueError):  # a re-keyed record that says no origin
            dead_letter_document(batch, record, reason, error)
            return
    kept = headers.of_sender(record.headers) if topics.writer_of(record.topic) else record.headers
    batch.dead_letter(Produced(record.topic, record.key, record.value, kept), reason)
    batch.emit_event("deadletter", record.header(headers.MESSAGE_ID), reason=kind, origin=place)
    batch.log("record.failed", origin=place, error=error[:300])
