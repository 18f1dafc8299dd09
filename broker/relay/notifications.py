"""What senders are told about their documents: every record for a sender's inbox is made here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from broker.answers.way_back import Telling
from broker.model.ids import MessageId, ParticipantCode
from broker.relay import headers, ids
from broker.relay.facts import Fact
from broker.relay.headers import Kind
from broker.relay.plain_notice import plain

if TYPE_CHECKING:
    from broker.relay.batch import Draft

_HEADER_BYTES = 400_000
"""Of findings in a header; the content itself tells all."""


def tell_sender(
    draft: Draft, telling: Telling, key: bytes | None, *, cause: str = "", extra: dict[str, str] | None = None
) -> None:
    """The record in the sender's form; state and findings stand in headers too, for who reads no XML."""
    name = ids.broker_id(telling.message_id, telling.window or telling.sender, telling.kind, cause)
    telling = replace(telling, id=name)
    try:
        words = draft.rules.teller(telling)
    except Exception as error:  # noqa: BLE001 - a form that fails must not keep the word from its reader
        draft.say("telling.failed", message_id=telling.message_id, error=repr(error)[:300])
        words = plain(telling)
    values = {
        **(extra or {}),
        headers.CONTENT_TYPE: words.content_type,
        headers.STATE_HEADER: words.state,
        headers.FINDINGS: orjson.dumps(_carried(list(words.findings))).decode() if words.findings else "",
    }
    message = MessageId(telling.message_id)
    draft.deliver(
        ParticipantCode(telling.sender),
        Kind(telling.kind),
        message,
        key,
        words.content,
        values,
        window=telling.window,
        cause=cause,
    )


def tell_failed(
    draft: Draft,
    message: MessageId,
    sender: ParticipantCode,
    key: bytes | None,
    *,
    window: str,
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
    telling = Telling(
        Kind.NOTICE, message, sender, document_type, "failed", window=window, at=draft.at, findings=(finding,)
    )
    extra = {headers.DOCUMENT_TYPE: document_type}
    tell_sender(draft, telling, key, cause=f"failed {cause}".strip(), extra=extra)
    draft.tell(Fact.FAILED, message.encode(), {"message_id": message, "window": window, "reason": reason})
    draft.track("failed", message, sender=sender, window=window, reason=reason)
    draft.say("delivery.failed", message_id=message, window=window, reason=reason)


def _carried(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many findings as a header may hold, the first ones first."""
    room, kept = _HEADER_BYTES, []
    for finding in findings:
        room -= len(orjson.dumps(finding))
        if room < 0:
            break
        kept.append(finding)
    return kept
