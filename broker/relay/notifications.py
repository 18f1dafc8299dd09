"""Notifications: every record for the inbox of a document's sender is made here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from broker.answers.way_back import Notification
from broker.model.findings import Finding, as_header
from broker.model.ids import MessageId, ParticipantCode
from broker.relay import headers, ids
from broker.relay.elsewhere import DoneElsewhere
from broker.relay.facts import PayloadUndelivered
from broker.relay.headers import Kind
from broker.relay.plain_notice import plain

if TYPE_CHECKING:
    from broker.answers.way_back import Rendered
    from broker.relay.batch import Batch

_HEADER_BYTES = 400_000
"""Of findings in a header."""
LARGEST = 4 << 20
"""Bytes of a notification: every inbox takes it. What has no room is counted in it."""


def notify_sender(
    batch: Batch, notification: Notification, key: bytes | None, *, cause: str = "", extra: dict[str, str] | None = None
) -> None:
    """The record in the sender's form; state and findings stand in headers too, for who reads no XML."""
    name = ids.broker_id(notification.message_id, notification.window or notification.sender, notification.kind, cause)
    notification = replace(notification, id=name)
    rendered = _rendered(batch, notification)
    values = {
        **(extra or {}),
        headers.CONTENT_TYPE: rendered.content_type,
        headers.STATE_HEADER: rendered.state,
        headers.FINDINGS: as_header(rendered.findings, _HEADER_BYTES),
    }
    message = MessageId(notification.message_id)
    batch.deliver(
        ParticipantCode(notification.sender),
        Kind(notification.kind),
        message,
        key,
        rendered.content,
        values,
        window=notification.window,
        cause=cause,
    )


def _rendered(batch: Batch, notification: Notification) -> Rendered:
    """The notification in the sender's form, with as many findings as it has room for; plain where the form fails."""
    while True:
        try:
            rendered = batch.context.render(notification)
        except DoneElsewhere:
            raise
        except Exception as error:  # noqa: BLE001 - a form that fails must not keep the notification from its reader
            batch.log("notification.failed", message_id=notification.message_id, error=repr(error)[:300])
            return plain(notification)
        size = len(rendered.content)
        if size <= LARGEST:
            return rendered
        if notification.most <= 1:
            return plain(notification)
        most = min(notification.most, len(rendered.findings)) * LARGEST // size
        notification = replace(notification, most=max(1, min(most, notification.most // 2)))


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
    finding = Finding(
        "delivery.failed",
        f"It could not be delivered to {window}: {reason}. It is kept and can be delivered later; "
        "nothing has been decided about it.",
    )
    notification = Notification(
        Kind.NOTICE, message, sender, document_type, "failed", window=window, at=batch.at, findings=(finding,)
    )
    extra = {headers.DOCUMENT_TYPE: document_type}
    notify_sender(batch, notification, key, cause=f"failed {cause}".strip(), extra=extra)
    batch.send_fact(PayloadUndelivered(at=batch.now, message_id=message, window=window, reason=reason))
    batch.emit_event("failed", message, sender=sender, window=window, reason=reason)
    batch.log("delivery.failed", message_id=message, window=window, reason=reason)
