"""Which way a lane's delivery takes: into the inbox, into the queue of those who wait, or to the dead letters."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from broker.relay import topics

if TYPE_CHECKING:
    from collections.abc import Collection

    from broker.relay.circuit_breaker import CircuitBreakers
    from broker.relay.records import Place, Produced

_QUEUELESS_SECONDS = 5.0
_HEADROOM = 100
"""Bytes of a record that are neither key, value nor headers, generously."""


@dataclass(frozen=True, slots=True)
class DeliveryRoute:
    to: Literal["inbox", "retry", "deadletter"]
    reason: str = ""


INBOX = DeliveryRoute("inbox")


class DeliveryRoutes:
    """One lane's view: who waits there, what the last attempt refused. Begun anew whenever the lane opens."""

    def __init__(self, circuits: CircuitBreakers, max_record_bytes: int) -> None:
        self._circuits = circuits
        self._limit = max_record_bytes
        self.backlog: dict[str, int] = {}
        """Participant to the end of its retry partition when the lane opened: until that is done, everything waits."""
        self._waiting: defaultdict[str, Counter[bytes]] = defaultdict(Counter)
        self._joined: list[tuple[str, bytes]] = []
        self._left: list[tuple[str, bytes]] = []
        self._refused: dict[tuple[Place, str], DeliveryRoute] = {}
        self._queueless: dict[str, tuple[float, str]] = {}
        """Participants whose retry topic takes nothing, each until when, and why."""

    def route(self, participant: str, record: Produced, source: Place) -> DeliveryRoute:
        """The way of a new delivery, which is taken."""
        if refused := self._refused.get((source, record.topic)):
            return refused
        if len(record.value or b"") > self._limit // 2 and size(record) > self._limit:
            return DeliveryRoute("deadletter", "too-large")
        if participant in self.backlog or self._is_behind(participant, record.key or b""):
            return self._queue(participant, "behind-waiting")
        if reason := self._circuits.trouble(participant):
            return self._queue(participant, reason)
        self.sent(participant)
        return INBOX

    def _queue(self, participant: str, reason: str) -> DeliveryRoute:
        """It waits; where the queue takes nothing either, it is a dead letter, and no other participant's trouble."""
        until, why = self._queueless.get(participant, (0.0, ""))
        if until > time.monotonic():
            return DeliveryRoute("deadletter", f"retry-{why}")
        return DeliveryRoute("retry", reason)

    def queue_failed(self, participant: str, reason: str) -> None:
        """Nothing can be written to its retry topic for now."""
        self._queueless[participant] = (time.monotonic() + _QUEUELESS_SECONDS, reason)

    def _is_behind(self, participant: str, key: bytes) -> bool:
        """Whether it follows others: those of its key; with a pace all, or who comes late would take their turn."""
        waiting = self._waiting[participant]
        return bool(waiting[key] or (waiting and self._circuits.rate_limit.is_kept(participant)))

    def sent(self, participant: str) -> None:
        """One more is on its way to the inbox: it counts for the pace, whatever becomes of the batch."""
        self._circuits.rate_limit.sent(participant)

    def route_of_waiting(self, participant: str, source: Place) -> DeliveryRoute:
        """The way of a delivery that waits at the head of its queue: ``retry`` means that it goes on waiting."""
        if refused := self._refused.get((source, topics.inbox(participant))):
            return refused
        reason = self._circuits.trouble(participant)
        return DeliveryRoute("retry", reason) if reason else INBOX

    def refused(self, source: Place, topic: str, route: DeliveryRoute) -> None:
        """What the next plan shall do with a record that Kafka refused."""
        self._refused[(source, topic)] = route

    def waits(self, participant: str, key: bytes | None) -> None:
        """From now on (and for good once the batch is kept) later deliveries of the key follow it."""
        self._waiting[participant][key or b""] += 1
        self._joined.append((participant, key or b""))

    def leaves(self, participant: str, key: bytes | None, offset: int) -> None:
        """A delivery left the queue, when the batch is kept. (Those of the backlog were never counted.)"""
        if offset >= self.backlog.get(participant, 0):
            self._left.append((participant, key or b""))

    def keep(self, sources: Collection[Place]) -> None:
        """The batch of these records is committed."""
        self._uncount(self._left)
        self._joined.clear()
        self._left.clear()
        for place, topic in [mark for mark in self._refused if mark[0] in sources]:
            del self._refused[(place, topic)]

    def forget(self) -> None:
        """The batch never was."""
        self._uncount(self._joined)
        self._joined.clear()
        self._left.clear()

    def _uncount(self, deliveries: list[tuple[str, bytes]]) -> None:
        for participant, key in deliveries:
            waiting = self._waiting[participant]
            waiting[key] -= 1
            if waiting[key] <= 0:
                del waiting[key]

    def reopen(self, backlog: dict[str, int]) -> None:
        """The lane opened again: what it knew is replaced by what Kafka holds. Refusals of the last attempt stay."""
        self.backlog = backlog
        self._waiting.clear()
        self._joined.clear()
        self._left.clear()


def size(record: Produced) -> int:
    """About the bytes that a record takes on the wire, never fewer."""
    return (
        len(record.key or b"")
        + len(record.value or b"")
        + sum(len(name) + len(value) + 10 for name, value in record.headers)
        + _HEADROOM
    )
