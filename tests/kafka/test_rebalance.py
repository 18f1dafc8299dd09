"""When workers come and go, a lane that stays works on: how long documents of such lanes wait for their receipts."""

import json
import signal
import sys
import threading
import time

import pytest

from broker.relay import ids, topics
from tests.support.relay_kit import Kit, doubled

LANES, EVERY = 4, 0.1
MOST = 1.0


@pytest.fixture
def kit(kafka_bootstrap, tmp_path, unique):
    name = unique("r").replace("-", "")
    kit = Kit(kafka_bootstrap, tmp_path, partitions=LANES, **{f"{name}farm": "agency", f"{name}win": "window"})
    kit.farm, kit.win = kit.codes
    yield kit
    kit.close()


class Stream:
    """A document into every lane now and then; when each was taken by Kafka."""

    def __init__(self, kit):
        self.kit, self.sent = kit, {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _work(self):
        number = 0
        while not self._stop.wait(EVERY):
            for lane in range(LANES):
                name = f"s{number}-{lane}"
                self.kit.producer.produce(
                    topics.outbox(self.kit.farm), f"ok {self.kit.win}; #{number}".encode(), b"k", lane,
                    headers=[("ce_id", name.encode())],
                )  # fmt: skip
                self.sent[ids.message_id(self.kit.farm, name)] = (lane, time.time())
            self.kit.producer.flush(10)
            number += 1

    def longest(self, lanes, since, until):
        """The longest wait of a document of those lanes that was sent in that time."""
        told = {r.header("swb_message_id"): r.timestamp / 1000 for r in self.kit.inbox(self.kit.farm, "receipt")}
        waits = [told[m] - at for m, (lane, at) in self.sent.items() if lane in lanes and since <= at <= until]
        return round(max(waits), 2)


def held(worker):
    """Which lanes a worker was given last."""
    shares = [json.loads(line) for line in worker.log.read_text().splitlines() if '"partitions.assigned"' in line]
    return set(shares[-1]["lanes"]) if shares else set()


def works(kit, worker, count):
    kit.until(lambda: len(held(worker)) == count and worker.log.read_text().count("lane.opened") >= count, every=0.1)


@pytest.mark.parametrize("how", ["join", "leave", "kill", "freeze"])
def test_a_lane_that_stays_works_on(kit, how):
    first = kit.worker()
    works(kit, first, LANES)
    if how != "join":
        second = kit.worker()
        works(kit, second, 2)
        kit.until(lambda: len(held(first)) == 2)
    with Stream(kit) as stream:
        time.sleep(3)
        staying, calm_since = held(first), time.time() - 2
        began = time.time()
        if how == "join":
            second = kit.worker()
            kit.until(lambda: len(held(first)) == 2 and len(held(second)) == 2, every=0.1)
            staying &= held(first)
        else:
            second.send_signal({"leave": signal.SIGTERM, "kill": signal.SIGKILL, "freeze": signal.SIGSTOP}[how])
            kit.until(lambda: len(held(first)) == LANES, seconds=40, every=0.1)
        time.sleep(2)
    end = time.time()
    if how == "freeze":
        second.send_signal(signal.SIGCONT)
    kit.until(lambda: len(kit.inbox(kit.farm, "receipt")) >= len(stream.sent), seconds=40)
    calm = stream.longest(staying, calm_since, began)
    pause, moved = stream.longest(staying, began, end), stream.longest(set(range(LANES)) - staying, began, end)
    sys.stdout.write(f"{how}: {calm=} {pause=} {moved=}\n")
    assert len(staying) == 2
    assert pause < max(MOST, 3 * calm)
    payloads = kit.inbox(kit.win, "payload")
    assert not doubled(payloads)
    assert {r.header("swb_message_id") for r in payloads} == set(stream.sent)
    assert first.poll() is None
