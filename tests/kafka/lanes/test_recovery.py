"""A lane's memory read back from the real Kafka: whole, and on from a copy on disk."""

import asyncio
import os

import pytest
from confluent_kafka import Producer

from broker.kafka.admin import topics as admin
from broker.kafka.lanes.recovery import catch_up
from broker.kafka.lanes.snapshots import Snapshots
from broker.relay import topics
from broker.relay.entries import Judged, JudgedCodec
from broker.relay.stores import StateStore, Stores
from broker.settings import Settings

LANE = 1


@pytest.fixture
def settings(kafka_bootstrap, tmp_path):
    given = Settings(bootstrap=kafka_bootstrap, partitions=4, state_folder=str(tmp_path / "state"))
    admin.create(given, {})
    return given


def write(settings, changes):
    producer = Producer({"bootstrap.servers": settings.bootstrap, "linger.ms": 5})
    for key, value in changes.items():
        producer.produce(topics.DUPLICATES, value, key, LANE)
        producer.poll(0)
    assert producer.flush(30) == 0


def stores(settings):
    found = Stores()
    asyncio.run(catch_up(settings, Snapshots(settings), LANE, found))
    return found.duplicates


def test_what_is_read_on_from_a_copy_is_what_the_topic_says(settings):
    run = os.urandom(4).hex().encode()
    write(settings, {run + b"-%d" % n: b'{"at": 1}' for n in range(3000)})
    whole = stores(settings)
    kept = whole.copy()
    assert {key for key, _ in kept.items() if key.startswith(run)} == {run + b"-%d" % n for n in range(3000)}

    Snapshots(settings).save(kept, LANE)
    write(
        settings,
        {
            run + b"-0": None,
            run + b"-1": b'{"at":2,"verdict":"accepted"}',
            run + b"-new": b'{"at":3,"verdict":"refused"}',
        },
    )
    again = stores(settings)
    assert again.changes == 3  # only what was written since was read
    assert again.get(run + b"-0") is None
    assert again.get(run + b"-1") == Judged(2, "accepted")
    assert again.get(run + b"-new") == Judged(3, "refused")
    assert len(again) == len(whole)
    assert again.true_to == whole.true_to + 3


def test_a_copy_that_goes_beyond_the_end_is_thrown_away(settings):
    run = os.urandom(4).hex().encode()
    write(settings, {run: b'{"at": 1}'})
    whole = stores(settings)
    beyond = StateStore(topics.DUPLICATES, JudgedCodec())
    beyond.load(b"never", b"{}")
    beyond.true_to = whole.true_to + 1000
    Snapshots(settings).save(beyond, LANE)
    again = stores(settings)
    assert dict(again.items()) == dict(whole.items())
    assert again.true_to == whole.true_to
