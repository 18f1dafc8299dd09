"""One transaction of a lane: everything that was planned and the offsets it came from, or nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced

from broker.topics import RELAY_GROUP

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aiokafka import AIOKafkaProducer

    from broker.topics import Consumed, Produced

Planned = tuple["Consumed", "Produced"]


@dataclass
class NotTaken(Exception):
    """Kafka refused records of the transaction; it was not committed."""

    refusals: list[tuple[Planned, BaseException]] = field(default_factory=list)


async def transact(
    producer: AIOKafkaProducer, planned: Iterable[Planned], offsets: Mapping[TopicPartition, int], deadline: float
) -> dict[TopicPartition, int]:
    """The last offset written to each partition, once all is committed.

    Every produce future is awaited inside: a transaction would commit although a record of it was refused. Raises
    NotTaken with the refused records; whatever else it raises leaves the result unknown. Either way the producer is of
    no more use.
    """
    await producer.begin_transaction()
    sent, refusals = await _send(producer, planned, deadline)
    if sent:
        await asyncio.wait(sent, timeout=deadline)
    written: dict[TopicPartition, int] = {}
    for future, item in sent.items():
        error = future.exception() if future.done() else TimeoutError(f"no answer within {deadline:g} s")
        if isinstance(error, ProducerFenced):
            raise error
        if error is None:
            place = future.result()
            written[place.topic_partition] = max(place.offset, written.get(place.topic_partition, -1))
        else:
            refusals.append((item, error))
    if refusals:
        raise NotTaken(refusals)
    if offsets:
        await producer.send_offsets_to_transaction(dict(offsets), RELAY_GROUP)
    await producer.commit_transaction()
    return written


async def _send(
    producer: AIOKafkaProducer, planned: Iterable[Planned], deadline: float
) -> tuple[dict[asyncio.Future[Any], Planned], list[tuple[Planned, BaseException]]]:
    """Hand all records over in one go, so that they travel in full batches; the loop yields only where one is full."""
    sent: dict[asyncio.Future[Any], Planned] = {}
    refusals: list[tuple[Planned, BaseException]] = []
    item: Planned | None = None
    try:
        async with asyncio.timeout(deadline):
            for item in planned:
                try:
                    sent[await _hand_over(producer, item[1])] = item
                except ProducerFenced:
                    raise
                except (KafkaError, AssertionError) as error:  # aiokafka asserts that the partition exists
                    refusals.append((item, error))
    except TimeoutError as error:
        if item is not None:
            refusals.append((item, error))
    return sent, refusals


async def _hand_over(producer: AIOKafkaProducer, record: Produced) -> asyncio.Future[Any]:
    future: asyncio.Future[Any] = await producer.send(
        record.topic, record.value, key=record.key, partition=record.partition, headers=list(record.headers)
    )
    return future


async def trouble(producer: AIOKafkaProducer, topic: str, patience: float) -> str:
    """What the metadata says against writing to a topic; empty when nothing. Asked outside any transaction."""
    said = _trouble(producer, topic)
    if said:
        producer.client.add_topic(topic)
        try:
            await asyncio.wait_for(asyncio.shield(producer.client.force_metadata_update()), patience)
        except TimeoutError:
            return "metadata-timeout"
        said = _trouble(producer, topic)
    return said


def _trouble(producer: AIOKafkaProducer, topic: str) -> str:
    cluster = producer.client.cluster
    if topic in cluster.unauthorized_topics:
        return "unauthorised"
    partitions = cluster.partitions_for_topic(topic)
    if not partitions:
        return "missing"
    leaders = (cluster.leader_for_partition(TopicPartition(topic, p)) for p in partitions)
    return "" if all(leader not in (None, -1) for leader in leaders) else "leaderless"
