"""What senders are told about their documents: every record for a sender's inbox is made here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from broker.answers.way_back import Notification
from broker.model.ids import MessageId, ParticipantCode
from broker.relay import headers, ids
from broker.relay.facts import PayloadUndelivered
from broker.relay.headers import Kind
from broker.relay.plain_notice import plain

if TYPE_CHECKING:
    from broker.relay.batch import Batch

_HEADER_BYTES = 400_000
"""Of findings in a header; the content itself tells all."""


def notify_sender(
    batch: Batch, notification: Notification, key: bytes | None, *, cause: str = "", extra: dict[str, str] | None = None
) -> None:
    """The record in the sender's form; state and findings stand in headers too, for who reads no XML."""
    name = ids.broker_id(notification.message_id, notification.window or notification.sender, notification.kind, cause)
    notification = replace(notification, id=name)
    try:
        words = batch.context.render(notification)
    except Exception as error:  # noqa: BLE001 - a form that fails must not keep the word from its reader
        batch.log("telling.failed", message_id=notification.message_id, error=repr(error)[:300])
        words = plain(notification)
    values = {
        **(extra or {}),
        headers.CONTENT_TYPE: words.content_type,
        headers.STATE_HEADER: words.state,
        headers.FINDINGS: orjson.dumps(_carried(list(words.findings))).decode() if words.findings else "",
    }
    message = MessageId(notification.message_id)
    batch.deliver(
        ParticipantCode(notification.sender),
        Kind(notification.kind),
        message,
        key,
        words.content,
        values,
        window=notification.window,
        cause=cause,
    )


def notify_failed(
    batch: Batch,
    message: MessageId,
    sender: ParticipantCode,
    key: bytes | None,
    *,
    window: ParticipantCode,
    reason: str,
    cause: str = "",
    document_type: str = "",
) -> None:
    """A delivery became a dead letter: the sender's notice, the owner's fact, the event."""
    finding = {
        "code": "delivery.failed",
        "severity": "error",
        "message": f"It could not be delivered to {window}: {reason}. It is kept and can be delivered later; "
        "nothing has been decided about it.",
    }
    notification = Notification(
        Kind.NOTICE, message, sender, document_type, "failed", window=window, at=batch.at, findings=(finding,)
    )
    extra = {headers.DOCUMENT_TYPE: document_type}
    notify_sender(batch, notification, key, cause=f"failed {cause}".strip(), extra=extra)
    batch.send_fact(PayloadUndelivered(at=batch.now, message_id=message, window=window, reason=reason))
    batch.emit_event("failed", message, sender=sender, window=window, reason=reason)
    batch.log("delivery.failed", message_id=message, window=window, reason=reason)


def _carried(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many findings as a header may hold, the first ones first."""
    room, kept = _HEADER_BYTES, []
    for finding in findings:
        room -= len(orjson.dumps(finding))
        if room < 0:
            break
        kept.append(finding)
    return kept
