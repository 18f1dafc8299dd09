"""A stretch of a topic, read without a group and without a trace."""

import json

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from broker import settings
from broker.kafka.offset_range import OffsetRange
from broker.model.errors import Failed
from broker.relay import ids, topics

NOTE = '<Note xmlns="urn:toy"><Number>{}</Number><Date>2026-05-04</Date><Line>Tea</Line></Note>'


@pytest.fixture
def outbox(kafka_bootstrap, unique):
    """The outbox of a participant, with six notes in two partitions, and one that was taken back."""
    name = topics.outbox(unique("toy"))
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    admin.create_topics([NewTopic(name, 2, 1)])[name].result(20)
    producer = Producer({"bootstrap.servers": kafka_bootstrap, "transactional.id": name})
    producer.init_transactions(20)
    producer.begin_transaction()
    for number in range(6):
        producer.produce(name, NOTE.format(number), partition=number % 2, headers=[("ce_id", str(number))], key=b"k")
    producer.commit_transaction(20)
    producer.begin_transaction()
    producer.produce(name, NOTE.format(99), partition=0)
    producer.flush(20)
    producer.abort_transaction(20)
    return name


def test_all_of_it_and_no_more(kafka_bootstrap, outbox):
    given = settings.load(bootstrap=kafka_bootstrap)
    found = list(OffsetRange(given, outbox))
    assert [(r.partition, r.value) for r in found] == [
        (n % 2, NOTE.format(n).encode()) for n in (0, 2, 4, 1, 3, 5)
    ]  # what was taken back is not there
    assert [r.header("ce_id") for r in found] == ["0", "2", "4", "1", "3", "5"]
    assert found[0].key == b"k"
    part = list(OffsetRange(given, outbox, partition=1, first=1, last=1))
    assert [(r.offset, r.value) for r in part] == [(1, NOTE.format(3).encode())]


def test_it_leaves_no_group_behind(kafka_bootstrap, outbox):
    list(OffsetRange(settings.load(bootstrap=kafka_bootstrap), outbox))
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    assert "swb-replay" not in [g.group_id for g in admin.list_consumer_groups().result(20).valid]


def test_replay_of_a_topic_computes_the_ids(kafka_bootstrap, outbox, toy, swb):
    code, out, _ = swb("replay", "--topic", outbox, "--bootstrap", kafka_bootstrap, "-o", "json", "--partition", "1")
    told = [json.loads(line) for line in out.splitlines()]
    sender = topics.writer_of(outbox)
    assert code == 0
    assert [t["message"]["id"] for t in told] == [ids.message_id(sender, n) for n in "135"]
    assert [t["file"] for t in told] == [f"{outbox}/1/{n}" for n in range(3)]
    assert {t["outcome"] for t in told} == {"accepted"}


def test_what_is_not_there_is_told(kafka_bootstrap, outbox, swb):
    given = settings.load(bootstrap=kafka_bootstrap)
    with pytest.raises(Failed, match="has partitions 0 to 1, not 7"):
        OffsetRange(given, outbox, partition=7)
    code, _, err = swb("replay", "--topic", "swb.no-such.outbox", "--bootstrap", kafka_bootstrap)
    assert code == 2
    assert "swb.no-such.outbox" in err
