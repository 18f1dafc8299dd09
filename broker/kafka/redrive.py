"""Dead letters, and the way back of each: to the queue of its destination, to the intake topic, or to the answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from broker import topics
from broker.errors import Failed
from broker.topics import Produced, headers

if TYPE_CHECKING:
    from broker.topics import Consumed

_NAMES = (topics.REDRIVE_OF, topics.REDRIVEN_BY, topics.LANE, topics.DESTINATION, topics.BURIED_AT, topics.REASON)
_ORIGIN = (topics.ORIGIN_TOPIC, topics.ORIGIN_PARTITION, topics.ORIGIN_OFFSET)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter as operations see it."""

    record: Consumed

    @property
    def name(self) -> str:
        """``partition/offset`` in swb.deadletter."""
        return f"{self.record.partition}/{self.record.offset}"

    @property
    def destination(self) -> str:
        return self.record.header(topics.DESTINATION)

    def told(self) -> dict[str, Any]:
        """All but the content."""
        record = self.record
        return {
            "id": self.name,
            "at": record.header(topics.BURIED_AT) or topics.moment(record.timestamp),
            "reason": record.header(topics.REASON),
            "destination": self.destination,
            "origin": "/".join(record.header(name) for name in _ORIGIN),
            "lane": int(record.header(topics.LANE) or 0),
            "message_id": record.header(topics.MESSAGE_ID) or None,
            "ce_id": record.header(topics.CE_ID) or None,
            "ce_type": record.header(topics.CE_TYPE) or None,
            "window": record.header(topics.WINDOW) or None,
            "key": None if record.key is None else record.key.decode("utf-8", "replace"),
            "bytes": int(record.header(topics.CLAIM).partition(" ")[2] or len(record.content)),
            "returns_to": self.returns_to,
        }

    @property
    def returns_to(self) -> str:
        """The topic that a redrive writes."""
        participant = topics.reader_of(self.destination)
        if participant:
            return topics.retry(participant)
        return topics.ANSWERS if self.destination == topics.ANSWERS else topics.INTAKE

    def redriven(self, by: str) -> Produced:
        """The record that brings it back: same key, content and headers, at the lane that buried it."""
        record, target = self.record, self.returns_to
        if not self.destination:
            raise Failed(f"dead letter {self.name} does not say where it was going")
        left = (*_NAMES, *(() if target == topics.INTAKE else _ORIGIN if target != topics.ANSWERS else ()))
        kept = tuple(header for header in record.headers if header[0] not in left)
        why = headers({topics.REDRIVE_OF: str(record.place), topics.REDRIVEN_BY: by})
        partition = None if target == topics.ANSWERS else int(record.header(topics.LANE))
        return Produced(target, record.key, record.value, kept + why, partition)
