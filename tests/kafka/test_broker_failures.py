"""The relay while brokers fail: leaders that change, and a broker that can write no more."""

import resource
import time

import pytest
from confluent_kafka.admin import NewTopic

from broker.embedded.node import EmbeddedKafka
from broker.relay import ids, topics
from tests.kafka.test_relay import accounted, stream
from tests.support.relay_kit import Kit, delete

INDEX = {"log.index.size.max.bytes": "4096"}


@pytest.fixture
def kit_on(tmp_path):
    """A kit on any cluster; its workers end with the test."""
    kits = []

    def make(kafka, name=""):
        kit = Kit(kafka.bootstrap, tmp_path, **{f"{name}farm": "agency", f"{name}wa": "window", f"{name}wb": "window"})
        kit.farm, kit.wa, kit.wb = kit.codes
        kits.append(kit)
        return kit

    yield make
    for kit in kits:
        kit.close()


def test_every_leader_falls_once_and_nothing_is_lost_or_doubled(cluster3, kit_on):
    kit = kit_on(cluster3)
    kit.worker("one")
    sent = stream(kit, 200)
    kit.until(lambda: len(kit.inbox(kit.wa, "payload")) > 0, seconds=60)
    for node, how in zip((1, 2, 3), (cluster3.kill_node, cluster3.stop_node, cluster3.kill_node), strict=True):
        how(node)
        sent |= stream(kit, 100, start=len(sent))
        count = len(sent)
        kit.until(lambda count=count: len(kit.inbox(kit.wb, "payload")) >= count, seconds=90)  # two of three suffice
        cluster3.start_node(node)
    accounted(kit, sent, (kit.wa, kit.wb))


def test_a_commit_whose_marker_kafka_forgets_is_not_lost(cluster3, kit_on):
    """An inbox lives on one node, which is stopped between produce and commit, again and again."""
    kit = kit_on(cluster3, "alone")  # the cluster remembers what other tests sent
    alone = 3
    delete(kit.admin, topics.inbox(kit.wa))
    kit.admin.create_topics([NewTopic(topics.inbox(kit.wa), 4, replica_assignment=[[alone]] * 4)])[
        topics.inbox(kit.wa)
    ].result(20)
    worker = kit.worker("alone", SWB_TOY_HOLD="0.3", SWB_BATCH_RECORDS="20")
    sent = set()
    for _ in range(3):
        before = worker.holds()
        sent |= stream(kit, 150, start=len(sent))
        kit.until(lambda before=before: worker.holds() > before, every=0.02)
        cluster3.stop_node(alone)
        time.sleep(1)
        cluster3.start_node(alone)
        count = len(sent)
        kit.until(lambda count=count: len(kit.inbox(kit.wa, "payload")) >= count, seconds=90)
    accounted(kit, sent, (kit.wa, kit.wb))
    assert "transaction.left-open" in worker.log.read_text()


def test_a_broker_that_can_write_no_more_loses_and_doubles_nothing(tmp_path, kit_on):
    with EmbeddedKafka(data=tmp_path / "kafka", properties=INDEX) as kafka:
        kit = kit_on(kafka)
        kit.worker("one")
        sent = stream(kit, 200)
        kit.until(lambda: len(kit.inbox(kit.wa, "payload")) >= 100, seconds=60)
        node = kafka.nodes[0]
        largest = max(file.stat().st_size for file in node.folder.rglob("*.log"))
        resource.prlimit(node.pid, resource.RLIMIT_FSIZE, (max(largest, 100_000), resource.RLIM_INFINITY))
        words = f"ok {kit.wa} {kit.wb}; ".encode()
        for n in range(60):  # 3 MB to each window: more than any file may hold
            kit.send(kit.farm, b"key-%d" % (n % 40), words + b"x" * 50_000 + b"#%d" % (200 + n), ce_id=f"s{200 + n}")
        time.sleep(5)
        kafka.kill_node(1)  # most often it has ended by itself
        kafka.start_node(1)
        kit.flush()
        sent |= stream(kit, 60, start=200 + 60)
        sent |= {ids.message_id(kit.farm, f"s{200 + n}") for n in range(60)}
        kit.until(lambda: len(kit.inbox(kit.wb, "payload")) >= len(sent), seconds=120)
        accounted(kit, sent, (kit.wa, kit.wb))
