"""Records read and written from outside the relay: committed ones only, and acknowledged by all replicas."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from aiokafka.partitioner import murmur2
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition

from broker.model.errors import Failed
from broker.relay.records import Consumed, Place

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    from confluent_kafka import Message

    from broker.relay.records import Produced
    from broker.settings import Settings

_SECONDS = 10
_CHUNK = 500
ONE_BY_ONE = {"max.in.flight.requests.per.connection": 1}
"""Where a leader refuses a producer's first request and takes the second, librdkafka holds both for taken."""


def read(
    settings: Settings,
    topic: str,
    partitions: Sequence[int] | None = None,
    since: int | None = None,
    *,
    follow: bool = False,
) -> Iterator[Consumed]:
    """Committed records from the beginning, or from a moment on (milliseconds), to the end of now, or without end.

    Raises Failed when Kafka does not answer or there is no such topic.
    """
    consumer = Consumer(
        {
            **settings.librdkafka(),
            "group.id": "swb-cli",  # never joined: partitions are assigned, nothing is committed
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "enable.partition.eof": not follow,
            "fetch.message.max.bytes": settings.max_record_bytes,
            "log_level": 0,
        }
    )
    try:
        places = _places(consumer, topic, partitions, since)
        consumer.assign(places)
        open_ends = {place.partition for place in places}
        while open_ends:
            for message in consumer.consume(_CHUNK, 0.5):
                error = message.error()
                if error is None:
                    yield _consumed(message)
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - so librdkafka names it
                    open_ends.discard(message.partition())
                else:
                    raise Failed(f"{topic} cannot be read: {error.str()}")
    except KafkaException as error:
        raise Failed(f"{topic} cannot be read: {error.args[0].str()}") from error
    finally:
        consumer.close()


def write(settings: Settings, records: Sequence[Produced]) -> list[Place]:
    """Where each record lies, in the order given; Failed when Kafka did not take one, with how many it took."""
    producer = Producer(
        {
            **settings.librdkafka(),
            "enable.idempotence": True,
            **ONE_BY_ONE,
            "partitioner": "murmur2_random",
            "message.max.bytes": settings.max_record_bytes,
            "delivery.timeout.ms": _SECONDS * 1000,
            "linger.ms": 5,
            "log_level": 0,
        }
    )
    for topic in {record.topic for record in records}:
        _count(producer, topic)
    places: dict[int, Place] = {}
    refusals: list[str] = []

    def heard(number: int, error: KafkaError | None, message: Message) -> None:
        offset = message.offset()
        if error is not None:
            refusals.append(error.str())
        elif offset is None:
            refusals.append("nobody says where it lies")
        else:
            places[number] = Place(message.topic() or "", message.partition() or 0, offset)

    for number, record in enumerate(records):
        try:
            producer.produce(
                record.topic,
                record.value,
                record.key,
                -1 if record.partition is None else record.partition,
                headers=list(record.headers),
                on_delivery=lambda error, message, n=number: heard(n, error, message),
            )
        except KafkaException as error:  # larger than any topic of ours takes
            refusals.append(error.args[0].str())
        producer.poll(0)
    until = time.monotonic() + 2 * _SECONDS
    while producer.flush(1) and time.monotonic() < until:
        pass
    if refusals:
        raise Failed(f"Kafka took {len(places)} records and refused {len(refusals)}: {refusals[0]}")
    return [places[number] for number in sorted(places)]


def partition_of(settings: Settings, topic: str, key: bytes) -> int:
    """Where the relay writes that key."""
    consumer = Consumer({**settings.librdkafka(), "group.id": "swb-cli", "log_level": 0})
    try:
        return int((murmur2(key) & 0x7FFFFFFF) % _count(consumer, topic))
    finally:
        consumer.close()


def _places(
    consumer: Consumer, topic: str, partitions: Sequence[int] | None, since: int | None
) -> list[TopicPartition]:
    numbers = range(_count(consumer, topic)) if partitions is None else partitions
    if since is None:
        return [TopicPartition(topic, number, OFFSET_BEGINNING) for number in numbers]
    until = time.monotonic() + _SECONDS
    while True:
        try:
            ends = {n: consumer.get_watermark_offsets(TopicPartition(topic, n), timeout=_SECONDS)[1] for n in numbers}
            found: list[TopicPartition] = consumer.offsets_for_times(
                [TopicPartition(topic, number, since) for number in numbers], timeout=_SECONDS
            )
        except KafkaException:  # a topic that has just been made has no leader everybody knows
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            # Where nothing is so young yet: from the end as it was before asking, or what comes meanwhile is missed.
            return [TopicPartition(topic, p.partition, p.offset if p.offset >= 0 else ends[p.partition]) for p in found]


def _count(client: Consumer | Producer, topic: str) -> int:
    try:
        found = client.list_topics(topic, timeout=_SECONDS).topics[topic]
    except KafkaException as error:
        raise Failed(f"Kafka does not answer: {error.args[0].str()}") from error
    if found.error is not None:
        raise Failed(f"{topic}: {found.error.str()}. swb topics create makes the topics.")
    return len(found.partitions)


def _consumed(message: Message) -> Consumed:
    return Consumed(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        message.key(),
        message.value(),
        tuple(message.headers() or ()),
        message.timestamp()[1],
    )


def watch(settings: Settings, names: Iterable[str], since: int, pause: float = 0.5) -> Iterator[Consumed | None]:
    """Committed records of several topics from a moment on, as they come; None whenever nothing came for a while.

    Raises Failed when Kafka does not answer or a topic is missing.
    """
    consumer = Consumer(
        {
            **settings.librdkafka(),
            "group.id": "swb-cli",  # never joined: partitions are assigned, nothing is committed
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "fetch.message.max.bytes": settings.max_record_bytes,
            "log_level": 0,
        }
    )
    try:
        consumer.assign([place for name in names for place in _places(consumer, name, None, since)])
        while True:
            found = consumer.consume(_CHUNK, pause)
            yield from (_consumed(message) for message in found if message.error() is None)
            if not found:
                yield None
    except KafkaException as error:
        raise Failed(f"Kafka cannot be read: {error.args[0].str()}") from error
    finally:
        consumer.close()


def go_on(
    settings: Settings, positions: Mapping[str, Mapping[int, int]], pause: float = 0.5
) -> Generator[Consumed | None]:
    """Committed records of these topics from where each partition was read up to (else its beginning), without end;
    None whenever nothing came for a while. Raises Failed when Kafka does not answer or a topic is missing.
    """
    consumer = Consumer(
        {
            **settings.librdkafka(),
            "group.id": "swb-cli",  # never joined: partitions are assigned, nothing is committed
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",  # also where what was read last is deleted by now
            "fetch.message.max.bytes": settings.max_record_bytes,
            "queued.max.messages.kbytes": 16_384,
            "log_level": 0,
        }
    )
    try:
        places = [
            TopicPartition(name, number, known.get(number, OFFSET_BEGINNING))
            for name, known in positions.items()
            for number in range(_count(consumer, name))
        ]
        consumer.assign(places)
        heard = time.monotonic()
        while True:
            found = consumer.consume(_CHUNK, pause)
            yield from (_consumed(message) for message in found if message.error() is None)
            if found:
                heard = time.monotonic()
                continue
            if time.monotonic() - heard > _SECONDS:
                _count(consumer, places[0].topic)  # nothing new, or nobody there
                heard = time.monotonic()
            yield None
    except KafkaException as error:
        raise Failed(f"Kafka cannot be read: {error.args[0].str()}") from error
    finally:
        consumer.close()


def ends(settings: Settings, topic: str) -> dict[int, int]:
    """The offset after the last committed record of each partition; Failed when Kafka does not answer."""
    consumer = Consumer({**settings.librdkafka(), "group.id": "swb-cli", "log_level": 0})
    try:
        numbers = range(_count(consumer, topic))
        return {n: consumer.get_watermark_offsets(TopicPartition(topic, n), timeout=_SECONDS)[1] for n in numbers}
    except KafkaException as error:
        raise Failed(f"{topic} cannot be read: {error.args[0].str()}") from error
    finally:
        consumer.close()


def at(settings: Settings, place: Place) -> Consumed | None:
    """The committed record that lies there; None when it does not lie there any more. Raises Failed."""
    consumer = Consumer(
        {
            **settings.librdkafka(),
            "group.id": "swb-cli",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "fetch.message.max.bytes": settings.max_record_bytes,
            "log_level": 0,
        }
    )
    spot = TopicPartition(place.topic, place.partition, place.offset)
    try:
        first, end = consumer.get_watermark_offsets(spot, timeout=_SECONDS)
        if not first <= place.offset < end:
            return None
        consumer.assign([spot])
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until:
            for message in consumer.consume(1, 0.5):
                if message.error() is not None:
                    return None
                return _consumed(message) if message.offset() == place.offset else None
    except KafkaException as error:
        raise Failed(f"{place.topic} cannot be read: {error.args[0].str()}") from error
    finally:
        consumer.close()
    raise Failed(f"{place.topic} cannot be read: no answer within {_SECONDS} s")
