"""What an agency with rights on its own outbox can send, on the real Kafka, and a well-behaved one beside it.

The worker lives, its memory is bounded, the culprit hears of it, whoever comes behind is served, and the neighbour
waits no longer than ever.
"""

import json
import sys
import time

import pytest

from broker.kafka.lanes.claim_check import Claims
from broker.kafka.reading import read
from broker.relay import ids, topics
from tests.support.relay_kit import Kit
from tests.support.wire_kit import AnyBytes, Memory, Neighbour, notices, p95

MOST_MEMORY = 600
MOST_WAIT = 2.0
MB = 1 << 20


@pytest.fixture
def kit(kafka_bootstrap, tmp_path, unique):
    name = unique("h").replace("-", "")
    codes = {f"{name}foe": "agency", f"{name}good": "agency", f"{name}win": "window"}
    kit = Kit(kafka_bootstrap, tmp_path, partitions=4, **codes)
    kit.foe, kit.good, kit.win = kit.codes
    kit.env = {"SWB_CLAIMS": f"file://{tmp_path}/claims", "SWB_PARTITIONS": "4"}
    (tmp_path / "claims").mkdir()
    kit.settings = kit.settings.model_copy(update={"claims": kit.env["SWB_CLAIMS"]})
    yield kit
    kit.close()


@pytest.fixture
def attacked(kit):
    """Runs an attack against a worker with a neighbour beside it; what was seen."""

    def run(attack, done, *, seconds=30):
        worker = kit.worker(**kit.env)
        kit.until(lambda: worker.log.read_text().count("lane.opened") == 4, every=0.1)
        with Neighbour(kit, kit.good, kit.win) as neighbour:
            time.sleep(2)
            began = time.time()
            attack(AnyBytes(kit.bootstrap))
            found = kit.until(done, seconds)
            time.sleep(1)
            calm, waits = neighbour.waits(began)
        assert worker.poll() is None, worker.log.read_text()[-2000:]
        assert "lane.again" not in worker.log.read_text()
        assert p95(waits) < max(MOST_WAIT, 3 * p95(calm)), calm  # on a machine that is busy otherwise
        told = {"peak": round(Memory(worker).peak), "calm": round(p95(calm), 2), "p95": round(p95(waits), 2)}
        sys.stdout.write(f"{told}\n")
        assert Memory(worker).peak < MOST_MEMORY
        return found

    return run


def letters(kit):
    return kit.letters(topics.outbox(kit.foe))


def whole(kit):
    """The one dead letter with all that it claims."""
    own = topics.outbox(kit.foe)
    (kept,) = [r for r in read(kit.settings, topics.DEADLETTER) if r.header("swb_origin_topic") == own]
    return Claims(kit.settings).read(kept)


def send_good(kit, wire, name, partition=0):
    """A document of the culprit's that is as it has to be, behind what is not."""
    wire.send(topics.outbox(kit.foe), f"ok {kit.win}; #1".encode(), b"k", [(b"ce_id", name.encode())], partition)
    wire.flush()
    return ids.message_id(kit.foe, name)


def has_arrived(kit, message):
    return [r for r in kit.inbox(kit.win, "payload") if r.header("swb_message_id") == message]


def test_a_header_name_that_is_not_utf_8(kit, attacked):
    behind = ids.message_id(kit.foe, "behind")

    def attack(wire):
        content = f"ok {kit.win}; #0".encode()
        wire.send(topics.outbox(kit.foe), content, b"k", [(b"caf\xe9", b"x"), (b"ce_id", b"latin")])
        send_good(kit, wire, "behind")

    attacked(attack, lambda: has_arrived(kit, behind))
    (letter,) = letters(kit)
    assert (letter.header("swb_reason"), letter.value) == ("unreadable: header-name", f"ok {kit.win}; #0".encode())
    (notice,) = notices(kit, kit.foe, "record.unreadable")
    assert notice.header("swb_message_id") == ids.message_id(kit.foe, "latin")
    assert b"the name of a header is not UTF-8" in notice.value


@pytest.mark.parametrize("codec", ["gzip", "zstd", "lz4"])
def test_a_record_that_unpacks_to_hundreds_of_megabytes(kit, attacked, codec):
    behind = ids.message_id(kit.foe, "behind")

    def attack(wire):
        bomb = AnyBytes(kit.bootstrap, **{"compression.type": codec, "queue.buffering.max.kbytes": 2097151})
        bomb.send(topics.outbox(kit.foe), bytes(600 * MB), b"k", [(b"ce_id", b"bomb")])
        bomb.flush()
        send_good(kit, wire, "behind")

    attacked(attack, lambda: has_arrived(kit, behind), seconds=60)
    (letter,) = letters(kit)
    assert letter.header("swb_reason") == "unreadable: unpacks-too-large"
    (kept,) = [
        r for r in read(kit.settings, topics.DEADLETTER) if r.header("swb_origin_topic") == topics.outbox(kit.foe)
    ]
    assert len(Claims(kit.settings).read(kept).content) > 10_000  # the batch as it was fetched
    (notice,) = notices(kit, kit.foe, "record.unreadable")
    assert b"unpacks to more than a record may hold" in notice.value


@pytest.mark.parametrize("large", ["key", "header"])
def test_a_key_or_headers_nearly_as_large_as_a_record_may_be(kit, attacked, large):
    size, behind = 17 * MB - 1000, ids.message_id(kit.foe, "behind")

    def attack(wire):
        key, given = (b"K" * size, []) if large == "key" else (None, [(b"note", b"h" * size)])
        wire.send(topics.outbox(kit.foe), b"x", key, given)
        send_good(kit, wire, "behind")

    attacked(attack, lambda: has_arrived(kit, behind))
    (letter,) = letters(kit)
    assert letter.header("swb_reason") == f"unreadable: {large}s-too-large".replace("keys", "key")
    (kept,) = [
        r for r in read(kit.settings, topics.DEADLETTER) if r.header("swb_origin_topic") == topics.outbox(kit.foe)
    ]
    whole = Claims(kit.settings).read(kept)
    if large == "key":
        assert whole.key == b"K" * size
    else:
        assert dict(whole.headers)["note"] == b"h" * size
    assert len(notices(kit, kit.foe, "record.unreadable")) == 1


def test_a_flood_of_one_agency(kit, attacked):
    count = 60_000

    def attack(wire):
        fast = AnyBytes(kit.bootstrap, **{"queue.buffering.max.messages": 200_000, "compression.type": "lz4"})
        for n in range(count):
            fast.send(topics.outbox(kit.foe), b"bad; #%d" % n, b"%d" % n, [(b"ce_id", b"f%d" % n)], n % 2)
        fast.flush()

    def is_under_way():
        return len(kit.inbox(kit.foe, "refusal")) > 6000

    attacked(attack, is_under_way, seconds=60)


def test_records_without_any_sense(kit, attacked):
    """Null keys and values, null headers, headers of the broker's own that lie."""
    lies = {
        b"swb_claim": b"../../etc/passwd many", b"swb_message_id": None, b"swb_origin_topic": b"swb.x.outbox",
        b"swb_redrive_of": b"a/b/c", b"swb_oversize": b"-1", b"ce_type": b"swb.answer", b"nothing": None, b"": b"",
    }  # fmt: skip
    behind = ids.message_id(kit.foe, "behind")

    def attack(wire):
        for topic in (topics.outbox(kit.foe), topics.outbox(kit.win)):
            for value in (None, b"", b"\0" * 100, b"ok;", b"<Response/>"):
                for key in (None, b"", b"\xff\n\0"):
                    wire.send(topic, value, key, list(lies.items()))
                    wire.send(topic, value, key, [(b"ce_type", b"swb.writeoff"), *lies.items()])
        send_good(kit, wire, "behind")

    attacked(attack, lambda: has_arrived(kit, behind))
    told = [json.loads(r.value)["event"] for r in kit.read(topics.TRACKING)]
    assert "refused" in told or "deadletter" in told
