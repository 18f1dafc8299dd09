"""What cannot be taken as it came: a dead letter with its place, and its sender hears of it."""

import json

import pytest

from broker.relay import topics
from broker.relay.records import Consumed, WireFault
from broker.relay.unreadable import MOST_HEADER_BYTES, MOST_KEY_BYTES, plan_unreadable, too_large
from tests.support.world import LANE, World

OUTBOX = topics.outbox("pe-sunat")


@pytest.mark.parametrize(
    ("topic", "key", "given", "reason"),
    [
        (OUTBOX, b"k" * MOST_KEY_BYTES, (), ""),
        (OUTBOX, b"k" * (MOST_KEY_BYTES + 1), (), "key-too-large"),
        (OUTBOX, None, (("n", b"x" * MOST_HEADER_BYTES),), "headers-too-large"),
        (topics.FACTS, b"k" * (MOST_KEY_BYTES + 1), (), ""),
    ],
)
def test_the_limits_are_those_of_participants(topic, key, given, reason):
    assert too_large(topic, key, given) == reason


def test_it_is_kept_and_told():
    world = World()
    batch = world.batch()
    record = Consumed(OUTBOX, LANE, 7, b"k", b"bytes", (("ce_id", b"1"), ("swb_state", b"x")), world.now)
    batch.begin(record)
    plan_unreadable(batch, record, WireFault("undecodable", 9))
    written = [produced for _, produced in batch.out]
    (letter,) = [one for one in written if one.topic == topics.DEADLETTER]
    assert (letter.value, letter.header("swb_reason"), letter.header("swb_origin_offset")) == (
        b"bytes", "unreadable: undecodable", "7",
    )  # fmt: skip
    assert (letter.header("swb_origin_last"), letter.header("swb_state")) == ("9", "")
    (notice,) = [one for one in written if one.topic == topics.inbox("pe-sunat")]
    (finding,) = json.loads(notice.header("swb_findings"))
    assert (notice.header("ce_type"), finding["code"]) == ("swb.notice", "record.unreadable")
    (event,) = [json.loads(one.value) for one in written if one.topic == topics.TRACKING]
    assert (event["event"], event["origin"]) == ("deadletter", f"{OUTBOX}/{LANE}/7")
