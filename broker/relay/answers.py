"""What windows answer: taken from their outbox, and applied by the lane that owns the conversation."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from broker.answers.conversation import state_of
from broker.answers.history import Answered
from broker.answers.wco_response import holds_response, read_part, split
from broker.content.xml import parse
from broker.model.answers import chain_text
from broker.model.errors import Refused
from broker.model.ids import MessageId
from broker.relay import headers, ids, topics
from broker.relay.conversations import Conversation
from broker.relay.facts import NumberAssigned, WindowAnswered
from broker.relay.headers import Kind
from broker.relay.notifications import notify_sender
from broker.relay.records import Produced

if TYPE_CHECKING:
    from broker.model.answers import Answer
    from broker.model.ids import ParticipantCode
    from broker.relay.batch import Batch
    from broker.relay.records import Consumed, Place


_MOST, _TEXT = 100, 200
"""Errors of an answer that tracking holds, and characters of each code and pointer."""

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
    """One fact for each Response, with its part of the record, to its owner; what cannot be read is kept."""
    record_id = ids.record_id(record.header(headers.CE_ID), record.content)
    try:
        parts = split(record.content, window, record_id)
    except Refused as refusal:
        codes = ",".join(dict.fromkeys(f.code for f in refusal.findings))
        own = record.headers if record.topic == topics.INTAKE else headers.of_sender(record.headers)
        batch.dead_letter(Produced(origin.topic, record.key, record.value, own), "answer-unreadable", origin)
        batch.emit_event("answer-unreadable", "", window=window, origin=str(origin), findings=[{"code": codes}])
        batch.log("answer.unreadable", window=window, codes=codes, origin=str(origin))
        return
    for answer, content in parts:
        owner = _owner(answer)
        if owner is None:
            own = record.headers if record.topic == topics.INTAKE else headers.of_sender(record.headers)
            batch.dead_letter(Produced(origin.topic, record.key, record.value, own), "answer-unmatched", origin)
            batch.emit_event("answer-unmatched", "", window=window, origin=str(origin))
            batch.log("answer.unmatched", window=window, message_id="")
            continue
        batch.send_fact(
            WindowAnswered(
                owner=owner,
                id=ids.broker_id(answer.reference, window, Kind.ANSWER, answer.answer_id),
                window=window,
                record_id=record_id,
                position=answer.position,
                origin=origin,
                content=content,
            )
        )


def _owner(answer: Answer) -> bytes | None:
    """Who can know what an answer belongs to: our own id, else the window's number; None when it names neither."""
    if ids.is_message_id(answer.reference):
        return answer.reference.encode()
    return ids.reference_key(answer.window, answer.mrn) if answer.mrn else None


# --- at the owner of the conversation ---------------------------------------------------------------------------------


def window_answered(batch: Batch, fact: WindowAnswered) -> None:
    """An answer counts once, and only if its conversation has a delivery to that window; then it goes home."""
    window, message = fact.window, MessageId(fact.owner.decode())
    known = Conversation.of(batch, message)
    answer = read_part(fact.content, window, fact.record_id, fact.position)
    if not known or not known.history.has_delivery(window):
        if answer.mrn and answer.is_own_reference:
            batch.send_fact(replace(fact, owner=ids.reference_key(window, answer.mrn)))
        else:
            keep_answer(batch, "answer-unmatched", message, window)
        return
    meaning = batch.context.meaning(answer)
    answered = Answered(at=batch.at, answer=answer, state=meaning.state, why=meaning.why)
    (novelty,) = known.add(answered)
    if novelty == "repeat":
        return
    if novelty == "full":
        keep_answer(batch, "answer-flood", message, window)
        return
    notification = known.answer_notification(batch, answered)
    known.keep(batch)
    if novelty == "conflict":
        keep_answer(batch, "answer-conflict", message, window)
        return
    notify_sender(batch, notification, known.key, cause=answer.answer_id, extra=known.headers())
    if answer.mrn:
        batch.send_fact(NumberAssigned(at=batch.now, message_id=message, window=window, mrn=answer.mrn))
    _emit_decision(batch, known, message, answered)


def _emit_decision(batch: Batch, known: Conversation, message: MessageId, answered: Answered) -> None:
    answer: Answer = answered.answer
    standing = next(w for w in state_of(known.history, batch.context.statuses).windows if w.window == answer.window)
    about = {"sender": known.received.sender, "document_type": known.received.document_type}
    batch.emit_event(
        "decided", message, **about, window=answer.window, state=answered.state, standing=standing.state,
        verdict=standing.verdict, alarms=list(standing.alarms), function=answer.function_code,
        answer_id=answer.answer_id, mrn=answer.mrn, issued=answer.issued,
        findings=[{"code": e.code[:_TEXT], "pointer": chain_text(e.pointer)[:_TEXT]} for e in answer.errors[:_MOST]],
    )  # fmt: skip
    batch.log(
        "message.answered", message_id=message, conversation_id=message, window=answer.window, state=answered.state,
        since=int(datetime.fromisoformat(known.received.at).timestamp() * 1000), **about,
    )  # fmt: skip


def keep_answer(batch: Batch, reason: str, message: str, window: str) -> None:
    """An answer that fits nothing is kept and alarmed; it can be matched later."""
    record = batch.source
    batch.dead_letter(Produced(record.topic, record.key, record.value, record.headers), reason)
    batch.emit_event(reason, message, window=window, origin=str(record.place))
    batch.log(reason.replace("-", ".", 1), window=window, message_id=message)
