"""The Kafka that ``swb doctor`` examines: what the checks do with it, and how they wait for what it does."""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from confluent_kafka import KafkaException
from confluent_kafka.admin import ConfigResource, NewTopic, ResourceType

from broker.kafka.admin import topics as admin
from broker.kafka.clients import discard, quiet_admin, reader
from broker.kafka.lanes.transaction_admin import TransactionAdmin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from broker.settings import Settings

_PREFIX = "swb.doctor."
ANSWER_SECONDS = 20


class Missing(Exception):
    """The broker does not do what the relay needs; the sentence says what."""


class Doubtful(Exception):
    """It works, and an operator should still know."""


@dataclass
class ClusterProbe:
    """The Kafka under examination, and what the checks leave on it."""

    settings: Settings
    participants: Iterable[str]
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    made: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.admin = quiet_admin(self.settings)

    def greet(self) -> None:
        """Raises Failed, with the cause, when Kafka does not answer."""
        admin.greet(self.settings)

    def name(self, stem: str) -> str:
        return f"{_PREFIX}{self.mark}.{stem}"

    async def topic(self, stem: str, partitions: int = 1, **config: str) -> str:
        """A new topic, as the relay's are, when it can be written."""
        name = self.name(stem)
        largest = self.settings.max_record_bytes
        given = {"max.message.bytes": str(largest), "segment.bytes": str(4 * largest), **_dotted(config)}
        new = NewTopic(name, partitions, self.settings.replication, config=given)
        await asyncio.to_thread(
            self.admin.create_topics([new], request_timeout=ANSWER_SECONDS)[name].result, ANSWER_SECONDS
        )
        self.made.append(name)
        if await asyncio.to_thread(admin.unled, self.admin, {name: partitions}, ANSWER_SECONDS):
            raise Missing(f"a new topic had no leader after {ANSWER_SECONDS} s")
        return name

    def configs(self, kind: ResourceType, name: str) -> dict[str, str]:
        """The settings of a topic or a broker; what the service does not tell is not there."""
        asked = self.admin.describe_configs([ConfigResource(kind, name)])
        return {
            entry.name: str(entry.value)
            for future in asked.values()
            for entry in future.result(ANSWER_SECONDS).values()
        }

    @asynccontextmanager
    async def producer(self, **options: Any) -> AsyncIterator[AIOKafkaProducer]:  # noqa: ANN401 - aiokafka's own
        producer = AIOKafkaProducer(
            **self.settings.aiokafka(),
            acks="all",
            max_request_size=self.settings.max_record_bytes,
            request_timeout_ms=ANSWER_SECONDS * 1000,
            **options,
        )
        try:
            await asyncio.wait_for(producer.start(), ANSWER_SECONDS)
            yield producer
        finally:
            await discard(producer)

    def transactional(self, stem: str) -> dict[str, Any]:
        """The options of a producer like a lane's."""
        milliseconds = int(self.settings.transaction_seconds * 1000)
        return {"transactional_id": self.name(stem), "transaction_timeout_ms": milliseconds}

    @asynccontextmanager
    async def transactions(self) -> AsyncIterator[TransactionAdmin]:
        transactions = TransactionAdmin(self.settings)
        try:
            await asyncio.wait_for(transactions.start(), ANSWER_SECONDS)
            yield transactions
        finally:
            await transactions.close()

    @asynccontextmanager
    async def reader(self, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
        """A live reader of committed records, from the beginning of partition 0."""
        consumer = reader(self.settings, fetch_max_wait_ms=50, max_partition_fetch_bytes=1 << 20)
        try:
            await consumer.start()
            consumer.assign([TopicPartition(topic, 0)])
            await consumer.seek_to_beginning()
            yield consumer
        finally:
            await consumer.stop()

    @asynccontextmanager
    async def member(self, topic: str, group: str, instance: str | None = None) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            topic, **self.settings.aiokafka(), group_id=group, group_instance_id=instance, enable_auto_commit=False,
            auto_offset_reset="earliest", session_timeout_ms=int(self.settings.session_seconds * 1000),
            heartbeat_interval_ms=int(self.settings.heartbeat_seconds * 1000),
            rebalance_timeout_ms=int(self.settings.rebalance_seconds * 1000),
        )  # fmt: skip
        try:
            await asyncio.wait_for(consumer.start(), ANSWER_SECONDS)
            yield consumer
        finally:
            await consumer.stop()

    def clean(self) -> None:
        """Delete what the checks made."""
        if self.made:
            for future in self.admin.delete_topics(self.made, request_timeout=ANSWER_SECONDS).values():
                try:
                    future.result(ANSWER_SECONDS)
                except (KafkaException, TimeoutError):
                    continue


async def read(probe: ClusterProbe, topic: str, count: int) -> list[Any]:
    found: list[Any] = []
    until = time.monotonic() + ANSWER_SECONDS
    async with probe.reader(topic) as consumer:
        while len(found) < count and time.monotonic() < until:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += records
    if len(found) != count:
        raise Missing(f"{count} records were written, {len(found)} came back")
    return found


async def expect(live: AIOKafkaConsumer, values: Sequence[bytes]) -> None:
    """These values and no others, and nothing more for a moment."""
    seen: list[bytes] = []
    until = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < until:
        for records in (await live.getmany(timeout_ms=500)).values():
            seen += [record.value for record in records]
        if len(seen) >= len(values) and not await live.getmany(timeout_ms=300):
            break
    if seen != list(values):
        raise Missing(f"a live reader saw {seen}, not {list(values)}")


async def committed(probe: ClusterProbe, group: str, place: TopicPartition) -> int | None:
    consumer = AIOKafkaConsumer(**probe.settings.aiokafka(), group_id=group, enable_auto_commit=False)
    try:
        await consumer.start()
        consumer.assign([place])
        found: int | None = await asyncio.wait_for(consumer.committed(place), ANSWER_SECONDS)
        return found
    finally:
        await consumer.stop()


async def assigned(member: AIOKafkaConsumer, count: int) -> None:
    await wait_until(lambda: len(member.assignment()) == count, f"a member gets {count} partitions")


async def wait_until(condition: Callable[[], bool], what: str, seconds: float = ANSWER_SECONDS) -> None:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise Missing(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(0.1)


def _dotted(config: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "."): value for name, value in config.items()}
