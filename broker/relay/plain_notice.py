"""A notification where the sender's own form fails: plain JSON, so that it arrives all the same."""

from __future__ import annotations

import orjson

from broker.answers.way_back import Notification, Rendered
from broker.relay import headers

_MOST = 100


def plain(notification: Notification) -> Rendered:
    """JSON, the form for who has no form, with the first findings in short."""
    found = tuple(finding.shortened() for finding in notification.findings[:_MOST])
    content = orjson.dumps(
        {
            "kind": notification.kind,
            "message_id": notification.message_id,
            "conversation_id": notification.message_id,
            "document_type": notification.document_type,
            "window": notification.window,
            "state": notification.state,
            "at": notification.at,
            "findings": [finding.as_json() for finding in found],
        }
    )
    return Rendered(content, headers.JSON, notification.state, found)
