"""The upgrade from release 0.1.0, which called ``swb.facts`` ``swb.answers``: what still lies there is moved.

Each partition is moved in one transaction of its lane, together with the offset up to which it is done: a worker of
0.1.0 that still runs is fenced, and a move that breaks off is begun again without doubling anything.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from broker.kafka.clients import quiet_admin
from broker.model.errors import Failed, Misconfigured
from broker.relay import topics

if TYPE_CHECKING:
    from broker.settings import Settings

_SECONDS = 30
_MOVING = frozenset(
    {KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS}
)
"""What passes by itself."""


def refuse_leftovers(settings: Settings) -> None:
    """Raises Misconfigured where facts of release 0.1.0 wait to be moved: a worker would never see them."""
    with closing(_consumer(settings)) as consumer:
        waiting = sum(end - start for start, end in _ranges(settings, consumer).values())
    if waiting:
        raise Misconfigured(
            f"{topics.FACTS_OF_0_1} still holds {waiting} records of release 0.1.0: swb topics upgrade moves them"
        )


def move_facts(settings: Settings) -> int:
    """How many facts were moved to where this release reads them; 0 where nothing is left. Raises Failed."""
    try:
        with closing(_consumer(settings)) as consumer:
            ranges = _ranges(settings, consumer)
            _refuse_unequal(settings, ranges)
            return sum(_move(settings, consumer, lane) for lane in sorted(ranges))
    except KafkaException as error:
        raise Failed(f"{topics.FACTS_OF_0_1} cannot be moved: {error.args[0].str()}") from error


def _move(settings: Settings, consumer: Consumer, lane: int) -> int:
    """One partition. The range is read after the lane's producer has started: whatever was open has ended then."""
    producer = Producer(
        {
            **settings.librdkafka(),
            "transactional.id": topics.transactional_id(lane),
            "message.max.bytes": settings.max_record_bytes,
            "log_level": 0,
        }
    )
    producer.init_transactions(_SECONDS)
    place = TopicPartition(topics.FACTS_OF_0_1, lane)
    start, end = _range(consumer, place)
    if start >= end:
        return 0
    producer.begin_transaction()
    consumer.assign([TopicPartition(place.topic, lane, start)])
    count = position = 0
    while position < end:
        for message in consumer.consume(500, 0.1):
            if message.error() is not None:
                raise KafkaException(message.error())
            headers = list(message.headers() or ())
            producer.produce(topics.FACTS, message.value(), message.key(), lane, headers=headers)
            producer.poll(0)
            count += 1
        position = max(position, consumer.position([place])[0].offset)
    done = TopicPartition(place.topic, lane, end)
    producer.send_offsets_to_transaction([done], consumer.consumer_group_metadata(), _SECONDS)
    producer.commit_transaction(_SECONDS)
    return count


def _ranges(settings: Settings, consumer: Consumer) -> dict[int, tuple[int, int]]:
    """What is left of each partition; empty where there is no such topic."""
    known = quiet_admin(settings).list_topics(timeout=_SECONDS).topics.get(topics.FACTS_OF_0_1)
    partitions = [] if known is None else list(known.partitions)
    return {number: _range(consumer, TopicPartition(topics.FACTS_OF_0_1, number)) for number in partitions}


def _range(consumer: Consumer, place: TopicPartition) -> tuple[int, int]:
    first, end = consumer.get_watermark_offsets(place, timeout=_SECONDS)
    return max(first, _committed(consumer, place)), end


def _committed(consumer: Consumer, place: TopicPartition) -> int:
    """The group's offset; asked again while its coordinator is found or moves. Raises KafkaException after that."""
    until = time.monotonic() + _SECONDS
    while True:
        try:
            (committed,) = consumer.committed([place], timeout=_SECONDS)
        except KafkaException as error:
            if error.args[0].code() not in _MOVING or time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            offset: int = committed.offset
            return offset


def _refuse_unequal(settings: Settings, ranges: dict[int, tuple[int, int]]) -> None:
    known = quiet_admin(settings).list_topics(timeout=_SECONDS).topics.get(topics.FACTS)
    count = 0 if known is None else len(known.partitions)
    if ranges and count != len(ranges):
        raise Misconfigured(
            f"{topics.FACTS} has {count} partitions and {topics.FACTS_OF_0_1} has {len(ranges)}: "
            "swb topics create makes the one like the other"
        )


def _consumer(settings: Settings) -> Consumer:
    return Consumer(
        {
            **settings.librdkafka(),
            "group.id": topics.RELAY_GROUP,  # never joined: its offsets are read, and committed in a transaction
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            "log_level": 0,
        }
    )
