"""The checks of ``swb doctor``: each one behaviour of the broker that the delivery guarantee rests on."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
    RecordListTooLargeError,
)
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import ConfigResource, NewTopic, ResourceType

from broker.kafka import admin
from broker.kafka.clients import discard, quiet_admin, reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

    from broker.settings import Settings

_PREFIX = "swb.doctor."
_ANSWER = 20
_WEEK_MS = 7 * 86_400_000
_HEADERS = [("ce_id", b"1"), ("twice", b"a"), ("twice", b"b"), ("binary", bytes(range(256))), ("empty", b"")]


class Missing(Exception):
    """The broker does not do what the relay needs; the sentence says what."""


class Doubt(Exception):
    """It works, and an operator should still know."""


@dataclass
class Patient:
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
        await asyncio.to_thread(self.admin.create_topics([new], request_timeout=_ANSWER)[name].result, _ANSWER)
        self.made.append(name)
        until = time.monotonic() + _ANSWER
        while True:
            found = await asyncio.to_thread(self.admin.list_topics, timeout=_ANSWER)
            known = found.topics.get(name)
            if known and known.partitions and all(p.leader >= 0 for p in known.partitions.values()):
                return name
            if time.monotonic() > until:
                raise Missing(f"a new topic had no leader after {_ANSWER} s")
            await asyncio.sleep(0.1)

    def configs(self, kind: ResourceType, name: str) -> dict[str, str]:
        """The settings of a topic or a broker; what the service does not tell is not there."""
        asked = self.admin.describe_configs([ConfigResource(kind, name)])
        return {entry.name: str(entry.value) for future in asked.values() for entry in future.result(_ANSWER).values()}

    @asynccontextmanager
    async def producer(self, **options: Any) -> AsyncIterator[AIOKafkaProducer]:  # noqa: ANN401 - aiokafka's own
        given = {
            "acks": "all", "max_request_size": self.settings.max_record_bytes, "request_timeout_ms": _ANSWER * 1000
        }  # fmt: skip
        producer = AIOKafkaProducer(**self.settings.aiokafka(), **given, **options)
        try:
            await asyncio.wait_for(producer.start(), _ANSWER)
            yield producer
        finally:
            await discard(producer)

    def transactional(self, stem: str) -> dict[str, Any]:
        """The options of a producer like a lane's."""
        milliseconds = int(self.settings.transaction_seconds * 1000)
        return {"transactional_id": self.name(stem), "transaction_timeout_ms": milliseconds}

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
            await asyncio.wait_for(consumer.start(), _ANSWER)
            yield consumer
        finally:
            await consumer.stop()

    def clean(self) -> None:
        """Delete what the checks made."""
        if self.made:
            for future in self.admin.delete_topics(self.made, request_timeout=_ANSWER).values():
                try:
                    future.result(_ANSWER)
                except (KafkaException, TimeoutError):
                    continue


@dataclass(frozen=True, slots=True)
class Check:
    """One behaviour: its name, what it is, the checks without which it cannot be tried, and the trial."""

    name: str
    title: str
    run: Callable[[Patient], Awaitable[str]]
    needs: tuple[str, ...] = ()


CHECKS: list[Check] = []


def _check(title: str, *needs: str) -> Callable[[Callable[[Patient], Awaitable[str]]], None]:
    """The function below is a check, named after it."""

    def add(run: Callable[[Patient], Awaitable[str]]) -> None:
        CHECKS.append(Check(run.__name__.strip("_").replace("_", "-"), title, run, needs))

    return add


# --- the cluster ------------------------------------------------------------------------------------------------------


@_check("a topic is made as it was asked for")
async def _topics(patient: Patient) -> str:
    asked = {"cleanup.policy": "compact", "max.message.bytes": str(patient.settings.max_record_bytes)}
    name = await patient.topic("made", 3, cleanup_policy="compact", retention_ms="-1")
    found = await asyncio.to_thread(patient.configs, ResourceType.TOPIC, name)
    wrong = [f"{key} is {found.get(key)}, not {value}" for key, value in asked.items() if found.get(key) != value]
    if wrong:
        raise Missing("; ".join(wrong))
    return "partitions, compaction and sizes are kept"


@_check("two copies of everything that was acknowledged", "topics")
async def _copies(patient: Patient) -> str:
    name = await patient.topic("copies")
    found = await asyncio.to_thread(patient.admin.list_topics, timeout=_ANSWER)
    copies = len(found.topics[name].partitions[0].replicas)
    config = await asyncio.to_thread(patient.configs, ResourceType.TOPIC, name)
    least, unclean = config.get("min.insync.replicas", "?"), config.get("unclean.leader.election.enable", "?")
    said = f"{copies} copies, min.insync.replicas {least}, unclean election {unclean}"
    if copies < 3 or least in ("1", "?") or unclean == "true":
        raise Doubt(f"{said}: a lost node may lose what was acknowledged; 3 copies, 2 in sync, no unclean election")
    return said


@_check("offsets and transactional ids outlive an outage")
async def _memory(patient: Patient) -> str:
    node = next(iter((await asyncio.to_thread(patient.admin.list_topics, timeout=_ANSWER)).brokers))
    try:
        found = await asyncio.to_thread(patient.configs, ResourceType.BROKER, str(node))
    except (KafkaException, TimeoutError) as error:
        raise Doubt("the service does not tell its settings: see to a week for both") from error
    offsets = int(found.get("offsets.retention.minutes", 0)) * 60_000
    ids = int(found.get("transactional.id.expiration.ms", 0))
    said = f"offsets {offsets // 86_400_000} days, transactional ids {ids // 86_400_000} days"
    if min(offsets, ids) < _WEEK_MS:
        raise Doubt(f"{said}: after a longer outage the relay would read everything again")
    return said


@_check("a topic that nobody made is not made by a slip")
async def _slips(patient: Patient) -> str:
    name, refusals = patient.name("slip"), []
    given = {**patient.settings.librdkafka(), "log_level": 0, "delivery.timeout.ms": 3000}
    producer = Producer({**given, "error_cb": lambda _: None})
    producer.produce(name, b"x", on_delivery=lambda error, _: refusals.append(error))
    await asyncio.to_thread(producer.flush, _ANSWER)
    if all(refusals) and refusals:
        return "refused"
    patient.made.append(name)
    raise Doubt("auto.create.topics.enable is on: a misspelt topic takes documents that nobody reads")


@_check("the topics of this installation")
async def _installation(patient: Patient) -> str:
    faults = await asyncio.to_thread(admin.check, patient.settings, patient.participants)
    absent = [f for f in faults if f.kind == "missing"]
    wrong = [f"{f.topic} {f.sentence}" for f in faults if f.kind != "missing"]
    if wrong:
        more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise Missing("; ".join(wrong[:3]) + more)
    if absent:
        raise Doubt(f"{len(absent)} topics are missing: swb topics create makes them")
    return "all there, with equal partitions and the right settings"


# --- records ----------------------------------------------------------------------------------------------------------


@_check("key, headers and time of a record come back as they were", "topics")
async def _headers(patient: Patient) -> str:
    name = await patient.topic("headers")
    async with patient.producer() as producer:
        await producer.send_and_wait(name, b"v", key=b"\x00\xff", headers=_HEADERS, timestamp_ms=1_700_000_000_000)
        await producer.send_and_wait(name, None, key=b"k")
    first, second = await _read(patient, name, 2)
    if list(first.headers) != _HEADERS:
        raise Missing(f"headers came back as {list(first.headers)}")
    if (first.key, first.timestamp, second.value) != (b"\x00\xff", 1_700_000_000_000, None):
        raise Missing(f"key {first.key!r}, time {first.timestamp}, tombstone {second.value!r}")
    return "order, doubled names and bytes are kept; so are tombstones"


@_check("a document of the largest size goes through, one above the topic's limit is refused", "topics")
async def _sizes(patient: Patient) -> str:
    largest = patient.settings.max_content_bytes
    name, small = await patient.topic("sizes"), await patient.topic("small", max_message_bytes="20000")
    content = os.urandom(1 << 16) * (largest // (1 << 16)) + b"x" * (largest % (1 << 16))
    async with patient.producer() as producer:
        await producer.send_and_wait(name, content, headers=_HEADERS)
        try:
            await producer.send_and_wait(small, content[:50_000])
        except (MessageSizeTooLargeError, RecordListTooLargeError):
            pass
        else:
            raise Missing("a record above max.message.bytes was taken")
    (record,) = await _read(patient, name, 1)
    if record.value != content:
        raise Missing(f"{len(content)} bytes were written, {len(record.value or b'')} came back")
    return f"{largest / (1 << 20):g} MB"


@_check("a compacted topic wants keys and takes tombstones", "topics")
async def _compaction(patient: Patient) -> str:
    name = await patient.topic("compacted", cleanup_policy="compact")
    async with patient.producer() as producer:
        await producer.send_and_wait(name, b"1", key=b"k")
        await producer.send_and_wait(name, None, key=b"k")
        try:
            await asyncio.wait_for(producer.send_and_wait(name, b"no key"), 5)
        except (KafkaError, TimeoutError):
            return "so it is"
    raise Doubt("it takes records without a key: perhaps nothing is compacted, and state grows for ever")


# --- transactions -----------------------------------------------------------------------------------------------------


@_check("a transaction commits records and offsets together, and a live reader sees them then only", "topics")
async def _transactions(patient: Patient) -> str:
    name, source = await patient.topic("transactions"), await patient.topic("source")
    group, place = patient.name("offsets"), TopicPartition(source, 0)
    async with patient.reader(name) as live, patient.producer(**patient.transactional("t")) as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(name, b"1")
        await producer.send_offsets_to_transaction({place: 42}, group)
        if await live.getmany(timeout_ms=500):
            raise Missing("a read_committed reader saw a record of an open transaction")
        before = await _committed(patient, group, place)
        await producer.commit_transaction()
        await _expect(live, [b"1"])
        after = await _committed(patient, group, place)
    if before == 42 or after != 42:
        raise Missing(f"the offset was {before} before the commit and {after} after it, not 42")
    return "so it is"


@_check("after an abort a live reader sees what comes next, and never what was aborted", "transactions")
async def _aborts(patient: Patient) -> str:
    name = await patient.topic("aborts")
    async with patient.reader(name) as live, patient.producer(**patient.transactional("a")) as producer:
        for number in range(3):
            await producer.begin_transaction()
            await producer.send_and_wait(name, b"kept %d" % number)
            await producer.commit_transaction()
            await producer.begin_transaction()
            await producer.send_and_wait(name, b"aborted %d" % number)
            await producer.abort_transaction()
        await _expect(live, [b"kept 0", b"kept 1", b"kept 2"])
    return "so it is"


@_check("a producer that starts fences the one before it, and ends what that had begun", "transactions")
async def _fencing(patient: Patient) -> str:
    name = await patient.topic("fencing")
    options = patient.transactional("f")
    async with patient.reader(name) as live, patient.producer(**options) as old:
        await old.begin_transaction()
        await old.send_and_wait(name, b"of the zombie")
        async with patient.producer(**options) as new:
            await new.begin_transaction()
            await new.send_and_wait(name, b"of the new one")
            await new.commit_transaction()
            try:
                await asyncio.wait_for(old.send_and_wait(name, b"late"), _ANSWER)
                await asyncio.wait_for(old.commit_transaction(), _ANSWER)
            except (ProducerFenced, InvalidProducerEpoch):
                pass
            else:
                raise Missing("the fenced producer committed")
            await _expect(live, [b"of the new one"])
    return "so it is"


# --- groups -----------------------------------------------------------------------------------------------------------


@_check("committed offsets are kept and read back", "topics")
async def _offsets(patient: Patient) -> str:
    name = await patient.topic("offsets")
    group, place = patient.name("kept"), TopicPartition(name, 0)
    async with patient.member(name, group) as member:
        await _assigned(member, 1)
        await member.commit({place: 7})
    found = await _committed(patient, group, place)
    if found != 7:
        raise Missing(f"7 was committed, {found} came back")
    return "so it is"


@_check("a static member that comes back keeps its share, and one that does not loses it", "offsets")
async def _static_members(patient: Patient) -> str:
    name = await patient.topic("static", 4)
    group = patient.name("static")
    async with patient.member(name, group, "a") as first:
        async with patient.member(name, group, "b") as second:
            await _until(lambda: len(first.assignment()) == len(second.assignment()) == 2, "two members share")
            share = second.assignment()
        async with patient.member(name, group, "b") as again:
            await _assigned(again, 2)
            if again.assignment() != share or len(first.assignment()) != 2:
                raise Missing("after a restart the shares had moved")
        began = time.monotonic()
        await _until(
            lambda: len(first.assignment()) == 4,
            "a dead member loses its share",
            patient.settings.session_seconds * 2 + 10,
        )
    return f"share kept over a restart; lost {time.monotonic() - began:.0f} s after a death"


# --- words of the checks ----------------------------------------------------------------------------------------------


async def _read(patient: Patient, topic: str, count: int) -> list[Any]:
    found: list[Any] = []
    until = time.monotonic() + _ANSWER
    async with patient.reader(topic) as consumer:
        while len(found) < count and time.monotonic() < until:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += records
    if len(found) != count:
        raise Missing(f"{count} records were written, {len(found)} came back")
    return found


async def _expect(live: AIOKafkaConsumer, values: Sequence[bytes]) -> None:
    """These values and no others, and nothing more for a moment."""
    seen: list[bytes] = []
    until = time.monotonic() + _ANSWER
    while time.monotonic() < until:
        for records in (await live.getmany(timeout_ms=500)).values():
            seen += [record.value for record in records]
        if len(seen) >= len(values) and not await live.getmany(timeout_ms=300):
            break
    if seen != list(values):
        raise Missing(f"a live reader saw {seen}, not {list(values)}")


async def _committed(patient: Patient, group: str, place: TopicPartition) -> int | None:
    consumer = AIOKafkaConsumer(**patient.settings.aiokafka(), group_id=group, enable_auto_commit=False)
    try:
        await consumer.start()
        consumer.assign([place])
        found: int | None = await asyncio.wait_for(consumer.committed(place), _ANSWER)
        return found
    finally:
        await consumer.stop()


async def _assigned(member: AIOKafkaConsumer, count: int) -> None:
    await _until(lambda: len(member.assignment()) == count, f"a member gets {count} partitions")


async def _until(condition: Callable[[], bool], what: str, seconds: float = _ANSWER) -> None:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise Missing(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(0.1)


def _dotted(config: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "."): value for name, value in config.items()}
