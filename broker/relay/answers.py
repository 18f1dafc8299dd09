"""What windows answer: taken from their outbox, and applied by the lane that owns the conversation."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import orjson

from broker.answers.conversation import is_ahead, is_before, state_of
from broker.answers.history import Answered, Related
from broker.answers.wco_response import holds_response, read_part, split
from broker.content.xml import parse
from broker.model.answers import chain_text
from broker.model.errors import Refused
from broker.model.findings import Finding, Severity
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
    from broker.relay.facts import NumberContested
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
    if answer.is_own_reference and answer.reference != message:  # it has our form by chance: found by the number
        answer = replace(answer, answer_id=answer.reference, reference="", is_own_reference=False)
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
        text = f"{window} used the id {answer.answer_id} for two answers that differ. Both are kept."
        notify_conflict(
            batch, known, window, Finding("answer.conflict", text, Severity.WARNING, value=answer.answer_id)
        )
        return
    notify_sender(batch, notification, known.key, cause=answer.answer_id, extra=known.headers())
    if answer.mrn:
        batch.send_fact(
            NumberAssigned(
                at=batch.now, message_id=message, window=window, mrn=answer.mrn,
                related=tuple(MessageId(f.conversation) for f in known.history.facts if isinstance(f, Related)),
            )
        )  # fmt: skip
    _emit_decision(batch, known, message, answered)
    if finding := _odd_time(known, answered):
        notify_conflict(batch, known, window, finding)


def _odd_time(known: Conversation, answered: Answered) -> Finding | None:
    """A decision of the future, or from before its delivery: it counts, its time decides nothing."""
    issued, window = answered.answer.issued, answered.answer.window
    if is_ahead(answered):
        text = f"{window} says that it issued answer {answered.answer.answer_id} on {issued}, which has not come yet."
        return Finding("answer.future", text, Severity.WARNING, value=issued)
    if is_before(answered, known.delivered_at(window)):
        text = f"{window} says that it issued answer {answered.answer.answer_id} on {issued}, before it was delivered."
        return Finding("answer.before-delivery", text, Severity.WARNING, value=issued)
    return None


def number_contested(batch: Batch, fact: NumberContested) -> None:
    """A window gave two messages one number: its sender and the window are notified."""
    known = Conversation.of(batch, fact.message_id)
    if known is None:
        return
    text = f"{fact.window} gave the number {fact.mrn} to another message too; answers by that number alone are kept."
    notify_conflict(batch, known, fact.window, Finding("answer.number", text, Severity.WARNING, value=fact.mrn))


def notify_conflict(batch: Batch, known: Conversation, window: ParticipantCode, finding: Finding) -> None:
    """A window contradicts itself: a notice to the sender, with where its message stands, and one to the window."""
    message = MessageId(known.history.conversation)
    standing = next(
        (w.state for w in state_of(known.history, batch.context.statuses).windows if w.window == window), "conflict"
    )
    cause = f"{finding.code} {finding.value} {batch.source.place}"
    notice = known.notification(Kind.NOTICE, standing, window)
    notice = replace(notice, findings=(finding,), windows=known.at_windows(batch))
    notify_sender(batch, notice, known.key, cause=cause, extra=known.headers())
    content = orjson.dumps({"kind": "conflict", "message_id": message, "findings": [finding.as_json()]})
    extra = {headers.CONTENT_TYPE: headers.JSON, headers.STATE_HEADER: "conflict"}
    batch.deliver(window, Kind.NOTICE, message, known.key, content, extra, window=window, cause=f"window {cause}")
    if finding.code != "answer.conflict":  # which is an event already
        batch.emit_event(finding.code.replace(".", "-"), message, window=window, sender=known.received.sender)
    batch.log("answer.contradiction", window=window, message_id=message, code=finding.code)


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
