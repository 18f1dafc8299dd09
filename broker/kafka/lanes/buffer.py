"""What a lane has at hand, record by record in turn: what one participant sends keeps no other waiting.

Each outbox, and each queue of those who wait, has one record a round. What is under way (the intake hop, the facts
between lanes) has three of four turns: so it never falls behind what comes in, and never keeps what comes in out.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING

from aiokafka import TopicPartition

from broker.relay import topics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from broker.relay.records import Consumed

_UNDER_WAY_TURNS = 3


class Buffer:
    """Records by partition, each partition in its order."""

    def __init__(self) -> None:
        self._under_way: OrderedDict[TopicPartition, deque[Consumed]] = OrderedDict()
        self._others: OrderedDict[TopicPartition, deque[Consumed]] = OrderedDict()
        self._turn = 0
        self._count = 0
        self.bytes = 0
        """Of keys and values of all that is at hand."""

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Consumed]:
        """All of them, in whatever order."""
        for group in (self._under_way, self._others):
            for queue in group.values():
                yield from queue

    def count(self, tp: TopicPartition) -> int:
        """How many records of a partition are at hand."""
        queue = self._group(tp).get(tp)
        return len(queue) if queue else 0

    def add(self, records: Iterable[Consumed]) -> None:
        """Records that follow those that are here."""
        for record in records:
            self._queue(record).append(record)
            self._counted(record, 1)

    def head(self) -> Consumed:
        """The record whose turn it is."""
        return next(iter(self._whose().values()))[0]

    def pop(self) -> Consumed:
        """The record whose turn it is, taken out; the turn passes on."""
        group = self._whose()
        tp, queue = next(iter(group.items()))
        record = queue.popleft()
        self._counted(record, -1)
        if queue:
            group.move_to_end(tp)
        else:
            del group[tp]
        self._turn = self._turn + 1 if group is self._under_way else 0
        return record

    def put_back(self, records: Iterable[Consumed]) -> None:
        """Records that were taken out, in the order in which they were."""
        for record in reversed(list(records)):
            self._queue(record).appendleft(record)
            self._counted(record, 1)

    def drop(self, tp: TopicPartition) -> None:
        """What is here of a partition is fetched again, or somebody else's."""
        for record in self._group(tp).pop(tp, ()):
            self._counted(record, -1)

    def clear(self) -> None:
        self._under_way.clear()
        self._others.clear()
        self._turn = self._count = self.bytes = 0

    def _whose(self) -> OrderedDict[TopicPartition, deque[Consumed]]:
        if not self._others or (self._under_way and self._turn < _UNDER_WAY_TURNS):
            return self._under_way
        return self._others

    def _group(self, tp: TopicPartition) -> OrderedDict[TopicPartition, deque[Consumed]]:
        return self._under_way if tp.topic in topics.UNDER_WAY else self._others

    def _queue(self, record: Consumed) -> deque[Consumed]:
        tp = TopicPartition(record.topic, record.partition)
        return self._group(tp).setdefault(tp, deque())

    def _counted(self, record: Consumed, sign: int) -> None:
        self._count += sign
        self.bytes += sign * (len(record.key or b"") + len(record.value or b""))
