"""One bad topic is one bad topic: its participant's trouble, told by name, and over when the topic is back."""

import time

import pytest
from confluent_kafka.admin import NewTopic

from broker.embedded.node import EmbeddedKafka
from broker.relay import ids, topics
from tests.support.relay_kit import AUTHORIZER, Kit, delete, forbid_reading, permit
from tests.support.wire_kit import Neighbour, p95


def made(bootstrap, folder, name=""):
    kit = Kit(bootstrap, folder, **{f"{name}odd": "agency", f"{name}good": "agency", f"{name}win": "window"})
    kit.odd, kit.good, kit.win = kit.codes
    return kit


@pytest.fixture
def kit(kafka_bootstrap, tmp_path, unique):
    kit = made(kafka_bootstrap, tmp_path, unique("o").replace("-", ""))
    yield kit
    kit.close()


@pytest.fixture
def kit_with_rights(tmp_path):
    with EmbeddedKafka(data=tmp_path / "kafka", properties=AUTHORIZER) as kafka:
        kit = made(kafka.bootstrap, tmp_path)
        yield kit
        kit.close()


def sent(kit, count, name):
    for n in range(count):
        kit.send(kit.odd, b"k%d" % n, f"ok {kit.win}; #{n}".encode(), ce_id=f"{name}{n}")
    kit.flush()
    return {ids.message_id(kit.odd, f"{name}{n}") for n in range(count)}


def arrived(kit, wanted):
    return wanted <= {r.header("swb_message_id") for r in kit.inbox(kit.win, "payload")}


def come_through(kit, count, name):
    wanted = sent(kit, count, name)
    kit.until(lambda: arrived(kit, wanted), seconds=40)


def no_worse(neighbour, began):
    calm, waits = neighbour.waits(began)
    assert p95(waits) < max(2.0, 3 * p95(calm))


def test_an_outbox_that_is_missing_at_the_start_is_taken_up_when_it_comes(kit):
    delete(kit.admin, topics.outbox(kit.odd))
    worker = kit.worker()
    with Neighbour(kit, kit.good, kit.win) as neighbour:
        kit.until(lambda: kit.inbox(kit.good, "receipt"))
        log = worker.log.read_text()
        assert '"event":"topic.missing"' in log
        assert topics.outbox(kit.odd) in log
        began = time.time()
        kit.create_topics()
        come_through(kit, 8, "late")
        no_worse(neighbour, began)
    assert worker.poll() is None


def test_an_outbox_that_vanishes_and_comes_back_other_is_read_from_its_beginning(kit):
    worker = kit.worker()
    with Neighbour(kit, kit.good, kit.win) as neighbour:
        come_through(kit, 40, "first")
        began = time.time()
        delete(kit.admin, topics.outbox(kit.odd))
        time.sleep(1)
        kit.create_topics()
        come_through(kit, 12, "second")
        no_worse(neighbour, began)
    assert worker.poll() is None
    assert "lane.crashed" not in worker.log.read_text()


@pytest.mark.parametrize("partitions", [3, 6])
def test_an_outbox_with_other_partitions_is_worked_as_far_as_there_are_lanes(kit, partitions):
    name = topics.outbox(kit.odd)
    delete(kit.admin, name)
    kit.admin.create_topics([NewTopic(name, partitions, 1)])[name].result(20)
    worker = kit.worker()
    kit.until(worker.has_opened)
    with Neighbour(kit, kit.good, kit.win) as neighbour:
        began = time.time()
        for n in range(partitions):
            kit.producer.produce(name, f"ok {kit.win}; #{n}".encode(), b"k", n, headers=[("ce_id", b"p%d" % n)])
        kit.flush()
        wanted = {ids.message_id(kit.odd, f"p{n}") for n in range(min(partitions, 4))}
        kit.until(lambda: arrived(kit, wanted))
        no_worse(neighbour, began)
    log = worker.log.read_text()
    assert ('"event":"topic.partitions"' if partitions > 4 else '"event":"topic.missing"') in log
    assert name in log


def test_an_outbox_that_may_not_be_read_rests_alone(kit_with_rights):
    kit = kit_with_rights
    worker = kit.worker()
    with Neighbour(kit, kit.good, kit.win) as neighbour:
        come_through(kit, 8, "first")
        forbid_reading(kit.admin, topics.outbox(kit.odd))
        began = time.time()
        wanted = sent(kit, 8, "barred")
        kit.until(lambda: '"event":"topic.unreadable"' in worker.log.read_text())
        time.sleep(2)
        assert not arrived(kit, wanted)
        permit(kit.admin, topics.outbox(kit.odd))
        kit.until(lambda: arrived(kit, wanted), seconds=40)
        no_worse(neighbour, began)
    assert worker.poll() is None
    assert "lane.again" not in worker.log.read_text()


def test_a_window_without_inbox_and_without_queue_has_dead_letters_and_stops_nobody(kit):
    other = kit.odd  # an agency's own topics are away: its receipts cannot be written, nor wait
    worker = kit.worker()
    kit.until(worker.has_opened)
    with Neighbour(kit, kit.good, kit.win) as neighbour:
        delete(kit.admin, topics.inbox(other))
        delete(kit.admin, topics.retry(other))
        began = time.time()
        come_through(kit, 8, "x")
        letters = kit.until(lambda: len(found := kit.letters(topics.inbox(other))) >= 8 and found, seconds=40)
        assert {r.header("swb_reason").partition("-")[0] for r in letters} == {"retry"}
        no_worse(neighbour, began)
    assert worker.poll() is None
