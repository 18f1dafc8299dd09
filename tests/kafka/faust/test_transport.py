"""Faust on our transport never sees what was not committed; on its own it does, which is why ours exists."""

import asyncio
import subprocess
import sys

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

APP = """
import sys
from broker import settings
from broker.kafka.faust.app import faust_app
from broker.worker.services import run

bootstrap, group, topic, kind = sys.argv[1:]
given = settings.load(bootstrap=bootstrap)
app = faust_app(given, group)
if kind == "plain":
    from faust.transport.drivers.aiokafka import Transport
    app.transport = Transport(app.conf.broker_consumer, app, loop=app.loop)

async def see(stream):
    async for value in stream:
        print(value.decode(), file=sys.__stdout__, flush=True)

app.agent(app.topic(topic, key_type=bytes, value_type=bytes, value_serializer="raw", key_serializer="raw"))(see)
run(given, app)
"""


def write(bootstrap, topic):
    """20 committed records, 20 aborted, 20 committed."""
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": topic, "log_level": 0})
    producer.init_transactions(20)
    for batch, end in enumerate((producer.commit_transaction, producer.abort_transaction, producer.commit_transaction)):
        producer.begin_transaction()
        for n in range(20):
            producer.produce(topic, f"{'aborted' if batch == 1 else 'committed'}-{batch}-{n}")
        producer.flush(20)
        end(20)


async def seen(bootstrap, group, topic, kind, last):
    """What an agent saw until the last committed record."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", APP, bootstrap, group, topic, kind, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    found = []
    try:
        async with asyncio.timeout(40):
            while last not in found:
                line = (await process.stdout.readline()).decode().strip()
                assert line, (await process.stderr.read()).decode()[-3000:]
                found.append(line)
    finally:
        process.kill()
        await process.communicate()
    return found


@pytest.mark.parametrize(("kind", "aborted"), [("ours", 0), ("plain", 20)])
async def test_an_agent_sees_committed_records_only(kafka_bootstrap, unique, kind, aborted):
    topic = unique("faust")
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    admin.create_topics([NewTopic(topic, 1, -1)])[topic].result(20)
    write(kafka_bootstrap, topic)
    found = await seen(kafka_bootstrap, unique("group"), topic, kind, "committed-2-19")
    assert sum(line.startswith("aborted") for line in found) == aborted
    assert sum(line.startswith("committed") for line in found) == 40


async def test_what_transactions_leave_behind_holds_no_offset_back(kafka_bootstrap, unique):
    topic, group = unique("faust"), unique("group")
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    admin.create_topics([NewTopic(topic, 1, -1)])[topic].result(20)
    producer = Producer({"bootstrap.servers": kafka_bootstrap, "transactional.id": topic, "log_level": 0})
    producer.init_transactions(20)
    for count, end in ((1, producer.commit_transaction), (1, producer.abort_transaction)):
        write_some(producer, topic, count, end)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", APP, kafka_bootstrap, group, topic, "ours", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        async with asyncio.timeout(60):
            await committed(kafka_bootstrap, group, topic, 1)
            write_some(producer, topic, 3, producer.commit_transaction)  # offsets 4 to 6
            await committed(kafka_bootstrap, group, topic, 7)
    finally:
        process.kill()
        await process.communicate()


def write_some(producer, topic, count, end):
    producer.begin_transaction()
    for _ in range(count):
        producer.produce(topic, "a record")
    producer.flush(20)
    end(20)


async def committed(bootstrap, group, topic, offset):
    """Returns when the group has committed that offset."""
    client = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "log_level": 0})  # asks, and never joins
    try:
        found = None
        while found != offset:
            await asyncio.sleep(0.3)
            (found,) = [tp.offset for tp in client.committed([TopicPartition(topic, 0)], timeout=20)]
    finally:
        client.close()
