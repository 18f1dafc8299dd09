"""A conversation as its lane remembers it: the history, and the key of its document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from broker.answers.history import DocumentReceived, History, add, dump, load
from broker.answers.way_back import Notification
from broker.relay import headers

if TYPE_CHECKING:
    from broker.answers.history import Fact, Novelty
    from broker.relay.batch import Batch
    from broker.relay.headers import Kind


class Conversation:
    """A history and the key of its document, as they lie in swb.conversations."""

    def __init__(self, history: History, key: str | None) -> None:
        self.history = history
        self._key = key

    @classmethod
    def of(cls, batch: Batch, message: str) -> Conversation | None:
        entry = batch.stores.conversations.get(message.encode())
        return cls(load(orjson.dumps(entry["history"])), entry["key"]) if entry else None

    def add(self, *facts: Fact) -> list[Novelty]:
        """What each fact adds."""
        novelties = []
        for fact in facts:
            self.history, novelty = add(self.history, fact)
            novelties.append(novelty)
        return novelties

    def keep(self, batch: Batch) -> None:
        entry = {"key": self._key, "history": orjson.Fragment(dump(self.history))}
        batch.remember(batch.stores.conversations, self.history.conversation.encode(), entry)

    @property
    def key(self) -> bytes | None:
        return None if self._key is None else self._key.encode("latin-1")

    @property
    def received(self) -> DocumentReceived:
        """How it came, the last time it was judged."""
        return [fact for fact in self.history.facts if isinstance(fact, DocumentReceived)][-1]

    def headers(self) -> dict[str, str]:
        return {headers.DOCUMENT_TYPE: self.received.document_type, headers.MAPPING: self.received.mapping}

    def notification(self, kind: Kind, state: str, window: str = "") -> Notification:
        received = self.received
        return Notification(
            kind, self.history.conversation, received.sender, received.document_type, state, window, received.at
        )
