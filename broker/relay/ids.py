"""Ids of records. They are derived, never drawn: a repeat has the same id."""

from __future__ import annotations

import hashlib
import re

from broker.model.ids import MessageId

_LONGEST = 200
_MESSAGE_ID = re.compile(r"[0-9a-f]{32}")


def content_id(content: bytes) -> str:
    """SHA-256 of a content, in hex; the ``ce_id`` of a record that came without one."""
    return hashlib.sha256(content).hexdigest()


def record_id(ce_id: str, content: bytes) -> str:
    """What names a window's record: its ``ce_id``, or a digest where that is missing or longer than any id."""
    if len(ce_id) > _LONGEST:
        return content_id(ce_id.encode("utf-8", "surrogatepass"))
    return ce_id or content_id(content)


def message_id(participant: str, ce_id: str) -> MessageId:
    """The first 32 hex digits of SHA-256 over participant LF ``ce_id``: FunctionalReferenceID is an..35."""
    return MessageId(hashlib.sha256(f"{participant}\n{ce_id}".encode()).hexdigest()[:32])


def part_id(ce_id: str, number: int) -> str:
    """The ``ce_id`` of one document of an envelope that holds several, from 1."""
    return f"{ce_id}#{number}"


def broker_id(message: str, window: str, kind: str, cause: str) -> str:
    """The ``ce_id`` of a record that the broker writes: the same for every repeat and redrive of the same thing."""
    return hashlib.sha256(f"{message}\n{window}\n{kind}\n{cause}".encode()).hexdigest()


def is_message_id(text: str) -> bool:
    return _MESSAGE_ID.fullmatch(text) is not None


def reference_key(window: str, mrn: str) -> bytes:
    """The key on ``swb.facts`` under which what a window numbered is found again."""
    return f"{window}\n{mrn}".encode()
