"""What a lane remembers, and what the batch in hand would change, kept apart until Kafka has committed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from broker import log
from broker.relay import topics
from broker.relay.entries import (
    Certificates,
    CertificatesCodec,
    Judged,
    JudgedCodec,
    Name,
    NameCodec,
    Remembered,
    RememberedCodec,
    written_at,
)
from broker.relay.records import Produced
from broker.relay.snapshot_file import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from broker.relay.entries import Codec
    from broker.relay.snapshot_file import SnapshotFile

logger = log.get(__name__)

E = TypeVar("E")


class StateStore(Generic[E]):
    """One state topic's partition: key to entry. ``true_to`` is the offset up to which it holds what the topic says."""

    def __init__(self, topic: str, codec: Codec[E]) -> None:
        self.topic = topic
        self.codec = codec
        self.true_to: int | None = None
        self.changes = 0
        """Records since the last copy of it was taken."""
        self._copied: SnapshotFile = NOTHING
        self._changed: set[bytes] = set()
        """Keys of ``_copied`` that stand there no more as they are."""
        self._kept: dict[bytes, bytes] = {}
        self._pending: dict[bytes, bytes | None] = {}

    def __len__(self) -> int:
        return len(self._copied) - len(self._changed) + len(self._kept)

    def get(self, key: bytes) -> E | None:
        """The entry as the batch in hand sees it. One that cannot be read counts as none, and is alarmed."""
        value = self._pending[key] if key in self._pending else self._committed(key)
        if value is None:
            return None
        try:
            return self.codec.decode(value)
        except (ValueError, KeyError, TypeError) as error:
            place = {"topic": self.topic, "key": repr(key[:100])}
            logger.error("state.unreadable", **place, reason=repr(error)[:200])  # noqa: TRY400 - no traceback for data
            return None

    def _committed(self, key: bytes) -> bytes | None:
        value = self._kept.get(key)
        return self._copied.get(key) if value is None and self._copied and key not in self._changed else value

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """All that is kept; what changed last comes last."""
        yield from (item for item in self._copied.items() if item[0] not in self._changed)
        yield from self._kept.items()

    def put(self, key: bytes, entry: E | None, partition: int) -> Produced:
        """The record that makes the change lasting; None forgets the key (a tombstone)."""
        value = None if entry is None else self.codec.encode(entry)
        self._pending[key] = value
        return Produced(self.topic, key, value, partition=partition)

    def clear(self) -> None:
        """Nothing is known any more."""
        self.restore(NOTHING, None)
        self._pending.clear()

    def restore(self, snapshot: SnapshotFile, true_to: int | None) -> None:
        """What a copy says, and nothing else."""
        self._copied, self._changed, self._kept, self.true_to, self.changes = snapshot, set(), {}, true_to, 0

    def copy(self) -> StateStore[E]:
        """All that is kept, as it is now."""
        self.changes = 0
        copy = StateStore(self.topic, self.codec)
        copy._copied, copy.true_to = self._copied, self.true_to
        copy._changed, copy._kept = self._changed.copy(), self._kept.copy()
        return copy

    def load(self, key: bytes, value: bytes | None) -> None:
        """One record of the topic, as it was read."""
        self.changes += 1
        self._kept.pop(key, None)
        if self._copied and key not in self._changed and self._copied.get(key) is not None:
            self._changed.add(key)
            if len(self._changed) > len(self._copied) // 2:  # it is more in the way than of use
                self._kept, self._copied, self._changed = dict(self.items()), NOTHING, set()
        if value is not None:
            self._kept[key] = value

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
        for key, value in self.items():
            written = written_at(value)
            if written is not None and written >= at:
                return
            if written is not None:
                yield key


AnyStore = StateStore[Judged] | StateStore[Remembered] | StateStore[Name] | StateStore[Certificates]


class Stores:
    """The state stores of one lane."""

    def __init__(self) -> None:
        self.duplicates: StateStore[Judged] = StateStore(topics.DUPLICATES, JudgedCodec())
        self.conversations: StateStore[Remembered] = StateStore(topics.CONVERSATIONS, RememberedCodec())
        self.references: StateStore[Name] = StateStore(topics.REFERENCES, NameCodec())
        self.writeoff: StateStore[Certificates] = StateStore(topics.WRITEOFF, CertificatesCodec())

    @property
    def all(self) -> tuple[AnyStore, ...]:
        return (self.duplicates, self.conversations, self.references, self.writeoff)

    def of(self, topic: str) -> AnyStore:
        return next(store for store in self.all if store.topic == topic)

    def keep(self) -> None:
        for store in self.all:
            store.keep()

    def forget(self) -> None:
        for store in self.all:
            store.forget()
