"""Conversations, in the lane that owns them: how they begin, and what happens to them besides answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson

from broker.answers.conversation import standing_answer, state_of
from broker.answers.history import Delivered, DeliveryFailed, DocumentReceived, History, Overdue, Routed, add
from broker.answers.render import AtWindow
from broker.answers.way_back import Notification
from broker.model.documents import Message
from broker.model.findings import Finding, Severity
from broker.model.ids import ConversationId, MessageId
from broker.relay import headers, ids
from broker.relay.entries import Remembered
from broker.relay.headers import Kind
from broker.relay.notifications import notify_sender
from broker.relay.records import Place, moment
from broker.relay.watchdog.policy import overdue

if TYPE_CHECKING:
    from broker.answers import history
    from broker.answers.history import Answered, Novelty
    from broker.model.ids import ParticipantCode
    from broker.relay.batch import Batch
    from broker.relay.facts import (
        AnswerAwaited,
        DocumentAccepted,
        DocumentRepeated,
        PayloadDelivered,
        PayloadUndelivered,
    )


class Conversation:
    """A history and the key of its document, as they lie in ``swb.conversations``."""

    def __init__(self, history: History, key: str | None) -> None:
        self.history = history
        self._key = key

    @classmethod
    def of(cls, batch: Batch, message: str) -> Conversation | None:
        """The conversation of a message; None where this lane knows none."""
        entry = batch.stores.conversations.get(message.encode())
        return cls(entry.history, entry.key) if entry else None

    def add(self, *facts: history.Fact) -> list[Novelty]:
        """What each fact adds."""
        novelties = []
        for fact in facts:
            self.history, novelty = add(self.history, fact)
            novelties.append(novelty)
        return novelties

    def keep(self, batch: Batch) -> None:
        """Remember it as it is now."""
        entry = Remembered(batch.now, self._key, self.history)
        batch.remember(batch.stores.conversations, self.history.conversation.encode(), entry)

    @property
    def key(self) -> bytes | None:
        return None if self._key is None else self._key.encode("latin-1")

    @property
    def received(self) -> DocumentReceived:
        """How its document came, the last time it was judged."""
        return [fact for fact in self.history.facts if isinstance(fact, DocumentReceived)][-1]

    def headers(self) -> dict[str, str]:
        return {headers.DOCUMENT_TYPE: self.received.document_type, headers.MAPPING: self.received.mapping}

    def notification(self, kind: Kind, state: str, window: str = "") -> Notification:
        """A notification of its sender, without what only some of them have."""
        received = self.received
        return Notification(
            kind, self.history.conversation, received.sender, received.document_type, state, window, received.at
        )

    def delivered_at(self, window: ParticipantCode) -> str:
        """When a window got it first; empty while it has not."""
        return min((f.at for f in self.history.facts if isinstance(f, Delivered) and f.window == window), default="")

    def at_windows(self, batch: Batch) -> tuple[AtWindow, ...]:
        """Where the message stands at every window."""
        return tuple(AtWindow(w.window, w.state) for w in state_of(self.history, batch.context.statuses).windows)

    def source(self, batch: Batch) -> bytes | None:
        """The document as it was sent; None when it is no longer at its origin."""
        received = self.received
        source = batch.fetched(Place(received.topic, received.partition, received.offset))
        if source is not None and received.part:
            source = batch.context.part(source, received.part)
        return source if source is not None and ids.content_id(source) == received.content_sha256 else None

    def answer_notification(self, batch: Batch, answered: Answered) -> Notification:
        """What the sender is sent about an answer, with the document at hand as it was sent.

        The state is where the message stands at the window after its whole history: an answer that comes late does not
        move it back for a sender that reads its inbox in order.
        """
        window = answered.answer.window
        standing = standing_answer(self.history, window, batch.context.statuses) or answered
        notification = self.notification(Kind.ANSWER, standing.state, window)
        return replace(
            notification, answer=answered, content=self.source(batch), skipped=self.received.skipped,
            mapping=self.received.mapping, windows=self.at_windows(batch),
        )  # fmt: skip

    def receipt_notification(self, batch: Batch) -> Notification:
        """The receipt again, with the sender's own references and the line's warnings, while the document is there."""
        notification = replace(self.notification(Kind.RECEIPT, "received"), windows=self.at_windows(batch))
        source = self.source(batch)
        if source is None:
            return notification
        message = Message(MessageId(notification.message_id), source, self.received.sender, self.received.skipped)
        outcome = batch.context.process(message)
        warnings = tuple(f for f in outcome.findings if not f.is_error)
        return replace(notification, findings=warnings, content=source, document=outcome.document)


# --- facts ------------------------------------------------------------------------------------------------------------


def document_accepted(batch: Batch, fact: DocumentAccepted) -> None:
    """A document opened its conversation. Accepted again (a dead letter redriven), it keeps what was known before."""
    at = moment(fact.at)
    received = DocumentReceived(
        at=at, sender=fact.sender, document_type=fact.document_type, topic=fact.origin.topic,
        partition=fact.origin.partition, offset=fact.origin.offset, part=fact.part, skipped=fact.skipped,
        content_sha256=fact.sha256, mapping=fact.mapping,
    )  # fmt: skip
    known = Conversation.of(batch, fact.message_id) or Conversation(History(ConversationId(fact.message_id)), fact.key)
    earlier = [f for f in known.history.facts if isinstance(f, DocumentReceived)]
    reasons = tuple((one.window, one.reason) for one in fact.unrouted)
    known.add(received, Routed(at=at, windows=tuple(one.window for one in fact.routed), reasons=reasons))
    known.add(*(Delivered(at=at, window=window) for window in fact.delivered))
    known.keep(batch)
    origin = fact.origin
    if any((f.topic, f.partition, f.offset) != (origin.topic, origin.partition, origin.offset) for f in earlier):
        _accepted_twice(batch, known, earlier[-1], fact)


def _accepted_twice(batch: Batch, known: Conversation, earlier: DocumentReceived, fact: DocumentAccepted) -> None:
    """Two lanes took one id at the same moment, under two keys: that is known here first, and notified to everybody."""
    is_same = earlier.content_sha256 == fact.sha256
    code = "message.delivered-twice" if is_same else "message.conflict"
    what = "the same content" if is_same else "two contents"
    text = f"This id came twice at one moment under different keys, with {what}; windows have both, under one ce_id."
    finding = Finding(code, text, Severity.WARNING, value=str(fact.origin))
    cause = f"{code} {fact.origin}"
    notice = replace(known.notification(Kind.NOTICE, "conflict"), findings=(finding,), windows=known.at_windows(batch))
    notify_sender(batch, notice, known.key, cause=cause, extra=known.headers())
    content = orjson.dumps({"kind": "conflict", "message_id": fact.message_id, "findings": [finding.as_json()]})
    extra = {headers.CONTENT_TYPE: headers.JSON, headers.STATE_HEADER: "conflict"}
    for window in known.history.windows():
        batch.deliver(window, Kind.NOTICE, fact.message_id, known.key, content, extra, window=window, cause=cause)
    batch.emit_event("accepted-twice", fact.message_id, sender=fact.sender, origin=str(fact.origin), code=code)
    batch.log("message.accepted-twice", message_id=fact.message_id, sender=fact.sender, code=code)


def payload_delivered(batch: Batch, fact: PayloadDelivered) -> None:
    """A payload lies in a window's inbox: from now on that window's answers count."""
    _happened(batch, fact.message_id, Delivered(at=moment(fact.at), window=fact.window))


def payload_undelivered(batch: Batch, fact: PayloadUndelivered) -> None:
    """A window did not get its payload; nothing has been decided by that."""
    _happened(batch, fact.message_id, DeliveryFailed(at=moment(fact.at), window=fact.window, reason=fact.reason))


def _happened(batch: Batch, message: MessageId, what: Delivered | DeliveryFailed) -> None:
    known = Conversation.of(batch, message)
    if known:
        known.add(what)
        known.keep(batch)


def document_repeated(batch: Batch, fact: DocumentRepeated) -> None:
    """The sender sent it again: the receipt and each window's latest decision again, under the same ids."""
    known = Conversation.of(batch, fact.message_id)
    if not known:
        return
    windows, statuses = known.history.windows(), batch.context.statuses
    latest = [a for a in (standing_answer(known.history, window, statuses) for window in windows) if a]
    receipt = known.receipt_notification(batch)
    notifications = [(known.answer_notification(batch, answered), answered.answer.answer_id) for answered in latest]
    notify_sender(batch, receipt, known.key, extra=known.headers())
    for notification, cause in notifications:
        notify_sender(batch, notification, known.key, cause=cause, extra=known.headers())


def answer_awaited(batch: Batch, fact: AnswerAwaited) -> None:
    """The watchdog asks to look: what the window's policy makes of the wait by now, notified once."""
    known = Conversation.of(batch, fact.message_id)
    now = datetime.fromtimestamp(batch.now / 1000, UTC)
    due = overdue(known.history, batch.context.statuses, batch.context.watchdog_policy, now) if known else ()
    if not known or not due:
        return
    for event in due:
        known.add(event)
        step, level = (event.step, event.level) if isinstance(event, Overdue) else ("decision", 0)
        notice = known.notification(Kind.NOTICE, event.kind, event.window)
        notify_sender(batch, notice, known.key, cause=f"{event.kind} {step} {level}", extra=known.headers())
        batch.emit_event(
            event.kind, fact.message_id, sender=known.received.sender, window=event.window, step=step, level=level
        )
        batch.log(f"message.{event.kind}", message_id=fact.message_id, window=event.window, step=step, level=level)
    known.keep(batch)
