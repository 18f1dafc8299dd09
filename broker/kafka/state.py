"""A lane's memory, read back from its state partitions before its first record is taken."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from aiokafka import TopicPartition

from broker import log
from broker.kafka.clients import reader

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

    from broker.kafka.memory import Memory, Shelf
    from broker.settings import Settings

logger = log.get(__name__)

_CHUNK = 5000


async def catch_up(settings: Settings, lane: int, memory: Memory) -> None:
    """Read every state partition of the lane from where the memory is true to, up to the end of this moment."""
    began, count = time.monotonic(), 0
    consumer = reader(settings, max_poll_records=_CHUNK, fetch_max_wait_ms=50, max_partition_fetch_bytes=8 << 20)
    await consumer.start()
    try:
        shelves = {TopicPartition(shelf.topic, lane): shelf for shelf in memory.shelves}
        consumer.assign(list(shelves))
        ends = await consumer.end_offsets(list(shelves))
        starts = await consumer.beginning_offsets(list(shelves))
        for tp, shelf in shelves.items():
            consumer.seek(tp, _start(shelf, starts[tp], ends[tp]))
        for tp, shelf in shelves.items():
            count += await _read(consumer, tp, shelf, ends[tp])
    finally:
        await consumer.stop()
    logger.debug("state.read", lane=lane, records=count, seconds=round(time.monotonic() - began, 3))


def _start(shelf: Shelf, first: int, end: int) -> int:
    """Where to go on reading; a shelf that cannot be a part of this topic is emptied."""
    if shelf.true_to is None or not first <= shelf.true_to <= end:
        shelf.clear()
        return first
    return shelf.true_to


async def _read(consumer: AIOKafkaConsumer, tp: TopicPartition, shelf: Shelf, end: int) -> int:
    count = 0
    while (position := await consumer.position(tp)) < end:
        for record in (await consumer.getmany(tp, timeout_ms=1000)).get(tp, ()):
            shelf.load(record.key, record.value)
            count += 1
    shelf.true_to = position
    return count
