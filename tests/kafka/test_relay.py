"""The relay on the real Kafka: what it promises, with processes that are killed, halted and refused."""

import json
import random
import signal
import time

import pytest

from broker.embedded.node import EmbeddedKafka
from broker.relay import ids, topics
from tests.support.relay_kit import AUTHORIZER, Kit, alter, delete, doubled, forbid, is_in_order, permit

NUMBER = lambda record: int(record.value.rsplit(b"#", 1)[1].split(b"<")[0])  # noqa: E731


@pytest.fixture
def kit(kafka_bootstrap, tmp_path, unique):
    name = unique("t").replace("-", "")
    kit = Kit(kafka_bootstrap, tmp_path, **{f"{name}farm": "agency", f"{name}wa": "window", f"{name}wb": "window"})
    kit.farm, kit.wa, kit.wb = kit.codes
    yield kit
    kit.close()


@pytest.fixture
def kit_with_rights(tmp_path):
    """On a Kafka of its own, where rights can be taken away."""
    with EmbeddedKafka(data=tmp_path / "kafka", properties=AUTHORIZER) as kafka:
        kit = Kit(kafka.bootstrap, tmp_path, farm="agency", wa="window", wb="window")
        kit.farm, kit.wa, kit.wb = kit.codes
        yield kit
        kit.close()


def test_documents_go_through_and_answers_come_home(kit):
    kit.worker()
    both = f"ok {kit.wa} {kit.wb}; #".encode()
    for n in range(20):
        kit.send(kit.farm, b"k%d" % (n % 5), both + b"%d" % n, ce_id=f"d{n}")
    kit.send(kit.farm, b"k", b"bad; #1", ce_id="bad")
    kit.send(kit.farm, b"k", b"boom; #1", ce_id="boom")
    kit.send(kit.farm, None, f"ok {kit.wa}; #99".encode(), ce_id="keyless")
    kit.send(kit.farm, b"k", b"ok; #1", ce_id="nowhere")
    kit.flush()
    payloads = kit.until(lambda: len(found := kit.inbox(kit.wa, "payload")) == 21 and found)
    assert len(kit.inbox(kit.wb, "payload")) == 20
    assert is_in_order(payloads, NUMBER)
    own = kit.until(lambda: len(found := kit.inbox(kit.farm)) == 22 + 3 and found)
    kinds = [r.header("ce_type").removeprefix("swb.") for r in own]
    assert {k: kinds.count(k) for k in set(kinds)} == {"receipt": 22, "refusal": 1, "notice": 2}
    message = ids.message_id(kit.farm, "keyless")
    assert [r.key for r in payloads if r.header("swb_message_id") == message] == [message.encode()]

    reply = (
        '<Response xmlns="urn:wco:datamodel:WCO:RES-DMS:2"><FunctionCode>03</FunctionCode><FunctionalReferenceID>a1'
        f"</FunctionalReferenceID><Declaration><FunctionalReferenceID>{message}</FunctionalReferenceID></Declaration></Response>"
    )
    kit.send(kit.wa, b"x", reply.encode(), ce_id="r1", ce_type="swb.answer")
    kit.send(kit.wa, b"y", reply.encode(), ce_id="r2", ce_type="swb.answer")
    kit.send(kit.wb, b"x", reply.encode(), ce_id="r1", ce_type="swb.answer")
    kit.flush()
    (answer,) = kit.until(lambda: kit.inbox(kit.farm, "answer"))
    assert (answer.header("swb_window"), answer.header("swb_state")) == (kit.wa, "rejected")
    kit.until(lambda: [r for r in kit.read(topics.DEADLETTER) if r.header("swb_reason") == "answer-unmatched"])
    assert len(kit.inbox(kit.farm, "answer")) == 1


def accounted(kit, sent, windows):
    """Whether each window has each message once and no other, with order per key; the payloads of the first window."""
    assert is_in_order(kit.read(topics.outbox(kit.farm)), lambda r: int(r.value.rsplit(b"#", 1)[1])), "sent in disorder"
    for window in windows:
        payloads = kit.inbox(window, "payload")
        assert not doubled(payloads)
        assert {r.header("swb_message_id") for r in payloads} == sent
        assert is_in_order(payloads, NUMBER)
    receipts = kit.inbox(kit.farm, "receipt")
    assert not doubled(receipts)
    assert {r.header("swb_message_id") for r in receipts} == sent
    return kit.inbox(windows[0], "payload")


def stream(kit, count, keys=40, windows=None, start=0):
    """Send numbered documents; their message ids."""
    words = f"ok {' '.join(windows or (kit.wa, kit.wb))}; #".encode()
    for n in range(start, start + count):
        kit.send(kit.farm, b"key-%d" % (n % keys), words + b"%d" % n, ce_id=f"s{n}")
    kit.flush()
    return {ids.message_id(kit.farm, f"s{n}") for n in range(start, start + count)}


def test_killed_in_open_transactions_nothing_is_lost_or_doubled(kit):
    chance = random.Random(7)
    worker = kit.worker("one", SWB_TOY_HOLD="0.4", SWB_BATCH_RECORDS="60")
    sent = set()
    for n in range(8):
        sent |= stream(kit, 150, start=150 * n)
        many = chance.randint(1, 3)
        kit.until(lambda process=worker, many=many: process.holds() >= many, every=0.02)
        worker.kill()
        worker.wait()
        worker = kit.worker("one", SWB_TOY_HOLD="0.4", SWB_BATCH_RECORDS="60")
    kit.until(lambda: len(kit.inbox(kit.wb, "payload")) >= len(sent), seconds=90)
    time.sleep(1)
    accounted(kit, sent, (kit.wa, kit.wb))
    seen = len(kit.read(topics.inbox(kit.wa), "read_uncommitted"))
    assert seen > len(sent), "no kill found a transaction open; the test proves nothing"


def test_a_halted_worker_is_fenced_and_leaves(kit):
    first = kit.worker("first", SWB_TOY_HOLD="0.3", SWB_BATCH_RECORDS="20")
    sent = stream(kit, 200)
    kit.until(lambda: len(kit.inbox(kit.wa, "payload")) > 20)
    first.send_signal(signal.SIGSTOP)
    kit.worker("second")
    sent |= stream(kit, 200, start=200)
    kit.until(lambda: len(kit.inbox(kit.wb, "payload")) >= 400, seconds=60)
    first.send_signal(signal.SIGCONT)
    kit.until(lambda: first.poll() is not None)
    assert first.returncode == 3, first.log.read_text()[-2000:]
    assert '"reason":"FENCED"' in first.log.read_text()
    accounted(kit, sent, (kit.wa, kit.wb))


def test_workers_join_and_leave(kit):
    first = kit.worker()
    sent = stream(kit, 300)
    kit.until(first.has_opened, every=0.1)
    second = kit.worker()
    kit.until(second.has_opened, every=0.1)
    sent |= stream(kit, 300, start=300)
    first.terminate()
    sent |= stream(kit, 300, start=600)
    assert first.wait(20) == 0
    third = kit.worker()
    kit.until(third.has_opened, every=0.1)
    second.kill()
    sent |= stream(kit, 100, start=900)
    kit.until(lambda: len(kit.inbox(kit.wb, "payload")) >= 1000, seconds=60)
    accounted(kit, sent, (kit.wa, kit.wb))


def test_a_window_without_an_inbox_delays_nobody_and_gets_everything_in_order(kit):
    delete(kit.admin, topics.inbox(kit.wb))
    kit.worker()
    sent = stream(kit, 200, keys=7)
    kit.until(lambda: len(kit.inbox(kit.wa, "payload")) == 200)
    sent |= stream(kit, 100, keys=7, start=200)
    began = time.monotonic()
    kit.until(lambda: len(kit.inbox(kit.wa, "payload")) == 300, every=0.1)
    assert time.monotonic() - began < 5
    assert len(kit.read(topics.retry(kit.wb))) == 300
    kit.create_topics()
    sent |= stream(kit, 100, keys=7, start=300)
    kit.until(lambda: len(kit.inbox(kit.wb, "payload")) >= 400, seconds=60)
    accounted(kit, sent, (kit.wa, kit.wb))
    assert not [r for r in kit.read(topics.DEADLETTER) if r.header("swb_destination") == topics.inbox(kit.wb)]


def test_a_window_that_dies_at_work_holds_the_others_up_for_a_moment_only(kit):
    worker = kit.worker(SWB_PRODUCE_SECONDS="30")
    stream(kit, 40)
    kit.until(lambda: len(kit.inbox(kit.wb, "payload")) == len(kit.inbox(kit.wa, "payload")) == 40)
    delete(kit.admin, topics.inbox(kit.wb))
    began = time.monotonic()
    sent = stream(kit, 40, start=40)
    kit.until(lambda: len(kit.inbox(kit.wa, "payload")) == 80, every=0.1)
    assert time.monotonic() - began < 10  # the metadata said it, not the end of the patience
    assert '"reason":"UnknownTopicOrPartitionError"' in worker.log.read_text()
    kit.create_topics()
    kit.until(lambda: len(kit.inbox(kit.wb, "payload")) >= 40, seconds=60)
    late = kit.inbox(kit.wb, "payload")
    assert not doubled(late)
    assert {r.header("swb_message_id") for r in late} == sent
    assert is_in_order(late, NUMBER)


def test_a_window_whose_inbox_may_not_be_written_delays_nobody_and_gets_everything_in_order(kit_with_rights):
    kit = kit_with_rights
    worker = kit.worker()
    sent = stream(kit, 100, keys=7)
    kit.until(lambda: len(kit.inbox(kit.wb, "payload")) == 100)
    forbid(kit.admin, topics.inbox(kit.wb))
    began = time.monotonic()
    sent |= stream(kit, 100, keys=7, start=100)
    kit.until(lambda: len(kit.inbox(kit.wa, "payload")) == 200, every=0.1)
    assert time.monotonic() - began < 5
    assert worker.poll() is None
    assert '"reason":"TopicAuthorizationFailedError"' in worker.log.read_text()
    assert len(kit.inbox(kit.wb, "payload")) == 100
    permit(kit.admin, topics.inbox(kit.wb))
    sent |= stream(kit, 100, keys=7, start=200)
    kit.until(lambda: len(kit.inbox(kit.wb, "payload")) >= 300, seconds=60)
    accounted(kit, sent, (kit.wa, kit.wb))


def test_an_inbox_barred_while_a_large_batch_is_handed_over_ends_no_worker(kit_with_rights):
    kit = kit_with_rights
    forbid(kit.admin, topics.inbox(kit.wb))
    words = f"ok {kit.wb} {kit.wa}; ".encode()
    for n in range(80):  # several times what a producer sends at once
        kit.send(kit.farm, b"one", words + b"x" * 50_000 + b"#%d" % n, ce_id=f"s{n}")
    kit.flush()
    worker = kit.worker()
    kit.until(lambda: len(kit.inbox(kit.wa, "payload")) == 80, seconds=40)
    assert worker.poll() is None
    permit(kit.admin, topics.inbox(kit.wb))
    kit.until(lambda: len(kit.inbox(kit.wb, "payload")) >= 80, seconds=60)
    accounted(kit, {ids.message_id(kit.farm, f"s{n}") for n in range(80)}, (kit.wa, kit.wb))


def test_what_waits_survives_a_kill(kit):
    delete(kit.admin, topics.inbox(kit.wb))
    worker = kit.worker("one")
    sent = stream(kit, 60, keys=5)
    kit.until(lambda: len(kit.read(topics.retry(kit.wb))) == 60)
    worker.kill()
    worker.wait()
    kit.worker("one")
    sent |= stream(kit, 60, keys=5, start=60)
    kit.until(lambda: len(kit.inbox(kit.wa, "payload")) == 120)
    kit.create_topics()
    kit.until(lambda: len(kit.inbox(kit.wb, "payload")) >= 120, seconds=60)
    accounted(kit, sent, (kit.wa, kit.wb))


def test_a_delivery_that_waits_too_long_is_a_dead_letter_that_can_be_redriven_once(kit):
    delete(kit.admin, topics.inbox(kit.wb))
    kit.worker(SWB_RETRY_LIMIT_SECONDS="2")
    sent = stream(kit, 10)
    letters = kit.until(lambda: len(found := kit.letters(topics.inbox(kit.wb))) == 10 and found)
    notices = kit.until(lambda: len(found := kit.inbox(kit.farm, "notice")) == 10 and found)
    assert {r.header("swb_message_id") for r in notices} == sent
    kit.create_topics()
    for _ in range(2):
        kit.redrive(letters)
        payloads = kit.until(lambda: len(found := kit.inbox(kit.wb, "payload")) >= 10 and found)
        time.sleep(2)
    assert not doubled(payloads)
    assert {r.header("swb_message_id") for r in payloads} == sent
    assert {r.header("ce_id") for r in payloads} == {r.header("ce_id") for r in letters}
    assert not payloads[0].header("swb_redrive_of")
    tracked = [json.loads(r.value)["event"] for r in kit.read(topics.TRACKING) if r.key.decode() in sent]
    assert tracked.count("redriven") == tracked.count("redrive-repeated") == 10


def test_a_record_that_its_destination_refuses_takes_its_other_way_alone(kit):
    alter(kit.admin, topics.inbox(kit.wa), "max.message.bytes", "20000")
    kit.worker()
    sent = stream(kit, 40)
    for n in range(3):
        kit.send(kit.farm, b"key-%d" % n, f"huge {kit.wa} {kit.wb}; 50000".encode(), ce_id=f"huge{n}")
    sent |= stream(kit, 40, start=40)
    large = {ids.message_id(kit.farm, f"huge{n}") for n in range(3)}
    kit.until(lambda: len(kit.inbox(kit.wa, "payload")) >= 80 and len(kit.inbox(kit.wb, "payload")) >= 83, seconds=60)
    payloads = kit.inbox(kit.wa, "payload")
    assert {r.header("swb_message_id") for r in payloads} == sent
    assert not doubled(payloads)
    assert {r.header("swb_message_id") for r in kit.inbox(kit.wb, "payload")} == sent | large
    letters = kit.letters(topics.inbox(kit.wa))
    assert {r.header("swb_message_id") for r in letters} == large
    assert {r.header("swb_reason") for r in letters} == {"too-large"}
    assert {r.header("swb_message_id") for r in kit.inbox(kit.farm, "notice")} == large


def test_duplicates_are_known_after_a_restart(kit):
    worker = kit.worker()
    stream(kit, 20)
    kit.until(lambda: len(kit.inbox(kit.wa, "payload")) == 20)
    worker.kill()
    worker.wait()
    worker = kit.worker()
    stream(kit, 20)  # the same again
    kit.send(kit.farm, b"key-3", f"ok {kit.wa}; #3 changed".encode(), ce_id="s3")
    kit.flush()
    refusals = kit.until(lambda: kit.inbox(kit.farm, "refusal"))
    assert [f["code"] for f in json.loads(refusals[0].header("swb_findings"))] == ["message.conflict"]
    receipts = kit.until(lambda: len(found := kit.inbox(kit.farm, "receipt")) == 40 and found)
    assert len(doubled(receipts)) == 20  # the same receipts again, under the same ids
    assert len(kit.inbox(kit.wa, "payload")) == 20


def test_a_document_counts_once_whatever_key_or_partition_it_comes_under(kit):
    kit.worker()
    content = f"ok {kit.wa}; #1".encode()
    for number in range(4):
        kit.producer.produce(topics.outbox(kit.farm), content, b"key", number, headers=[("ce_id", b"once")])
        kit.flush()
        kit.until(lambda n=number: len(kit.inbox(kit.farm, "receipt")) == n + 1)
        time.sleep(0.5)  # ids travel from lane to lane within a moment of the commit
    other = f"ok {kit.wa}; #2".encode()
    kit.producer.produce(topics.outbox(kit.farm), other, b"another", 2, headers=[("ce_id", b"once")])
    kit.flush()
    (refusal,) = kit.until(lambda: kit.inbox(kit.farm, "refusal"))
    assert [f["code"] for f in json.loads(refusal.header("swb_findings"))] == ["message.conflict"]
    assert len(kit.inbox(kit.wa, "payload")) == 1
    assert len({r.header("ce_id") for r in kit.inbox(kit.farm, "receipt")}) == 1


def test_sixteen_megabytes_go_through_and_one_byte_more_is_refused(kit):
    kit.worker()
    limit = 16 << 20
    head = f"ok {kit.wa}; ".encode()
    kit.send(kit.farm, b"k", head + b"x" * (limit - len(head) - 2) + b"#1", ce_id="full")
    kit.send(kit.farm, b"k", head + b"x" * (limit - len(head) - 1) + b"#2", ce_id="over")
    kit.send(kit.farm, None, head + b"x" * (limit - len(head) - 1) + b"#3", ce_id="over-keyless")
    kit.send(kit.farm, None, head + b"x" * (limit - len(head) - 2) + b"#4", ce_id="full-keyless")
    kit.flush()
    payloads = kit.until(lambda: len(found := kit.inbox(kit.wa, "payload")) == 2 and found, seconds=60)
    assert {NUMBER(r) for r in payloads} == {1, 4}
    refusals = kit.until(lambda: len(found := kit.inbox(kit.farm, "refusal")) == 2 and found)
    assert all(json.loads(r.header("swb_findings"))[0]["code"] == "content.too-large" for r in refusals)


def test_a_static_worker_that_comes_back_with_more_participants_gets_their_topics_too(kit):
    few = ",".join(f"{code}:{kit.codes[code]}" for code in (kit.farm, kit.wa))
    worker = kit.worker("one", SWB_TOY=few)
    kit.until(worker.has_opened)
    worker.kill()
    worker.wait()
    kit.worker("one")
    sent = stream(kit, 20)
    kit.until(lambda: len(kit.inbox(kit.wb, "payload")) >= 20, seconds=60)
    accounted(kit, sent, (kit.wa, kit.wb))


def test_a_static_worker_that_comes_back_with_fewer_participants_waits_for_its_old_share_to_end(kit):
    worker = kit.worker("one")
    kit.until(worker.has_opened)
    worker.kill()
    worker.wait()
    few = ",".join(f"{code}:{kit.codes[code]}" for code in (kit.farm, kit.wa))
    worker = kit.worker("one", SWB_TOY=few)
    sent = stream(kit, 20, windows=(kit.wa,))
    kit.until(lambda: len(kit.inbox(kit.wa, "payload")) >= 20, seconds=60)
    accounted(kit, sent, (kit.wa,))
    assert "group.waits" in worker.log.read_text()
    assert worker.poll() is None


def test_a_large_delivery_waits_in_the_object_store(kit, tmp_path):
    delete(kit.admin, topics.inbox(kit.wb))
    store = tmp_path / "claims"
    store.mkdir()
    kit.worker(SWB_CLAIMS=store.as_uri(), SWB_INLINE_BYTES="100000")
    kit.send(kit.farm, b"k", f"huge {kit.wa} {kit.wb}; 3000000".encode(), ce_id="huge")
    kit.flush()
    kit.until(lambda: kit.inbox(kit.wa, "payload"))
    (waiting,) = kit.read(topics.retry(kit.wb))
    assert not waiting.value
    assert [file.stat().st_size for file in store.iterdir()] == [3_000_007]
    kit.create_topics()
    (payload,) = kit.until(lambda: kit.inbox(kit.wb, "payload"))
    assert payload.value == kit.inbox(kit.wa, "payload")[0].value
    assert not payload.header("swb_claim")


def test_a_broker_that_dies_and_comes_back_loses_and_doubles_nothing(tmp_path, unique):
    quick = {"broker.session.timeout.ms": "3000", "broker.heartbeat.interval.ms": "500"}
    with EmbeddedKafka(data=tmp_path / "kafka", properties=quick) as kafka:
        kit = Kit(kafka.bootstrap, tmp_path, farm="agency", wa="window", wb="window")
        kit.farm, kit.wa, kit.wb = kit.codes
        try:
            worker = kit.worker("one", SWB_TOY_HOLD="0.2", SWB_BATCH_RECORDS="20", SWB_STUCK_SECONDS="12")
            sent = stream(kit, 400)
            kit.until(lambda: len(kit.inbox(kit.wa, "payload")) > 0, every=0.05)
            for how, seconds in ((kafka.kill_node, 15), (kafka.stop_node, 1)):
                how(1)
                time.sleep(seconds)  # longer than a worker may be stuck: it waits for Kafka, and is not
                kafka.start_node(1)
                sent |= stream(kit, 200, start=len(sent))
            kit.until(lambda: len(kit.inbox(kit.wb, "payload")) >= len(sent), seconds=90)
            accounted(kit, sent, (kit.wa, kit.wb))
            assert worker.poll() is None
            assert "kafka.waiting" in worker.log.read_text()
        finally:
            kit.close()
