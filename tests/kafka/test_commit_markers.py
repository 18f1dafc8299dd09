"""Transactions that Kafka calls complete and leaves open (KAFKA-20734), and how a lane ends them."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError as AioKafkaError
from confluent_kafka import Consumer, KafkaError
from confluent_kafka import TopicPartition as RdTopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from broker.kafka.clients import discard, lane_producer
from broker.kafka.lanes.commit_markers import CommitMarkers, MarkerMissing
from broker.kafka.lanes.transaction_admin import TransactionAdmin, Unstable
from broker.model.errors import Failed
from broker.relay import topics
from broker.settings import Settings

LANES = iter(range(900, 1000))


class Bench:
    """A lane's producers on the cluster, and two topics: one lives on a single node, the other everywhere."""

    def __init__(self, cluster, unique):
        self.cluster = cluster
        self.settings = Settings(bootstrap=cluster.bootstrap, transaction_seconds=20, produce_seconds=10)
        self.lane = next(LANES)
        self.frail, self.firm = unique("frail"), unique("firm")
        self.producers = []
        self.transactions = TransactionAdmin(self.settings)

    async def begin(self):
        await self.transactions.start()
        admin = AdminClient({"bootstrap.servers": self.cluster.bootstrap, "log_level": 0})
        await self.transactions.told_of(topics.transactional_id(self.lane))  # Kafka makes room for it
        node = await self.transactions._client.coordinator_lookup(1, topics.transactional_id(self.lane))
        self.node = node % 3 + 1  # not the coordinator's
        new = [NewTopic(self.frail, 1, replica_assignment=[[self.node]]), NewTopic(self.firm, 1, 3)]
        for future in admin.create_topics(new).values():
            future.result(20)

    async def producer(self):
        found = lane_producer(self.settings, self.lane)
        self.producers.append(found)
        await found.start()
        return found

    async def write(self, producer, word):
        """A record to each topic, in a transaction that goes on."""
        await producer.begin_transaction()
        for topic in (self.frail, self.firm):
            await (await producer.send(topic, word.encode(), partition=0))

    async def leave_open(self):
        """A committed transaction whose marker is missing on the node that was down."""
        producer = await self.producer()
        await self.write(producer, "first")
        self.cluster.stop_node(self.node)
        await producer.commit_transaction()
        await discard(producer)
        self.cluster.start_node(self.node)

    async def open_lane(self, commit_markers):
        await commit_markers.before_fencing()
        producer = await self.producer()
        await commit_markers.after_fencing(producer)
        return producer

    async def settled(self, commit_markers):
        """A node that has just come back may not lead yet: nothing is written to what lives on it before it does."""
        async with asyncio.timeout(30):
            while await commit_markers.unsettled([self.frail]):
                await asyncio.sleep(0.1)

    def commit_markers(self):
        return CommitMarkers(self.lane, self.transactions, [self.frail, self.firm])

    async def committed(self, place):
        return (await self.transactions.committed([place]))[place]

    async def close(self):
        for producer in self.producers:
            await discard(producer)
        await self.transactions.close()

    def seen(self, topic):
        """What a reader of committed records sees."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.cluster.bootstrap, "group.id": "markers", "enable.auto.commit": False,
                "isolation.level": "read_committed", "enable.partition.eof": True,
            }
        )  # fmt: skip
        consumer.assign([RdTopicPartition(topic, 0, 0)])
        found = []
        while (record := consumer.poll(20)).error() is None:
            found.append(record.value().decode())
        consumer.close()
        assert record.error().code() == KafkaError._PARTITION_EOF, record.error().str()
        return found


@pytest.fixture
async def bench(cluster3, unique):
    made = Bench(cluster3, unique)
    try:
        await made.begin()
        yield made
    finally:
        await made.close()


async def test_kafka_leaves_out_the_marker_of_a_partition_without_leader(bench):
    """The fault that ``markers`` is there for. Where this fails, Kafka has mended it."""
    await bench.leave_open()
    assert bench.seen(bench.firm) == ["first"]
    assert bench.seen(bench.frail) == []
    producer = await bench.producer()
    await bench.write(producer, "next")
    await discard(producer)
    await discard(await bench.producer())
    assert bench.seen(bench.frail) == [], "aborted together with what came after it: lost"


async def test_what_a_commit_left_open_is_committed(bench):
    await bench.leave_open()
    commit_markers = bench.commit_markers()
    producer = await bench.open_lane(commit_markers)
    await bench.settled(commit_markers)
    assert bench.seen(bench.frail) == bench.seen(bench.firm) == ["first"]
    await bench.write(producer, "next")
    await producer.commit_transaction()
    commit_markers.expect([TopicPartition(bench.frail, 0), TopicPartition(bench.firm, 0)])
    await commit_markers.seen()
    assert bench.seen(bench.frail) == bench.seen(bench.firm) == ["first", "next"]


async def test_what_an_abort_left_open_is_aborted_and_not_written_to_before(bench):
    await bench.write(await bench.producer(), "first")
    bench.cluster.stop_node(bench.node)
    commit_markers = bench.commit_markers()
    producer = await bench.open_lane(commit_markers)  # whose fencing aborts it
    assert await commit_markers.unsettled([bench.frail]) == {bench.frail}
    bench.cluster.start_node(bench.node)
    await bench.settled(commit_markers)
    await bench.write(producer, "next")
    await producer.commit_transaction()
    assert bench.seen(bench.frail) == bench.seen(bench.firm) == ["next"]


@pytest.mark.parametrize(("is_committed", "sees"), [(True, ["first"]), (False, [])])
async def test_where_a_worker_dies_after_fencing_the_next_knows_all_the_same(bench, is_committed, sees):
    if is_committed:
        await bench.leave_open()
        await discard(await bench.producer())
    else:
        await bench.write(await bench.producer(), "first")
        bench.cluster.stop_node(bench.node)
        await discard(await bench.producer())
        bench.cluster.start_node(bench.node)
    commit_markers = bench.commit_markers()
    await bench.open_lane(commit_markers)
    await bench.settled(commit_markers)
    assert bench.seen(bench.frail) == sees


async def test_a_commit_whose_marker_is_left_out_is_not_confirmed(bench):
    commit_markers = bench.commit_markers()
    producer = await bench.open_lane(commit_markers)
    await bench.write(producer, "first")
    bench.cluster.stop_node(bench.node)
    await producer.commit_transaction()
    written = [TopicPartition(bench.frail, 0), TopicPartition(bench.firm, 0)]
    commit_markers.expect(written)
    with pytest.raises(MarkerMissing):
        await commit_markers.seen()
    bench.cluster.start_node(bench.node)
    commit_markers.expect(written)
    with pytest.raises(MarkerMissing):
        await commit_markers.seen()
    await discard(producer)
    await bench.open_lane(commit_markers)
    await bench.settled(commit_markers)
    assert bench.seen(bench.frail) == ["first"]


async def patiently(ask):
    """The answer of a cluster that is not ready yet."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await ask()
            except Unstable:
                raise
            except (Failed, AioKafkaError):
                await asyncio.sleep(0.2)


async def test_offsets_are_asked_for_again_where_another_node_coordinates_now(bench, monkeypatch):
    """librdkafka's admin client ended the whole process here."""
    client, place = bench.transactions._client, TopicPartition(bench.firm, 0)
    lookup, asked = client.coordinator_lookup, []

    async def of_before(kind, name):
        node = await lookup(kind, name)
        asked.append(node if asked else node % 3 + 1)
        return asked[-1]

    monkeypatch.setattr(client, "coordinator_lookup", of_before)
    assert await bench.committed(place) == -1
    assert asked[0] != asked[1]


@pytest.mark.parametrize(("is_committed", "stands"), [(True, 7), (False, -1)])
async def test_offsets_whose_marker_is_left_out_are_ended_too(frail_offsets, unique, is_committed, stands):
    bench = Bench(frail_offsets, unique)
    try:
        await bench.begin()
        place = TopicPartition(bench.firm, 0)
        assert await patiently(lambda: bench.committed(place)) == -1  # Kafka has made room for them
        coordinator = bench.transactions._client.coordinator_lookup
        node = await patiently(lambda: coordinator(0, topics.RELAY_GROUP))
        while node == await patiently(lambda: coordinator(1, topics.transactional_id(bench.lane))):
            frail_offsets.stop_node(node)  # the transactions find another node, the offsets do not
            frail_offsets.start_node(node)
        producer = await patiently(bench.producer)
        await producer.begin_transaction()
        await (await producer.send(bench.firm, b"first", partition=0))
        await producer.send_offsets_to_transaction({place: 7}, topics.RELAY_GROUP)
        frail_offsets.stop_node(node)
        if is_committed:
            await producer.commit_transaction()
        commit_markers = CommitMarkers(bench.lane, bench.transactions, [bench.firm])
        await bench.open_lane(commit_markers)
        frail_offsets.start_node(node)
        with pytest.raises(Unstable):
            await patiently(lambda: bench.committed(place))
        await patiently(commit_markers.end_offsets)
        await bench.open_lane(commit_markers)
        assert await patiently(lambda: bench.committed(place)) == stands
    finally:
        await bench.close()
