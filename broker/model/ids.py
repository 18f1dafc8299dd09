"""Identifiers as types of their own: a message id is no MRN."""

from __future__ import annotations

import re
from typing import NewType

MessageId = NewType("MessageId", str)
"""32 hex digits, derived from participant and ``ce_id``; the payload's FunctionalReferenceID (WCO D026)."""
ConversationId = NewType("ConversationId", str)
"""All that belongs to one message; the message id of the document that opened it."""
ParticipantCode = NewType("ParticipantCode", str)
"""``[a-z0-9-]+``, economy first where there is one: ``pe-vuce``."""
DocumentTypeName = NewType("DocumentTypeName", str)
"""``family/format-version``: ``origin/aladi-cod-1.8``."""
Mrn = NewType("Mrn", str)
"""The reference a window gave to a declaration."""
NO_MESSAGE_ID = MessageId("0" * 32)
"""What a plain file carries offline."""
_WRITTEN = re.compile(r"[0-9a-f]{32}")


def message_id_in(text: str) -> MessageId | None:
    """The message id that a text is, in any case and with hyphens as UUIDs have them; None when it is none."""
    written = text.strip().strip("{}").replace("-", "").lower()
    return MessageId(written) if _WRITTEN.fullmatch(written) else None
