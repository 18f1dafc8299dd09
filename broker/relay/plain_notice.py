"""What is told where the sender's own form fails: plain JSON, so that nobody waits for a word in vain."""

from __future__ import annotations

import orjson

from broker.answers.way_back import Telling, Told
from broker.relay import headers


def plain(telling: Telling) -> Told:
    """JSON, the form for who has no form."""
    content = orjson.dumps(
        {
            "kind": telling.kind,
            "message_id": telling.message_id,
            "conversation_id": telling.message_id,
            "document_type": telling.document_type,
            "window": telling.window,
            "state": telling.state,
            "at": telling.at,
            "findings": telling.findings,
        }
    )
    return Told(content, headers.JSON, telling.state, telling.findings)
