"""A mock window as a record in, records out: what it writes to its outbox when a delivery reaches its inbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from broker import topics
from broker.errors import Refused
from broker.windows.answers import reply
from broker.windows.decide import Window
from broker.windows.faults import NONE, play

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.model import Catalogue, ParticipantCode
    from broker.pointers import Pointers
    from broker.topics import Consumed, Produced
    from broker.windows.answers import Reply
    from broker.windows.faults import Faults


_PAYLOAD = f"swb.{topics.Kind.PAYLOAD}"


@dataclass(frozen=True, slots=True)
class Later:
    """A record to write, so many seconds from now."""

    delay: float
    record: Produced


class Mock:
    """One mock window: its profile, its manner of answering and its faults."""

    def __init__(self, window: Window, pointers: Pointers, faults: Faults = NONE) -> None:
        self.window = window
        self._pointers = pointers
        self._faults = faults

    @property
    def code(self) -> ParticipantCode:
        return self.window.participant.code

    def answer(self, record: Consumed) -> tuple[Later, ...]:
        """Its answers to one record of its inbox, soonest first; none to what is no payload.

        They depend on the record alone: a record that is read twice is answered twice with the same ids and bytes.
        """
        if record.header(topics.CE_TYPE) != _PAYLOAD or record.value is None:
            return ()
        received = _received(record)
        try:
            replies = reply(self.window, record.value, self._pointers, received)
        except Refused:
            return ()
        message = record.header(topics.MESSAGE_ID)
        played = play(self._faults, f"{self.code}\n{message}", replies)
        return tuple(Later(one.delay, self._record(one, received)) for one in played)

    def _record(self, one: Reply, received: datetime) -> Produced:
        headers = {
            topics.CE_VERSION: "1.0",
            topics.CE_ID: one.id,
            topics.CE_SOURCE: self.code,
            topics.CE_TYPE: topics.ANSWER_TYPE,
            topics.CE_TIME: received.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            topics.CONTENT_TYPE: topics.XML,
        }
        return topics.Produced(topics.outbox(self.code), one.key, one.content, topics.headers(headers))


def mocks(
    catalogue: Catalogue, pointers: Pointers, faults: Mapping[ParticipantCode, Faults]
) -> dict[ParticipantCode, Mock]:
    """Every window of the catalogue as a mock, by its code."""
    return {
        participant.code: Mock(Window(participant, catalogue), pointers, faults.get(participant.code, NONE))
        for participant in catalogue.windows()
    }


def _received(record: Consumed) -> datetime:
    """When the broker wrote the delivery: its own ``ce_time``, else the record's timestamp."""
    try:
        return datetime.fromisoformat(record.header(topics.CE_TIME)).astimezone(UTC)
    except ValueError:
        return datetime.fromtimestamp(record.timestamp / 1000, UTC)
