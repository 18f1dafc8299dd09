"""The watchdog on the real Kafka: it sees committed conversations, and asks their owners in time."""

import asyncio
import os
import time
from datetime import UTC, datetime, timedelta

import orjson

from broker.answers.history import Delivered, DocumentReceived, History, Routed, add, dump
from broker.kafka.admin import topics as admin
from broker.kafka.reading import read, write
from broker.kafka.watchdog import Watchdog
from broker.model.participants import Wait
from broker.paths import data_root
from broker.registry.statuses import load
from broker.relay import headers, topics
from broker.relay.facts import AnswerAwaited
from broker.relay.records import Produced
from broker.relay.watchdog.policy import WatchdogPolicy
from broker.relay.watchdog.schedule import WatchdogSchedule
from broker.settings import Settings

MINUTE = timedelta(minutes=1)


def kept(message, ago):
    at = (datetime.now(UTC) - ago).isoformat().replace("+00:00", "Z")
    known = History(message)
    for fact in (DocumentReceived(at=at, sender="a"), Routed(at=at, windows=("w",)), Delivered(at=at, window="w")):
        known, _ = add(known, fact)
    return orjson.dumps({"key": None, "history": orjson.Fragment(dump(known)), "at": 0})


async def test_it_asks_the_owner_of_what_is_late_and_of_nothing_else(kafka_bootstrap):
    settings = Settings(bootstrap=kafka_bootstrap, partitions=4)
    admin.create(settings, {})
    late, early = (f"{os.getpid():08}{time.time_ns():024}"[:31] + end for end in "01")
    write(
        settings,
        [
            Produced(topics.CONVERSATIONS, late.encode(), kept(late, 10 * MINUTE)),
            Produced(topics.CONVERSATIONS, early.encode(), kept(early, 0 * MINUTE)),
        ],
    )
    watchdog_policy = WatchdogPolicy({"decision": Wait(5 * MINUTE)})
    schedule = WatchdogSchedule(load(data_root() / "mappings" / "statuses"), watchdog_policy, ["w"])
    schedule._soonest = 0  # as if the records had been written long ago
    watch = asyncio.create_task(Watchdog(settings, schedule, lambda: frozenset(range(4))).run())
    asked = []
    try:
        end = time.monotonic() + 40
        while late not in asked and time.monotonic() < end:
            await asyncio.sleep(1)
            records = await asyncio.to_thread(lambda: list(read(settings, topics.FACTS)))
            asked = [r.key.decode() for r in records if r.header(headers.CE_TYPE) == AnswerAwaited.ce_type()]
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
    assert asked.count(late) == 1
    assert early not in asked


async def test_what_ended_long_ago_is_not_asked_about_while_it_is_read_again(kafka_bootstrap):
    """Of each conversation the state that asks comes first, and much later the one in which nothing is awaited."""
    settings = Settings(bootstrap=kafka_bootstrap, partitions=4)
    admin.create(settings, {})
    names = [f"{time.time_ns():032x}"[:28] + f"{n:04x}" for n in range(2000)]
    overdue = [Produced(topics.CONVERSATIONS, name.encode(), kept(name, 10 * MINUTE)) for name in names]
    write(settings, overdue)
    write(settings, [Produced(topics.CONVERSATIONS, name.encode(), None) for name in names[:-1]])
    schedule = WatchdogSchedule(
        load(data_root() / "mappings" / "statuses"), WatchdogPolicy({"decision": Wait(5 * MINUTE)}), ["w"]
    )
    schedule._soonest = 0
    watch = asyncio.create_task(Watchdog(settings, schedule, lambda: frozenset(range(4))).run())
    asked = []
    try:
        end = time.monotonic() + 40
        while names[-1] not in asked and time.monotonic() < end:
            await asyncio.sleep(1)
            records = await asyncio.to_thread(lambda: list(read(settings, topics.FACTS)))
            asked = [r.key.decode() for r in records if r.header(headers.CE_TYPE) == AnswerAwaited.ce_type()]
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
    assert [name for name in asked if name in set(names)] == names[-1:]
