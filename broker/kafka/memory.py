"""What a lane remembers, and what the batch in hand would change, kept apart until Kafka has committed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from broker import topics
from broker.topics import Produced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Entry = dict[str, Any]


class Shelf:
    """One state topic's partition: key to entry. ``true_to`` is the offset up to which it holds what the topic says.

    What a copy brought stays in the parts it came in: to look a key up in each takes a microsecond, to make one of
    them takes longer than to read them.
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.true_to: int | None = None
        self.changes = 0
        """Records since the last copy of it was taken."""
        self._parts: list[dict[bytes, bytes]] = [{}]
        """Each key once; what changed last comes last."""
        self._pending: dict[bytes, bytes | None] = {}

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def get(self, key: bytes) -> Entry | None:
        """The entry as the batch in hand sees it; a fresh copy each time."""
        if key in self._pending:
            value = self._pending[key]
        else:
            value = next((part[key] for part in self._parts if key in part), None)
        entry: Entry | None = None if value is None else orjson.loads(value)
        return entry

    def put(self, key: bytes, entry: Entry | None, partition: int) -> Produced:
        """The record that makes the change lasting; None forgets the key (a tombstone)."""
        value = None if entry is None else orjson.dumps(entry)
        self._pending[key] = value
        return Produced(self.topic, key, value, partition=partition)

    def clear(self) -> None:
        """Nothing is known any more."""
        self._parts = [{}]
        self._pending.clear()
        self.true_to = None

    def restore(self, parts: Iterable[dict[bytes, bytes]], true_to: int) -> None:
        """What a copy says."""
        self._parts, self.true_to, self.changes = [*parts, {}], true_to, 0

    def copy(self) -> list[dict[bytes, bytes]]:
        """All that is kept, as it is now."""
        self.changes = 0
        return [part.copy() for part in self._parts]

    def load(self, key: bytes, value: bytes | None) -> None:
        """One record of the topic, as it was read."""
        self.changes += 1
        for part in self._parts:
            part.pop(key, None)
        if value is not None:
            self._parts[-1][key] = value

    def keep(self) -> None:
        """What was pending is committed."""
        for key, value in self._pending.items():
            self.load(key, value)
        self._pending.clear()

    def forget(self) -> None:
        """What was pending never was."""
        self._pending.clear()

    def older_than(self, at: int) -> Iterator[bytes]:
        """Keys whose last change lies before that time (milliseconds), the oldest first."""
        for part in self._parts:
            for key, value in part.items():
                if orjson.loads(value).get("at", at) >= at:
                    return
                yield key


class Memory:
    """The shelves of one lane."""

    def __init__(self) -> None:
        self.duplicates = Shelf(topics.DUPLICATES)
        self.conversations = Shelf(topics.CONVERSATIONS)
        self.references = Shelf(topics.REFERENCES)
        self.writeoff = Shelf(topics.WRITEOFF)

    @property
    def shelves(self) -> tuple[Shelf, ...]:
        return (self.duplicates, self.conversations, self.references, self.writeoff)

    def shelf(self, topic: str) -> Shelf:
        return next(shelf for shelf in self.shelves if shelf.topic == topic)

    def keep(self) -> None:
        for shelf in self.shelves:
            shelf.keep()

    def forget(self) -> None:
        for shelf in self.shelves:
            shelf.forget()
