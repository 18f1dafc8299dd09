"""What a worker's consumer has fetched, taken partition by partition.

``getmany`` empties one partition after another until it has enough, raises for all what is wrong with one, and gives
nothing while the group is dividing its partitions anew. A lane wants its share of each, hears of each what is wrong
with it, and goes on meanwhile: what it may commit then its producer's epoch decides, and not the group. It leans on the
fetcher of aiokafka 0.14.0, which tests guard.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import IllegalStateError

from broker.kafka.unpack import UnreadableRecord
from broker.relay.records import Consumed, WireFault
from broker.relay.unreadable import too_large

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from aiokafka import AIOKafkaConsumer, TopicPartition
    from aiokafka.structs import ConsumerRecord


class Fetched:
    """The consumer of a worker, as its lanes use it."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self.consumer = consumer

    def ready(self, partitions: Iterable[TopicPartition]) -> list[TopicPartition]:
        """Those of which something is at hand. Raises KafkaError where the group cannot go on."""
        self.consumer._coordinator.check_errors()  # noqa: SLF001
        at_hand = self._fetcher._records  # noqa: SLF001
        return [tp for tp in partitions if tp in at_hand]

    def take(self, tp: TopicPartition, most: int) -> list[Consumed]:
        """So many of the records of a partition that are at hand; raises KafkaError for what is wrong with it alone."""
        fetcher = self._fetcher
        found = fetcher._records.get(tp)  # noqa: SLF001
        if found is None:
            return []
        is_result = isinstance(found, FetchResult)
        records = found.getall(most) if is_result else []
        if not is_result or not found.has_more():
            del fetcher._records[tp]  # noqa: SLF001
            fetcher._notify(fetcher._wait_consume_future)  # noqa: SLF001 - there is room to fetch more
        if not is_result:
            found.check_raise()
        return [consumed(record) for record in records]

    async def wait(self, partitions: Collection[TopicPartition], seconds: float) -> None:
        """Come back when anything of these is at hand, or after that time."""
        until = asyncio.get_running_loop().time() + seconds
        with self.consumer._subscription.fetch_context():  # noqa: SLF001 - this is a poll: the member is alive
            while not self.ready(partitions) and (left := until - asyncio.get_running_loop().time()) > 0:
                waiter = self._fetcher._create_fetch_waiter()  # noqa: SLF001
                try:
                    await asyncio.wait([waiter], timeout=left)
                    if waiter.done():
                        waiter.result()  # raises what the group could not go on from
                finally:
                    waiter.cancel()

    def seek(self, tp: TopicPartition, offset: int) -> None:
        """Go on there; nothing where the partition is not ours now."""
        with suppress(IllegalStateError):
            self.consumer.seek(tp, offset)

    def pause(self, *partitions: TopicPartition) -> None:
        for tp in partitions:
            with suppress(IllegalStateError):
                self.consumer.pause(tp)

    def resume(self, *partitions: TopicPartition) -> None:
        for tp in partitions:
            with suppress(IllegalStateError):
                self.consumer.resume(tp)

    def partitions(self) -> frozenset[TopicPartition]:
        """What the group gave to this worker last."""
        return frozenset(self.consumer.assignment())

    def position(self, tp: TopicPartition) -> int | None:
        """From where the partition is fetched next; None where that is not settled. It waits for nothing."""
        subscription = self.consumer._subscription.subscription  # noqa: SLF001 - position() would wait
        if subscription is None or subscription.assignment is None:
            return None
        state = subscription.assignment.state_value(tp)
        return state.position if state is not None and state.has_valid_position else None

    def end(self, tp: TopicPartition) -> int | None:
        """The offset after the last committed record, as the last fetch told it."""
        with suppress(IllegalStateError, KeyError, AssertionError):  # a share that is just changing
            end: int | None = self.consumer.last_stable_offset(tp)
            return end
        return None

    @property
    def is_reassigning(self) -> bool:
        """Whether the group is dividing its partitions anew."""
        return bool(self.consumer._subscription.reassignment_in_progress)  # noqa: SLF001

    @property
    def _fetcher(self) -> Any:  # noqa: ANN401 - aiokafka publishes no types
        return self.consumer._fetcher  # noqa: SLF001


def consumed(record: ConsumerRecord[bytes, bytes]) -> Consumed:
    """A record in the relay's words, with what is wrong with it as a whole. A header that is null counts as empty."""
    given = tuple((name, value or b"") for name, value in record.headers)
    if isinstance(record, UnreadableRecord):
        fault: WireFault | None = WireFault(record.reason, record.last_offset)
    else:
        reason = too_large(record.topic, record.key, given)
        fault = WireFault(reason, record.offset) if reason else None
    return Consumed(
        record.topic, record.partition, record.offset, record.key, record.value, given, record.timestamp, fault
    )
