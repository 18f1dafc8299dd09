"""A participant's rate on the real Kafka: what is over it waits, in order, and nobody else with it."""

import time

import pytest

from broker.relay import topics
from tests.support.relay_kit import Kit, doubled

RATE, DOCUMENTS = 6, 9


@pytest.fixture
def kit(kafka_bootstrap, tmp_path, unique):
    name = unique("p").replace("-", "")
    kinds = {f"{name}farm": "agency", f"{name}slow": f"window:{RATE}", f"{name}free": "window"}
    kit = Kit(kafka_bootstrap, tmp_path, **kinds)
    kit.farm, kit.slow, kit.free = kit.codes
    yield kit
    kit.close()


def test_within_a_minute_a_window_gets_no_more_than_was_agreed_and_then_the_rest(kit):
    kit.worker()
    for n in range(DOCUMENTS):
        kit.send(kit.farm, b"%d" % n, f"ok {kit.slow} {kit.free}; {n}".encode(), ce_id=str(n))
    kit.flush()
    kit.until(lambda: len(kit.inbox(kit.free, "payload")) == DOCUMENTS)
    began = time.monotonic()
    assert len(kit.inbox(kit.slow, "payload")) == RATE
    assert len(kit.read(topics.retry(kit.slow))) == DOCUMENTS - RATE
    payloads = kit.until(lambda: len(found := kit.inbox(kit.slow, "payload")) == DOCUMENTS and found, seconds=90)
    assert time.monotonic() - began > 45
    assert not doubled(payloads)
    assert kit.letters(topics.inbox(kit.slow)) == []
