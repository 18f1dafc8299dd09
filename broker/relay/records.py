"""Records as they are read and written, and where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from broker.relay.headers import ORIGIN_OFFSET, ORIGIN_PARTITION, ORIGIN_TOPIC

if TYPE_CHECKING:
    from broker.relay.headers import Header


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    def headers(self) -> dict[str, str]:
        return {
            ORIGIN_TOPIC: self.topic,
            ORIGIN_PARTITION: str(self.partition),
            ORIGIN_OFFSET: str(self.offset),
        }


def _text(value: bytes) -> str:
    """Two values that differ have texts that differ: an id with other bytes is another id."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


@dataclass(frozen=True, slots=True)
class WireFault:
    """Why a record cannot be taken as it is, known before its content is looked at."""

    reason: str
    last_offset: int
    """Beyond the record's own where what follows it cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Consumed:
    """A record as it was read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...] = ()
    timestamp: int = 0
    fault: WireFault | None = None

    @property
    def following(self) -> int:
        """The offset at which its partition goes on after it."""
        return (self.fault.last_offset if self.fault else self.offset) + 1

    @property
    def place(self) -> Place:
        return Place(self.topic, self.partition, self.offset)

    @property
    def content(self) -> bytes:
        """The value; a tombstone is an empty content."""
        return self.value or b""

    def header(self, name: str) -> str:
        """The first header of that name as text; empty when there is none. What is no UTF-8 is read as Latin-1."""
        return next((_text(v) for n, v in self.headers if n == name and v is not None), "")

    @property
    def origin(self) -> Place:
        """Where a re-keyed record lay first; ValueError when its headers do not say."""
        return Place(self.header(ORIGIN_TOPIC), int(self.header(ORIGIN_PARTITION)), int(self.header(ORIGIN_OFFSET)))


@dataclass(frozen=True, slots=True)
class Produced:
    """A record to be written; without a partition the key decides (murmur2)."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...] = ()
    partition: int | None = None

    def header(self, name: str) -> str:
        return next((v.decode("utf-8", "replace") for n, v in self.headers if n == name), "")


def instant(text: str) -> datetime:
    """The moment that a text names."""
    return datetime.fromisoformat(text).astimezone(UTC)


def moment(milliseconds: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    text = datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
