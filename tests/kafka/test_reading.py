"""Records read from outside the relay: what comes while a reader begins is not missed."""

import time

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from broker import settings
from broker.kafka import reading
from broker.kafka.admin import topics as admin
from broker.relay.records import Produced


def test_who_watches_from_a_moment_on_misses_nothing_that_comes_while_it_begins(kafka_bootstrap, unique, monkeypatch):
    given, topic = settings.load(bootstrap=kafka_bootstrap), unique("watched")
    client = AdminClient({"bootstrap.servers": kafka_bootstrap, "log_level": 0})
    client.create_topics([NewTopic(topic, 4)])[topic].result(20)
    places = reading._places

    def meanwhile(*arguments):
        found = places(*arguments)
        reading.write(given, [Produced(topic, b"%d" % n, b"") for n in range(8)])
        return found

    monkeypatch.setattr(reading, "_places", meanwhile)
    keys, until = set(), time.monotonic() + 20
    for record in reading.watch(given, [topic], time.time_ns() // 1_000_000):
        if record is not None:
            keys.add(record.key)
        if len(keys) == 8 or time.monotonic() > until:
            break
    assert keys == {b"%d" % n for n in range(8)}


def test_topics_take_records_once_they_are_made(kafka_bootstrap, unique):
    given = settings.load(bootstrap=kafka_bootstrap, partitions=4)
    admin.create(given, ())
    made = admin.create(given, [unique("t").replace("-", "") for _ in range(8)])
    client = AdminClient({"bootstrap.servers": kafka_bootstrap, "log_level": 0})
    asked = {TopicPartition(name, number): OffsetSpec.latest() for name in made for number in range(4)}
    assert {tp for tp, found in client.list_offsets(asked).items() if found.exception()} == set()
    client.delete_topics(made)
