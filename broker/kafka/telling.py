"""The words that reach a sender's inbox: what is said, and in which form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from broker import topics

if TYPE_CHECKING:
    from broker.history import Answered
    from broker.topics import Kind


@dataclass(frozen=True, slots=True)
class Telling:
    """One thing to be told to the sender of a document."""

    kind: Kind
    message_id: str
    sender: str
    document_type: str
    state: str
    window: str = ""
    at: str = ""
    findings: tuple[dict[str, Any], ...] = ()
    answer: Answered | None = None
    content: bytes | None = None
    """The sender's document, where it is at hand; an answer without it goes home with the window's own pointers."""
    mapping: str = ""
    """The mapping that made the payload, ``id@version+sha256``."""


@dataclass(frozen=True, slots=True)
class Told:
    """The same as it goes out."""

    content: bytes
    content_type: str
    state: str
    findings: tuple[dict[str, Any], ...] = ()


class Teller(Protocol):
    """Turns what is to be told into the sender's own form."""

    def __call__(self, telling: Telling) -> Told: ...


def plain(telling: Telling) -> Told:
    """JSON, the form for who has no form."""
    content = orjson.dumps(
        {
            "kind": telling.kind.value,
            "message_id": telling.message_id,
            "conversation_id": telling.message_id,
            "document_type": telling.document_type,
            "window": telling.window,
            "state": telling.state,
            "at": telling.at,
            "findings": telling.findings,
        }
    )
    return Told(content, topics.JSON, telling.state, telling.findings)
