"""Dead letters, and the way back of each: to the queue of its destination, to the intake topic, or to the facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from broker.model.errors import Failed
from broker.relay import headers, topics
from broker.relay.records import Produced, moment

if TYPE_CHECKING:
    from broker.relay.records import Consumed

_NAMES = (
    headers.REDRIVE_OF,
    headers.REDRIVEN_BY,
    headers.LANE,
    headers.DESTINATION,
    headers.DEAD_LETTERED_AT,
    headers.REASON,
)
_ORIGIN = (headers.ORIGIN_TOPIC, headers.ORIGIN_PARTITION, headers.ORIGIN_OFFSET)


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
        return self.record.header(headers.DESTINATION)

    def as_json(self) -> dict[str, Any]:
        """All but the content."""
        record = self.record
        return {
            "id": self.name,
            "at": record.header(headers.DEAD_LETTERED_AT) or moment(record.timestamp),
            "reason": record.header(headers.REASON),
            "destination": self.destination,
            "origin": "/".join(record.header(name) for name in _ORIGIN),
            "lane": _number(record.header(headers.LANE)),
            "message_id": record.header(headers.MESSAGE_ID) or None,
            "ce_id": record.header(headers.CE_ID) or None,
            "ce_type": record.header(headers.CE_TYPE) or None,
            "window": record.header(headers.WINDOW) or None,
            "key": None if record.key is None else record.key.decode("utf-8", "replace"),
            "bytes": _number("".join(record.header(headers.CLAIM).split()[1:2])) or len(record.content),
            "returns_to": self.returns_to,
        }

    @property
    def returns_to(self) -> str:
        """The topic that a redrive writes."""
        participant = topics.reader_of(self.destination)
        if participant:
            return topics.retry(participant)
        return topics.FACTS if self.destination in (topics.FACTS, topics.FACTS_OF_0_1) else topics.INTAKE

    def redriven(self, by: str) -> Produced:
        """The record that brings it back: same key, content and headers, at the lane that wrote it."""
        record, target = self.record, self.returns_to
        if not self.destination:
            raise Failed(f"dead letter {self.name} does not say where it was going")
        left = (*_NAMES, *(() if target == topics.INTAKE else _ORIGIN if target != topics.FACTS else ()))
        kept = tuple(header for header in record.headers if header[0] not in left)
        why = headers.encoded({headers.REDRIVE_OF: str(record.place), headers.REDRIVEN_BY: by})
        partition = None if target == topics.FACTS else _number(record.header(headers.LANE))
        return Produced(target, record.key, record.value, kept + why, partition)


def _number(text: str) -> int:
    """A number of ours; 0 for what is none."""
    return int(text) if text.isdecimal() and len(text) < 10 else 0
