"""One transaction of a lane: everything that was planned and the offsets it came from, or nothing."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.errors import (
    IllegalOperation,
    KafkaError,
    ProducerFenced,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from broker.relay.topics import RELAY_GROUP

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aiokafka import AIOKafkaProducer

    from broker.relay.records import Consumed, Produced

Planned = tuple["Consumed", "Produced"]

_FIRST_LOOK_SECONDS = 0.2
_ASKED = 2
_IN_VAIN: dict[str, type[KafkaError]] = {
    "missing": UnknownTopicOrPartitionError,
    "unauthorised": TopicAuthorizationFailedError,
}
"""Troubles that do not pass while records wait, as a leader's change does."""


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
    given_up = await _hear(producer, sent, deadline)
    if barred := _barred(producer):
        handed_over = [*sent.values(), *(item for item, _ in refusals)]
        raise NotTaken([(item, TopicAuthorizationFailedError()) for item in handed_over if item[1].topic in barred])
    written: dict[TopicPartition, int] = {}
    for future, item in sent.items():
        if not future.done():
            if error := given_up.get(item[1].topic):
                refusals.append((item, error))
            continue
        error = future.exception()
        if isinstance(error, ProducerFenced):
            raise error
        if error is None:
            place = future.result()
            written[place.topic_partition] = max(place.offset, written.get(place.topic_partition, -1))
        else:
            refusals.append((item, error))
    if refusals or given_up:
        raise NotTaken(refusals)
    if offsets:
        await producer.send_offsets_to_transaction(dict(offsets), RELAY_GROUP)
    await producer.commit_transaction()
    return written


def _barred(producer: AIOKafkaProducer) -> frozenset[str]:
    """The topics that Kafka did not let into the transaction.

    The client says so of the transaction as a whole; every record in it fails, and nothing is said against the others.
    """
    ended = producer._txn_manager._transaction_waiter  # noqa: SLF001 - told nowhere else before a commit
    error = ended.exception() if ended.done() else None
    return frozenset(error.args[0]) if isinstance(error, TopicAuthorizationFailedError) else frozenset()


async def _hear(
    producer: AIOKafkaProducer, sent: Mapping[asyncio.Future[Any], Planned], deadline: float
) -> dict[str, BaseException]:
    """Wait for what becomes of every record. The topics that were given up before, each with the reason.

    The client asks a topic that is gone again and again; that it is in vain, the metadata says much sooner. Records for
    other topics may stand behind it, and nothing is said against them.
    """
    waiting: set[asyncio.Future[Any]] = set(sent)
    until, pause = time.monotonic() + deadline, _FIRST_LOOK_SECONDS
    while waiting and (left := until - time.monotonic()) > 0:
        _, waiting = await asyncio.wait(waiting, timeout=min(pause, left))
        pause *= 2
        names = {sent[future][1].topic for future in waiting}
        found = await troubles(producer, names, pause, refresh=True) if names else {}
        if gone := {name: _IN_VAIN[said]() for name, said in found.items() if said in _IN_VAIN}:
            return gone
    return {sent[future][1].topic: TimeoutError(f"no answer within {deadline:g} s") for future in waiting}


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
                except IllegalOperation as error:  # the transaction has failed: nothing more goes into it
                    refusals.append((item, error))
                    break
                except (KafkaError, AssertionError) as error:  # aiokafka asserts that the partition exists
                    refusals.append((item, error))
    except TimeoutError as error:
        if item is not None:
            refusals.append((item, error))
    return sent, refusals


async def _hand_over(producer: AIOKafkaProducer, record: Produced) -> asyncio.Future[Any]:
    value = b"" if record.key is None and record.value is None else record.value  # the client takes no nothing at all
    future: asyncio.Future[Any] = await producer.send(
        record.topic, value, key=record.key, partition=record.partition, headers=list(record.headers)
    )
    return future


async def troubles(
    producer: AIOKafkaProducer, names: Iterable[str], watchdog_policy: float, *, refresh: bool = False
) -> dict[str, str]:
    """What the metadata says against writing to each topic; empty when nothing.

    It is asked for again where it says something, or when ``refresh`` wants it: twice, because what was on its way may
    have been asked for before the name was known.
    """
    suspects = {name for name in names if refresh or _trouble(producer, name)}
    for name in suspects:
        producer.client.add_topic(name)
    for _ in range(_ASKED if suspects else 0):
        try:
            await asyncio.wait_for(asyncio.shield(producer.client.force_metadata_update()), watchdog_policy)
        except TimeoutError:
            return {} if refresh else dict.fromkeys(suspects, "metadata-timeout")
        suspects = {name for name in suspects if _trouble(producer, name)}
        if not suspects:
            break
    return {name: _trouble(producer, name) for name in suspects}


def _trouble(producer: AIOKafkaProducer, topic: str) -> str:
    cluster = producer.client.cluster
    if topic in cluster.unauthorized_topics:
        return "unauthorised"
    partitions = cluster.partitions_for_topic(topic)
    if not partitions:
        return "missing"
    leaders = (cluster.leader_for_partition(TopicPartition(topic, p)) for p in partitions)
    return "" if all(leader not in (None, -1) for leader in leaders) else "leaderless"
