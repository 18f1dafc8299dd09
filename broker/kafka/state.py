"""A lane's memory, read back from its state partitions before its first record is taken.

Read with confluent-kafka in a thread of its own: a million entries come several times faster than through asyncio, and
the other lanes go on meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from confluent_kafka import KafkaError as RdKafkaError

from broker import log
from broker.errors import Failed

if TYPE_CHECKING:
    from broker.kafka.memory import Memory, Shelf
    from broker.settings import Settings

logger = log.get(__name__)

_CHUNK = 10_000
_PATIENCE_SECONDS = 30.0
"""Without anything heard from Kafka."""


async def catch_up(settings: Settings, lane: int, memory: Memory) -> None:
    """Read every state partition of the lane from where the memory is true to, up to the end of this moment.

    Raises Failed when Kafka does not let it be read; the lane then opens again.
    """
    began = time.monotonic()
    count = await asyncio.to_thread(_read, settings, lane, memory)
    logger.debug("state.read", lane=lane, records=count, seconds=round(time.monotonic() - began, 3))


def _read(settings: Settings, lane: int, memory: Memory) -> int:
    consumer = Consumer(
        {
            **settings.librdkafka(),
            "group.id": "swb-state",  # never joined: partitions are assigned, nothing is committed
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 10,
            "fetch.message.max.bytes": 8 << 20,
            "queued.max.messages.kbytes": 64 << 10,
            "log_level": 0,
        }
    )
    try:
        return _read_with(consumer, lane, memory)
    finally:
        consumer.close()


def _read_with(consumer: Consumer, lane: int, memory: Memory) -> int:
    shelves = {shelf.topic: shelf for shelf in memory.shelves}
    consumer.assign([TopicPartition(topic, lane, _start(shelf)) for topic, shelf in shelves.items()])
    unread, count, heard = set(shelves), 0, time.monotonic()
    while unread:
        messages = consumer.consume(_CHUNK, 0.02)  # waits that long for a full chunk
        if messages:
            heard = time.monotonic()
        elif time.monotonic() - heard > _PATIENCE_SECONDS:
            raise Failed(f"the state of lane {lane} cannot be read: no answer for {_PATIENCE_SECONDS:g} s")
        for message in messages:
            topic, error = message.topic() or "", message.error()
            if error is None:
                shelves[topic].load(message.key() or b"", message.value())
                count += 1
            elif error.code() == RdKafkaError._PARTITION_EOF:  # noqa: SLF001 - so librdkafka names it
                shelves[topic].true_to = message.offset()
                unread.discard(topic)
            elif error.code() in (RdKafkaError._AUTO_OFFSET_RESET, RdKafkaError.OFFSET_OUT_OF_RANGE):  # noqa: SLF001
                shelves[topic].clear()  # what is remembered is of another topic, or older than the topic is
                consumer.seek(TopicPartition(topic, lane, OFFSET_BEGINNING))
            elif not error.retriable():
                raise Failed(f"the state of lane {lane} cannot be read: {error.str()}")
    return count


def _start(shelf: Shelf) -> int:
    return OFFSET_BEGINNING if shelf.true_to is None else shelf.true_to
