"""A lane's memory, read back before its first record is taken: from its copy on disk, and on from its state partitions.

Read with confluent-kafka in a thread of its own: a million entries come several times faster than through asyncio, and
the other lanes go on meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition
from confluent_kafka import KafkaError as RdKafkaError

from broker import log
from broker.model.errors import Failed

if TYPE_CHECKING:
    from broker.kafka.lanes.snapshots import Snapshots
    from broker.relay.stores import Stores
    from broker.settings import Settings

logger = log.get(__name__)

_CHUNK = 10_000
_PATIENCE_SECONDS = 30.0
"""Without anything heard from Kafka."""


async def catch_up(settings: Settings, snapshots: Snapshots, lane: int, stores: Stores) -> None:
    """Read every state partition of the lane from where the memory or its copy is true to, to the end of this moment.

    Raises Failed when Kafka does not let it be read; the lane then opens again.
    """
    began = time.monotonic()
    count = await asyncio.to_thread(_read, settings, snapshots, lane, stores)
    logger.debug("state.read", lane=lane, records=count, seconds=round(time.monotonic() - began, 3))


def _read(settings: Settings, snapshots: Snapshots, lane: int, stores: Stores) -> int:
    for store in stores.all:
        if store.true_to is None:
            snapshots.load(store, lane)
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
        return _read_whole(consumer, lane, stores)
    except KafkaException as error:
        raise Failed(f"the state of lane {lane} cannot be read: {error.args[0].str()}") from error
    finally:
        consumer.close()


def _read_whole(consumer: Consumer, lane: int, stores: Stores) -> int:
    """Read; where what is remembered is of another topic, or older than the topic is, once more from its beginning."""
    anew: set[str] = set()
    while True:
        try:
            return _read_with(consumer, lane, stores, anew)
        except _OutOfRange as error:
            logger.warning("state.anew", topic=error.topic, lane=lane)
            stores.of(error.topic).clear()
            anew.add(error.topic)


class _OutOfRange(Exception):
    def __init__(self, topic: str) -> None:
        super().__init__(topic)
        self.topic = topic


def _read_with(consumer: Consumer, lane: int, stores: Stores, anew: set[str]) -> int:
    by_topic = {store.topic: store for store in stores.all}
    # Compaction leaves a partition's first offset where it was, at 0; to ask for it would take half a second.
    starts = {topic: OFFSET_BEGINNING if topic in anew else store.true_to or 0 for topic, store in by_topic.items()}
    consumer.assign([TopicPartition(topic, lane, start) for topic, start in starts.items()])
    unread, count, heard = set(by_topic), 0, time.monotonic()
    while unread:
        messages = consumer.consume(_CHUNK, 0.02)  # waits that long for a full chunk
        if messages:
            heard = time.monotonic()
        elif time.monotonic() - heard > _PATIENCE_SECONDS:
            raise Failed(f"the state of lane {lane} cannot be read: no answer for {_PATIENCE_SECONDS:g} s")
        for message in messages:
            topic, error = message.topic() or "", message.error()
            if error is None:
                by_topic[topic].load(message.key() or b"", message.value())
                count += 1
            elif error.code() == RdKafkaError._PARTITION_EOF:  # noqa: SLF001 - so librdkafka names it
                by_topic[topic].true_to = message.offset()
                unread.discard(topic)
            elif error.code() in (RdKafkaError._AUTO_OFFSET_RESET, RdKafkaError.OFFSET_OUT_OF_RANGE):  # noqa: SLF001
                raise _OutOfRange(topic)
            elif not error.retriable():
                raise Failed(f"the state of lane {lane} cannot be read: {error.str()}")
    return count
