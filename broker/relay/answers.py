"""What windows answer, and the facts about a conversation, planned by the lane that owns it (``swb.answers``)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson

from broker.answers.conversation import standing_answer, state_of
from broker.answers.history import Answered, Delivered, DeliveryFailed, DocumentReceived, History, Overdue, Routed
from broker.answers.render import AtWindow
from broker.answers.wco_response import holds_response, read
from broker.content.xml import parse
from broker.model.answers import chain_text
from broker.model.documents import Message
from broker.model.errors import Refused
from broker.model.ids import ConversationId, MessageId, ParticipantCode
from broker.relay import headers, ids, topics
from broker.relay.amendments import AMENDMENTS, WAITING_BYTES
from broker.relay.conversations import Conversation
from broker.relay.documents import first_redrive
from broker.relay.facts import Fact
from broker.relay.headers import Kind
from broker.relay.notifications import notify_sender
from broker.relay.records import Place, Produced, moment
from broker.relay.watchdog.policy import overdue
from broker.relay.writeoff import CERTIFICATES

if TYPE_CHECKING:
    from broker.answers.way_back import Notification
    from broker.model.answers import Answer
    from broker.relay.batch import Batch
    from broker.relay.records import Consumed
    from broker.relay.stores import Entry


# --- on a window's outbox ---------------------------------------------------------------------------------------------


def is_answer(record: Consumed) -> bool:
    """Whether what a window sent is an answer: marked as one, a Response by its root, or nothing that can be read."""
    if record.header(headers.CE_TYPE) == headers.ANSWER_TYPE:
        return True
    try:
        return holds_response(parse(record.content)[0])
    except Refused:
        return True


def plan_window_record(batch: Batch, record: Consumed, window: ParticipantCode, origin: Place) -> None:
    """One record on swb.answers for each Response, keyed by its owner; what cannot be read is kept."""
    record_id = record.header(headers.CE_ID) or ids.content_id(record.content)
    try:
        answers = read(record.content, window, record_id)
    except Refused as refusal:
        codes = ",".join(dict.fromkeys(f.code for f in refusal.findings))
        own = record.headers if record.topic == topics.INTAKE else headers.of_sender(record.headers)
        batch.dead_letter(Produced(origin.topic, record.key, record.value, own), "answer-unreadable", origin)
        batch.emit_event("answer-unreadable", "", window=window, origin=str(origin), findings=[{"code": codes}])
        batch.log("answer.unreadable", window=window, codes=codes, origin=str(origin))
        return
    for answer in answers:
        by_reference = ids.is_message_id(answer.reference)
        key = answer.reference.encode() if by_reference else ids.reference_key(window, answer.mrn)
        kept = {
            headers.CE_TYPE: Fact.ANSWER.ce_type,
            headers.CE_ID: ids.broker_id(answer.reference, window, Kind.ANSWER, answer.answer_id),
            headers.CE_TIME: batch.at,
            headers.WINDOW: window,
            headers.RECORD_ID: record_id,
            headers.ANSWER_POSITION: str(answer.position),
            **origin.headers(),
        }
        batch.write(Produced(topics.ANSWERS, key, record.value, headers.encoded(kept)))


# --- at the owner -----------------------------------------------------------------------------------------------------


def plan_fact(batch: Batch, record: Consumed) -> None:
    """One record of swb.answers, applied to the history of what its key names."""
    kind = record.header(headers.CE_TYPE).removeprefix("swb.fact.")
    if kind == Fact.ANSWER:
        numbered = b"\n" in (record.key or b"")
        (_by_number if numbered else _plan_answer)(batch, record)
        return
    if kind in _OTHERS:
        _OTHERS[Fact(kind)](batch, record)
        return
    _APPLY[Fact(kind)](batch, orjson.loads(record.content))


def _accepted(batch: Batch, fact: Entry) -> None:
    """A document opened its conversation. Accepted again (a dead letter redriven), it keeps what was heard before."""
    at = moment(fact["at"])
    topic, partition, offset = fact["origin"]
    received = DocumentReceived(
        at=at, sender=fact["sender"], document_type=fact["document_type"], topic=topic, partition=partition,
        offset=offset, content_sha256=fact["sha256"], mapping=fact["mapping"],
    )  # fmt: skip
    known = Conversation.of(batch, fact["message_id"]) or Conversation(
        History(ConversationId(fact["message_id"])), fact["key"]
    )
    unrouted = tuple((r["window"], r["reason"]) for r in fact["unrouted"])
    known.add(received, Routed(at=at, windows=tuple(r["window"] for r in fact["routed"]), reasons=unrouted))
    known.add(*(Delivered(at=at, window=window) for window in fact["delivered"]))
    known.keep(batch)


def _delivered(batch: Batch, fact: Entry) -> None:
    _happened(batch, fact, Delivered(at=moment(fact["at"]), window=fact["window"]))


def _failed(batch: Batch, fact: Entry) -> None:
    _happened(batch, fact, DeliveryFailed(at=moment(fact["at"]), window=fact["window"], reason=fact["reason"]))


def _happened(batch: Batch, fact: Entry, what: Delivered | DeliveryFailed) -> None:
    known = Conversation.of(batch, fact["message_id"])
    if known:
        known.add(what)
        known.keep(batch)


def _repeat(batch: Batch, fact: Entry) -> None:
    """The sender sent it again: the receipt and each window's latest decision again, under the same ids."""
    known = Conversation.of(batch, fact["message_id"])
    if not known:
        return
    windows, statuses = known.history.windows(), batch.context.statuses
    latest = [a for a in (standing_answer(known.history, window, statuses) for window in windows) if a]
    receipt = _receipt_of(batch, known)
    notifications = [(_notification_of(batch, known, answered), answered.answer.answer_id) for answered in latest]
    notify_sender(batch, receipt, known.key, extra=known.headers())
    for notification, cause in notifications:
        notify_sender(batch, notification, known.key, cause=cause, extra=known.headers())


def _no_answer(batch: Batch, fact: Entry) -> None:
    """The watchdog asks to look: what the window's policy makes of the waiting by now, told once."""
    known = Conversation.of(batch, fact["message_id"])
    now = datetime.fromtimestamp(batch.now / 1000, UTC)
    due = overdue(known.history, batch.context.statuses, batch.context.watchdog_policy, now) if known else ()
    if not known or not due:
        return
    for event in due:
        known.add(event)
        step, level = (event.step, event.level) if isinstance(event, Overdue) else ("decision", 0)
        told = known.notification(Kind.NOTICE, event.kind, event.window)
        notify_sender(batch, told, known.key, cause=f"{event.kind} {step} {level}", extra=known.headers())
        batch.emit_event(
            event.kind, fact["message_id"], sender=known.received.sender, window=event.window, step=step, level=level
        )
        batch.log(f"message.{event.kind}", message_id=fact["message_id"], window=event.window, step=step, level=level)
    known.keep(batch)


# --- answers ----------------------------------------------------------------------------------------------------------


def _plan_answer(batch: Batch, record: Consumed) -> None:
    """An answer counts once, and only if its conversation has a delivery to that window; then it goes home."""
    window, message = ParticipantCode(record.header(headers.WINDOW)), (record.key or b"").decode()
    redrive_of = record.header(headers.REDRIVE_OF)
    if redrive_of and not first_redrive(batch, redrive_of, message):
        return
    known = Conversation.of(batch, message)
    if not known or not known.history.has_delivery(window):
        _keep(batch, record, "answer-unmatched", message, window)
        return
    answer = _answer(record, window)
    meaning = batch.context.meaning(answer)
    answered = Answered(at=batch.at, answer=answer, state=meaning.state, why=meaning.why)
    novelty = known.add(answered)
    if novelty == ["repeat"]:
        return
    if novelty == ["full"]:
        _keep(batch, record, "answer-flood", message, window)
        return
    notification = _notification_of(batch, known, answered)
    known.keep(batch)
    if novelty == ["conflict"]:
        _keep(batch, record, "answer-conflict", message, window)
        return
    notify_sender(batch, notification, known.key, cause=answer.answer_id, extra=known.headers())
    if answer.mrn:
        batch.send_fact(
            Fact.REFERENCE,
            ids.reference_key(window, answer.mrn),
            {"message_id": message, "window": window, "mrn": answer.mrn},
        )
    standing = next(w for w in state_of(known.history, batch.context.statuses).windows if w.window == window)
    batch.emit_event(
        "decided", message, sender=known.received.sender, document_type=known.received.document_type, window=window,
        state=answered.state, standing=standing.state, verdict=standing.verdict, alarms=list(standing.alarms),
        function=answer.function_code, answer_id=answer.answer_id, mrn=answer.mrn,
        issued=answer.issued, findings=[{"code": e.code, "pointer": chain_text(e.pointer)} for e in answer.errors],
    )  # fmt: skip
    batch.log(
        "message.answered", message_id=message, conversation_id=message, window=window, state=answered.state,
        sender=known.received.sender, document_type=known.received.document_type,
    )  # fmt: skip


def _answer(record: Consumed, window: ParticipantCode) -> Answer:
    answers = read(record.content, window, record.header(headers.RECORD_ID))
    return answers[int(record.header(headers.ANSWER_POSITION)) - 1]


def _notification_of(batch: Batch, known: Conversation, answered: Answered) -> Notification:
    """What the sender is told, with the document at hand as it was sent.

    The state is where the message stands at the window after its whole history: an answer that comes late does not
    move it back for a sender that reads its inbox in order.
    """
    window = answered.answer.window
    standing = standing_answer(known.history, window, batch.context.statuses) or answered
    notification = known.notification(Kind.ANSWER, standing.state, window)
    return replace(
        notification, answer=answered, content=_source(batch, known), mapping=known.received.mapping,
        windows=_windows(batch, known),
    )  # fmt: skip


def _receipt_of(batch: Batch, known: Conversation) -> Notification:
    """The receipt again, with the sender's own references and the line's warnings, as far as the document is there."""
    notification = replace(known.notification(Kind.RECEIPT, "received"), windows=_windows(batch, known))
    source = _source(batch, known)
    if source is None:
        return notification
    outcome = batch.context.process(Message(MessageId(notification.message_id), source, known.received.sender))
    warnings = tuple(f.as_json() for f in outcome.findings if not f.is_error)
    return replace(notification, findings=warnings, content=source, document=outcome.document)


def _source(batch: Batch, known: Conversation) -> bytes | None:
    """The document as it was sent; None when it is no longer at its origin."""
    received = known.received
    source = batch.fetched(Place(received.topic, received.partition, received.offset))
    return source if source is not None and ids.content_id(source) == received.content_sha256 else None


def _windows(batch: Batch, known: Conversation) -> tuple[AtWindow, ...]:
    """Where the message stands at every window."""
    return tuple(AtWindow(w.window, w.state) for w in state_of(known.history, batch.context.statuses).windows)


def _keep(batch: Batch, record: Consumed, reason: str, message: str, window: str) -> None:
    """An answer that fits nothing is kept and alarmed; it can be matched later."""
    batch.dead_letter(Produced(record.topic, record.key, record.value, record.headers), reason)
    batch.emit_event(reason, message, window=window, origin=str(record.place))
    batch.log(reason.replace("-", ".", 1), window=window, message_id=message)


# --- answers that name only the window's own number -------------------------------------------------------------------


def _by_number(batch: Batch, record: Consumed) -> None:
    """Forwarded to the conversation that the number belongs to; until that is known it waits here."""
    key = record.key or b""
    entry = batch.stores.references.get(key) or {"waiting": []}
    if "message_id" in entry:
        batch.write(Produced(topics.ANSWERS, entry["message_id"].encode(), record.value, record.headers))
        return
    if sum(len(waiting[-1][1]) for waiting in entry["waiting"]) + len(record.content) > WAITING_BYTES:
        _keep(batch, record, "answer-waiting-full", "", key.decode("utf-8", "replace").partition("\n")[0])
        return
    entry["waiting"].append(
        [[n, v.decode("latin-1")] for n, v in record.headers] + [["", record.content.decode("latin-1")]]
    )
    batch.remember(batch.stores.references, key, entry)
    window, _, number = key.decode("utf-8", "replace").partition("\n")
    batch.emit_event("answer-waiting", "", window=window, mrn=number, origin=str(record.place))
    batch.log("answer.waiting", window=window, mrn=number)


def _reference(batch: Batch, fact: Entry) -> None:
    """The owner of a window's number is known: what waited for it goes on."""
    key = ids.reference_key(fact["window"], fact["mrn"])
    entry = batch.stores.references.get(key) or {"waiting": []}
    if entry.get("message_id") == fact["message_id"]:
        return
    for *kept, (_, content) in entry.get("waiting", []):
        headers_again = tuple((n, v.encode("latin-1")) for n, v in kept)
        batch.write(Produced(topics.ANSWERS, fact["message_id"].encode(), content.encode("latin-1"), headers_again))
    batch.remember(batch.stores.references, key, {"message_id": fact["message_id"]})


_OTHERS = {**AMENDMENTS, **CERTIFICATES}
_APPLY = {
    Fact.ACCEPTED: _accepted,
    Fact.DELIVERED: _delivered,
    Fact.FAILED: _failed,
    Fact.REPEAT: _repeat,
    Fact.REFERENCE: _reference,
    Fact.NO_ANSWER: _no_answer,
}
