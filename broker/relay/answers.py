"""What windows answer, and the facts about a conversation, planned by the lane that owns it (``swb.answers``)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson

from broker.answers.conversation import standing_answer, state_of
from broker.answers.history import Answered, Delivered, Failed, History, Overdue, Received, Routed
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
from broker.relay.notifications import tell_sender
from broker.relay.records import Place, Produced, moment
from broker.relay.watchdog.policy import overdue
from broker.relay.writeoff import CERTIFICATES

if TYPE_CHECKING:
    from broker.answers.way_back import Telling
    from broker.model.answers import Answer
    from broker.relay.batch import Draft
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


def plan_window_record(draft: Draft, record: Consumed, window: ParticipantCode, origin: Place) -> None:
    """One record on swb.answers for each Response, keyed by its owner; what cannot be read is kept."""
    record_id = record.header(headers.CE_ID) or ids.content_id(record.content)
    try:
        answers = read(record.content, window, record_id)
    except Refused as refusal:
        codes = ",".join(dict.fromkeys(f.code for f in refusal.findings))
        own = record.headers if record.topic == topics.INTAKE else headers.of_sender(record.headers)
        draft.bury(Produced(origin.topic, record.key, record.value, own), "answer-unreadable", origin)
        draft.track("answer-unreadable", "", window=window, origin=str(origin), findings=[{"code": codes}])
        draft.say("answer.unreadable", window=window, codes=codes, origin=str(origin))
        return
    for answer in answers:
        by_reference = ids.is_message_id(answer.reference)
        key = answer.reference.encode() if by_reference else ids.reference_key(window, answer.mrn)
        kept = {
            headers.CE_TYPE: Fact.ANSWER.ce_type,
            headers.CE_ID: ids.broker_id(answer.reference, window, Kind.ANSWER, answer.answer_id),
            headers.CE_TIME: draft.at,
            headers.WINDOW: window,
            headers.RECORD_ID: record_id,
            headers.ANSWER_POSITION: str(answer.position),
            **origin.headers(),
        }
        draft.emit(Produced(topics.ANSWERS, key, record.value, headers.encoded(kept)))


# --- at the owner -----------------------------------------------------------------------------------------------------


def plan_fact(draft: Draft, record: Consumed) -> None:
    """One record of swb.answers, applied to the history of what its key names."""
    kind = record.header(headers.CE_TYPE).removeprefix("swb.fact.")
    if kind == Fact.ANSWER:
        numbered = b"\n" in (record.key or b"")
        (_by_number if numbered else _plan_answer)(draft, record)
        return
    if kind in _OTHERS:
        _OTHERS[Fact(kind)](draft, record)
        return
    _APPLY[Fact(kind)](draft, orjson.loads(record.content))


def _accepted(draft: Draft, fact: Entry) -> None:
    """A document opened its conversation. Accepted again (a dead letter redriven), it keeps what was heard before."""
    at = moment(fact["at"])
    topic, partition, offset = fact["origin"]
    received = Received(
        at=at, sender=fact["sender"], document_type=fact["document_type"], topic=topic, partition=partition,
        offset=offset, content_sha256=fact["sha256"], mapping=fact["mapping"],
    )  # fmt: skip
    known = Conversation.of(draft, fact["message_id"]) or Conversation(
        History(ConversationId(fact["message_id"])), fact["key"]
    )
    unrouted = tuple((r["window"], r["reason"]) for r in fact["unrouted"])
    known.add(received, Routed(at=at, windows=tuple(r["window"] for r in fact["routed"]), reasons=unrouted))
    known.add(*(Delivered(at=at, window=window) for window in fact["delivered"]))
    known.keep(draft)


def _delivered(draft: Draft, fact: Entry) -> None:
    _heard(draft, fact, Delivered(at=moment(fact["at"]), window=fact["window"]))


def _failed(draft: Draft, fact: Entry) -> None:
    _heard(draft, fact, Failed(at=moment(fact["at"]), window=fact["window"], reason=fact["reason"]))


def _heard(draft: Draft, fact: Entry, what: Delivered | Failed) -> None:
    known = Conversation.of(draft, fact["message_id"])
    if known:
        known.add(what)
        known.keep(draft)


def _repeat(draft: Draft, fact: Entry) -> None:
    """The sender sent it again: the receipt and each window's latest decision again, under the same ids."""
    known = Conversation.of(draft, fact["message_id"])
    if not known:
        return
    windows, statuses = known.history.windows(), draft.rules.statuses
    latest = [a for a in (standing_answer(known.history, window, statuses) for window in windows) if a]
    receipt = _receipt_of(draft, known)
    tellings = [(_telling_of(draft, known, answered), answered.answer.answer_id) for answered in latest]
    tell_sender(draft, receipt, known.key, extra=known.headers())
    for telling, cause in tellings:
        tell_sender(draft, telling, known.key, cause=cause, extra=known.headers())


def _no_answer(draft: Draft, fact: Entry) -> None:
    """The watchdog asks to look: what the window's policy makes of the waiting by now, told once."""
    known = Conversation.of(draft, fact["message_id"])
    now = datetime.fromtimestamp(draft.now / 1000, UTC)
    due = overdue(known.history, draft.rules.statuses, draft.rules.patience, now) if known else ()
    if not known or not due:
        return
    for event in due:
        known.add(event)
        step, level = (event.step, event.level) if isinstance(event, Overdue) else ("decision", 0)
        told = known.telling(Kind.NOTICE, event.kind, event.window)
        tell_sender(draft, told, known.key, cause=f"{event.kind} {step} {level}", extra=known.headers())
        draft.track(
            event.kind, fact["message_id"], sender=known.received.sender, window=event.window, step=step, level=level
        )
        draft.say(f"message.{event.kind}", message_id=fact["message_id"], window=event.window, step=step, level=level)
    known.keep(draft)


# --- answers ----------------------------------------------------------------------------------------------------------


def _plan_answer(draft: Draft, record: Consumed) -> None:
    """An answer counts once, and only if its conversation has a delivery to that window; then it goes home."""
    window, message = ParticipantCode(record.header(headers.WINDOW)), (record.key or b"").decode()
    redrive_of = record.header(headers.REDRIVE_OF)
    if redrive_of and not first_redrive(draft, redrive_of, message):
        return
    known = Conversation.of(draft, message)
    if not known or not known.history.has_delivery(window):
        _keep(draft, record, "answer-unmatched", message, window)
        return
    answer = _answer(record, window)
    meaning = draft.rules.meaning(answer)
    answered = Answered(at=draft.at, answer=answer, state=meaning.state, why=meaning.why)
    novelty = known.add(answered)
    if novelty == ["repeat"]:
        return
    if novelty == ["full"]:
        _keep(draft, record, "answer-flood", message, window)
        return
    telling = _telling_of(draft, known, answered)
    known.keep(draft)
    if novelty == ["conflict"]:
        _keep(draft, record, "answer-conflict", message, window)
        return
    tell_sender(draft, telling, known.key, cause=answer.answer_id, extra=known.headers())
    if answer.mrn:
        draft.tell(
            Fact.REFERENCE,
            ids.reference_key(window, answer.mrn),
            {"message_id": message, "window": window, "mrn": answer.mrn},
        )
    standing = next(w for w in state_of(known.history, draft.rules.statuses).windows if w.window == window)
    draft.track(
        "decided", message, sender=known.received.sender, document_type=known.received.document_type, window=window,
        state=answered.state, standing=standing.state, verdict=standing.verdict, alarms=list(standing.alarms),
        function=answer.function_code, answer_id=answer.answer_id, mrn=answer.mrn,
        issued=answer.issued, findings=[{"code": e.code, "pointer": chain_text(e.pointer)} for e in answer.errors],
    )  # fmt: skip
    draft.say(
        "message.answered", message_id=message, conversation_id=message, window=window, state=answered.state,
        sender=known.received.sender, document_type=known.received.document_type,
    )  # fmt: skip


def _answer(record: Consumed, window: ParticipantCode) -> Answer:
    answers = read(record.content, window, record.header(headers.RECORD_ID))
    return answers[int(record.header(headers.ANSWER_POSITION)) - 1]


def _telling_of(draft: Draft, known: Conversation, answered: Answered) -> Telling:
    """What the sender is told, with the document at hand as it was sent.

    The state is where the message stands at the window after its whole history: an answer that comes late does not
    move it back for a sender that reads its inbox in order.
    """
    window = answered.answer.window
    standing = standing_answer(known.history, window, draft.rules.statuses) or answered
    telling = known.telling(Kind.ANSWER, standing.state, window)
    return replace(
        telling, answer=answered, content=_source(draft, known), mapping=known.received.mapping,
        windows=_windows(draft, known),
    )  # fmt: skip


def _receipt_of(draft: Draft, known: Conversation) -> Telling:
    """The receipt again, with the sender's own references and the line's warnings, as far as the document is there."""
    telling = replace(known.telling(Kind.RECEIPT, "received"), windows=_windows(draft, known))
    source = _source(draft, known)
    if source is None:
        return telling
    outcome = draft.rules.process(Message(MessageId(telling.message_id), source, known.received.sender))
    warnings = tuple(f.as_json() for f in outcome.findings if not f.is_error)
    return replace(telling, findings=warnings, content=source, document=outcome.document)


def _source(draft: Draft, known: Conversation) -> bytes | None:
    """The document as it was sent; None when it is no longer at its origin."""
    received = known.received
    source = draft.fetched(Place(received.topic, received.partition, received.offset))
    return source if source is not None and ids.content_id(source) == received.content_sha256 else None


def _windows(draft: Draft, known: Conversation) -> tuple[AtWindow, ...]:
    """Where the message stands at every window."""
    return tuple(AtWindow(w.window, w.state) for w in state_of(known.history, draft.rules.statuses).windows)


def _keep(draft: Draft, record: Consumed, reason: str, message: str, window: str) -> None:
    """An answer that fits nothing is kept and alarmed; it can be matched later."""
    draft.bury(Produced(record.topic, record.key, record.value, record.headers), reason)
    draft.track(reason, message, window=window, origin=str(record.place))
    draft.say(reason.replace("-", ".", 1), window=window, message_id=message)


# --- answers that name only the window's own number -------------------------------------------------------------------


def _by_number(draft: Draft, record: Consumed) -> None:
    """Forwarded to the conversation that the number belongs to; until that is known it waits here."""
    key = record.key or b""
    entry = draft.memory.references.get(key) or {"waiting": []}
    if "message_id" in entry:
        draft.emit(Produced(topics.ANSWERS, entry["message_id"].encode(), record.value, record.headers))
        return
    if sum(len(waiting[-1][1]) for waiting in entry["waiting"]) + len(record.content) > WAITING_BYTES:
        _keep(draft, record, "answer-waiting-full", "", key.decode("utf-8", "replace").partition("\n")[0])
        return
    entry["waiting"].append(
        [[n, v.decode("latin-1")] for n, v in record.headers] + [["", record.content.decode("latin-1")]]
    )
    draft.remember(draft.memory.references, key, entry)
    window, _, number = key.decode("utf-8", "replace").partition("\n")
    draft.track("answer-waiting", "", window=window, mrn=number, origin=str(record.place))
    draft.say("answer.waiting", window=window, mrn=number)


def _reference(draft: Draft, fact: Entry) -> None:
    """The owner of a window's number is known: what waited for it goes on."""
    key = ids.reference_key(fact["window"], fact["mrn"])
    entry = draft.memory.references.get(key) or {"waiting": []}
    if entry.get("message_id") == fact["message_id"]:
        return
    for *kept, (_, content) in entry.get("waiting", []):
        headers_again = tuple((n, v.encode("latin-1")) for n, v in kept)
        draft.emit(Produced(topics.ANSWERS, fact["message_id"].encode(), content.encode("latin-1"), headers_again))
    draft.remember(draft.memory.references, key, {"message_id": fact["message_id"]})


_OTHERS = {**AMENDMENTS, **CERTIFICATES}
_APPLY = {
    Fact.ACCEPTED: _accepted,
    Fact.DELIVERED: _delivered,
    Fact.FAILED: _failed,
    Fact.REPEAT: _repeat,
    Fact.REFERENCE: _reference,
    Fact.NO_ANSWER: _no_answer,
}
