"""The checks of ``swb doctor``: each one behaviour of the broker that the delivery guarantee rests on."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
    RecordListTooLargeError,
)
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import ResourceType

from broker.kafka.admin import topics as admin
from broker.kafka.admin.cluster_probe import (
    ANSWER_SECONDS,
    Doubtful,
    Missing,
    assigned,
    committed,
    expect,
    read,
    wait_until,
)
from broker.relay import topics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from broker.kafka.admin.cluster_probe import ClusterProbe

_WEEK_MS = 7 * 86_400_000
_HANGING_MS = 15 * 60_000
"""The longest that a transaction may last, unless transaction.max.timeout.ms says otherwise."""
_HEADERS = [("ce_id", b"1"), ("twice", b"a"), ("twice", b"b"), ("binary", bytes(range(256))), ("empty", b"")]


@dataclass(frozen=True, slots=True)
class Check:
    """One behaviour: its name, what it is, the checks without which it cannot be tried, and the trial."""

    name: str
    title: str
    run: Callable[[ClusterProbe], Awaitable[str]]
    needs: tuple[str, ...] = ()


CHECKS: list[Check] = []


def _check(title: str, *needs: str) -> Callable[[Callable[[ClusterProbe], Awaitable[str]]], None]:
    """The function below is a check, named after it."""

    def add(run: Callable[[ClusterProbe], Awaitable[str]]) -> None:
        CHECKS.append(Check(run.__name__.strip("_").replace("_", "-"), title, run, needs))

    return add


# --- the cluster ------------------------------------------------------------------------------------------------------


@_check("a topic is made as it was asked for")
async def _topics(probe: ClusterProbe) -> str:
    asked = {"cleanup.policy": "compact", "max.message.bytes": str(probe.settings.max_record_bytes)}
    name = await probe.topic("made", 3, cleanup_policy="compact", retention_ms="-1")
    found = await asyncio.to_thread(probe.configs, ResourceType.TOPIC, name)
    wrong = [f"{key} is {found.get(key)}, not {value}" for key, value in asked.items() if found.get(key) != value]
    if wrong:
        raise Missing("; ".join(wrong))
    return "partitions, compaction and sizes are kept"


@_check("two copies of everything that was acknowledged", "topics")
async def _copies(probe: ClusterProbe) -> str:
    name = await probe.topic("copies")
    found = await asyncio.to_thread(probe.admin.list_topics, timeout=ANSWER_SECONDS)
    copies = len(found.topics[name].partitions[0].replicas)
    config = await asyncio.to_thread(probe.configs, ResourceType.TOPIC, name)
    least, unclean = config.get("min.insync.replicas", "?"), config.get("unclean.leader.election.enable", "?")
    said = f"{copies} copies, min.insync.replicas {least}, unclean election {unclean}"
    if copies < 3 or least in ("1", "?") or unclean == "true":
        raise Doubtful(f"{said}: a lost node may lose what was acknowledged; 3 copies, 2 in sync, no unclean election")
    return said


@_check("offsets and transactional ids outlive an outage")
async def _memory(probe: ClusterProbe) -> str:
    node = next(iter((await asyncio.to_thread(probe.admin.list_topics, timeout=ANSWER_SECONDS)).brokers))
    try:
        found = await asyncio.to_thread(probe.configs, ResourceType.BROKER, str(node))
    except (KafkaException, TimeoutError) as error:
        raise Doubtful("the service does not tell its settings: see to a week for both") from error
    offsets = int(found.get("offsets.retention.minutes", 0)) * 60_000
    ids = int(found.get("transactional.id.expiration.ms", 0))
    said = f"offsets {offsets // 86_400_000} days, transactional ids {ids // 86_400_000} days"
    if min(offsets, ids) < _WEEK_MS:
        raise Doubtful(f"{said}: after a longer outage the relay would read everything again")
    return said


@_check("a topic that nobody made is not made by a slip")
async def _slips(probe: ClusterProbe) -> str:
    name, refusals = probe.name("slip"), []
    given = {**probe.settings.librdkafka(), "log_level": 0, "delivery.timeout.ms": 3000}
    producer = Producer({**given, "error_cb": lambda _: None})
    producer.produce(name, b"x", on_delivery=lambda error, _: refusals.append(error))
    await asyncio.to_thread(producer.flush, ANSWER_SECONDS)
    if all(refusals) and refusals:
        return "refused"
    probe.made.append(name)
    raise Doubtful("auto.create.topics.enable is on: a misspelt topic takes documents that nobody reads")


@_check("the topics of this installation")
async def _installation(probe: ClusterProbe) -> str:
    faults = await asyncio.to_thread(admin.check, probe.settings, probe.participants)
    absent = [f for f in faults if f.kind == "missing"]
    wrong = [f"{f.topic} {f.sentence}" for f in faults if f.kind != "missing"]
    if wrong:
        more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise Missing("; ".join(wrong[:3]) + more)
    if absent:
        raise Doubtful(f"{len(absent)} topics are missing: swb topics create makes them")
    return "all there, with equal partitions and the right settings"


# --- records ----------------------------------------------------------------------------------------------------------


@_check("key, headers and time of a record come back as they were", "topics")
async def _headers(probe: ClusterProbe) -> str:
    name = await probe.topic("headers")
    async with probe.producer() as producer:
        await producer.send_and_wait(name, b"v", key=b"\x00\xff", headers=_HEADERS, timestamp_ms=1_700_000_000_000)
        await producer.send_and_wait(name, None, key=b"k")
    first, second = await read(probe, name, 2)
    if list(first.headers) != _HEADERS:
        raise Missing(f"headers came back as {list(first.headers)}")
    if (first.key, first.timestamp, second.value) != (b"\x00\xff", 1_700_000_000_000, None):
        raise Missing(f"key {first.key!r}, time {first.timestamp}, tombstone {second.value!r}")
    return "order, doubled names and bytes are kept; so are tombstones"


@_check("a document of the largest size goes through, one above the topic's limit is refused", "topics")
async def _sizes(probe: ClusterProbe) -> str:
    largest = probe.settings.max_content_bytes
    name, small = await probe.topic("sizes"), await probe.topic("small", max_message_bytes="20000")
    content = os.urandom(1 << 16) * (largest // (1 << 16)) + b"x" * (largest % (1 << 16))
    async with probe.producer() as producer:
        await producer.send_and_wait(name, content, headers=_HEADERS)
        try:
            await producer.send_and_wait(small, content[:50_000])
        except (MessageSizeTooLargeError, RecordListTooLargeError):
            pass
        else:
            raise Missing("a record above max.message.bytes was taken")
    (record,) = await read(probe, name, 1)
    if record.value != content:
        raise Missing(f"{len(content)} bytes were written, {len(record.value or b'')} came back")
    return f"{largest / (1 << 20):g} MB"


@_check("a compacted topic wants keys and takes tombstones", "topics")
async def _compaction(probe: ClusterProbe) -> str:
    name = await probe.topic("compacted", cleanup_policy="compact")
    async with probe.producer() as producer:
        await producer.send_and_wait(name, b"1", key=b"k")
        await producer.send_and_wait(name, None, key=b"k")
        try:
            await asyncio.wait_for(producer.send_and_wait(name, b"no key"), 5)
        except (KafkaError, TimeoutError):
            return "so it is"
    raise Doubtful("it takes records without a key: perhaps nothing is compacted, and state grows for ever")


# --- transactions -----------------------------------------------------------------------------------------------------


@_check("a transaction commits records and offsets together, and a live reader sees them then only", "topics")
async def _transactions(probe: ClusterProbe) -> str:
    name, source = await probe.topic("transactions"), await probe.topic("source")
    group, place = probe.name("offsets"), TopicPartition(source, 0)
    async with probe.reader(name) as live, probe.producer(**probe.transactional("t")) as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(name, b"1")
        await producer.send_offsets_to_transaction({place: 42}, group)
        if await live.getmany(timeout_ms=500):
            raise Missing("a read_committed reader saw a record of an open transaction")
        before = await committed(probe, group, place)
        await producer.commit_transaction()
        await expect(live, [b"1"])
        after = await committed(probe, group, place)
    if before == 42 or after != 42:
        raise Missing(f"the offset was {before} before the commit and {after} after it, not 42")
    return "so it is"


@_check("after an abort a live reader sees what comes next, and never what was aborted", "transactions")
async def _aborts(probe: ClusterProbe) -> str:
    name = await probe.topic("aborts")
    async with probe.reader(name) as live, probe.producer(**probe.transactional("a")) as producer:
        for number in range(3):
            await producer.begin_transaction()
            await producer.send_and_wait(name, b"kept %d" % number)
            await producer.commit_transaction()
            await producer.begin_transaction()
            await producer.send_and_wait(name, b"aborted %d" % number)
            await producer.abort_transaction()
        await expect(live, [b"kept 0", b"kept 1", b"kept 2"])
    return "so it is"


@_check("a producer that starts fences the one before it, and ends what that had begun", "transactions")
async def _fencing(probe: ClusterProbe) -> str:
    name = await probe.topic("fencing")
    options = probe.transactional("f")
    async with probe.reader(name) as live, probe.producer(**options) as old:
        await old.begin_transaction()
        await old.send_and_wait(name, b"of the zombie")
        async with probe.producer(**options) as new:
            await new.begin_transaction()
            await new.send_and_wait(name, b"of the new one")
            await new.commit_transaction()
            try:
                await asyncio.wait_for(old.send_and_wait(name, b"late"), ANSWER_SECONDS)
                await asyncio.wait_for(old.commit_transaction(), ANSWER_SECONDS)
            except (ProducerFenced, InvalidProducerEpoch):
                pass
            else:
                raise Missing("the fenced producer committed")
            await expect(live, [b"of the new one"])
    return "so it is"


@_check("where a transaction is open is told, and how it ended", "transactions")
async def _told_transactions(probe: ClusterProbe) -> str:
    place = TopicPartition(await probe.topic("told"), 0)
    options = probe.transactional("o")
    async with probe.transactions() as transactions, probe.producer(**options) as producer:

        async def told() -> tuple[str, bool]:
            known = await transactions.told_of(options["transactional_id"])
            return known.state if known else "unknown", place in (await transactions.look([place])).open

        await transactions.partitions_of([place.topic])
        await producer.begin_transaction()
        await producer.send_and_wait(place.topic, b"x", partition=0)
        if (found := await told()) != ("Ongoing", True):
            raise Missing(f"an open transaction is told as {found[0]}, and {'' if found[1] else 'not '}open")
        await producer.commit_transaction()
        until = time.monotonic() + ANSWER_SECONDS
        while (found := await told()) != ("CompleteCommit", False):
            if time.monotonic() > until:
                raise Missing(
                    f"a committed transaction is told as {found[0]}, and {'still ' if found[1] else 'not '}open"
                )
            await asyncio.sleep(0.1)
    return "so it is"


@_check("no transaction hangs in the topics of this installation", "told-transactions")
async def _hanging_transactions(probe: ClusterProbe) -> str:
    async with probe.transactions() as transactions:
        everywhere = await transactions.partitions_of(topics.all_topics(probe.participants))
        found = (await transactions.look(everywhere)).open
    oldest = time.time() * 1000 - _HANGING_MS
    if hanging := sorted(
        f"{tp.topic}/{tp.partition} from {left.offset}" for tp, left in found.items() if left.written < oldest
    ):
        raise Doubtful(
            f"nobody ends what lies in {', '.join(hanging[:3])}{' and elsewhere' if hanging[3:] else ''}, and nothing "
            "behind it is read: the next transaction of its producer there ends it, or kafka-transactions.sh abort"
        )
    return f"{len(everywhere)} partitions looked at"


# --- groups -----------------------------------------------------------------------------------------------------------


@_check("committed offsets are kept and read back", "topics")
async def _offsets(probe: ClusterProbe) -> str:
    name = await probe.topic("offsets")
    group, place = probe.name("kept"), TopicPartition(name, 0)
    async with probe.member(name, group) as member:
        await assigned(member, 1)
        await member.commit({place: 7})
    found = await committed(probe, group, place)
    if found != 7:
        raise Missing(f"7 was committed, {found} came back")
    return "so it is"


@_check("a static member that comes back keeps its share, and one that does not loses it", "offsets")
async def _static_members(probe: ClusterProbe) -> str:
    name = await probe.topic("static", 4)
    group = probe.name("static")
    async with probe.member(name, group, "a") as first:
        async with probe.member(name, group, "b") as second:
            await wait_until(lambda: len(first.assignment()) == len(second.assignment()) == 2, "two members share")
            share = second.assignment()
        async with probe.member(name, group, "b") as again:
            await assigned(again, 2)
            if again.assignment() != share or len(first.assignment()) != 2:
                raise Missing("after a restart the shares had moved")
        began = time.monotonic()
        await wait_until(
            lambda: len(first.assignment()) == 4,
            "a dead member loses its share",
            probe.settings.session_seconds * 2 + 10,
        )
    return f"share kept over a restart; lost {time.monotonic() - began:.0f} s after a death"
