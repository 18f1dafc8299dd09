"""Facts that workers of release 0.1.0 left behind, moved on the real Kafka: each once, in order, at its lane."""

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from broker.kafka.admin import topics as admin
from broker.kafka.admin.upgrade import move_facts, refuse_leftovers
from broker.kafka.reading import read
from broker.model.errors import Misconfigured
from broker.relay import topics
from broker.settings import Settings

OLD = topics.FACTS_OF_0_1
HEADERS = [("ce_type", b"swb.fact.repeat"), ("odd", None)]


def test_what_0_1_0_left_is_moved_once_with_its_order_and_headers(kafka_bootstrap):
    settings = Settings(bootstrap=kafka_bootstrap, partitions=4)
    admin.create(settings, {})
    client = AdminClient({"bootstrap.servers": kafka_bootstrap})
    for future in client.create_topics([NewTopic(OLD, 4, 1)]).values():
        future.result(20)
    admin.unled(client, {OLD: 4}, 20)
    refuse_leftovers(settings)  # an empty topic keeps nobody from starting
    producer = Producer({"bootstrap.servers": kafka_bootstrap})
    for n in range(40):
        producer.produce(OLD, b"%d" % n, b"k%d" % (n % 4), n % 4, headers=HEADERS)
    assert producer.flush(20) == 0
    done = Consumer({"bootstrap.servers": kafka_bootstrap, "group.id": topics.RELAY_GROUP})
    done.commit(offsets=[TopicPartition(OLD, 1, 4)], asynchronous=False)  # these four were worked on before
    done.close()
    with pytest.raises(Misconfigured, match="36 records"):
        refuse_leftovers(settings)

    assert move_facts(settings) == 36
    refuse_leftovers(settings)
    assert move_facts(settings) == 0

    moved = [r for r in read(settings, topics.FACTS) if r.headers == tuple(HEADERS)]
    for lane in range(4):
        expected = [b"%d" % n for n in range(40) if n % 4 == lane][4 if lane == 1 else 0 :]
        assert [r.value for r in moved if r.partition == lane] == expected
    assert {(r.key, r.partition) for r in moved} == {(b"k%d" % lane, lane) for lane in range(4)}
