"""The documents of the demo, and what is heard of each."""

import json

from broker.cli._scene import Ears, Sent, read_scene
from broker.paths import data_root
from broker.registry.statuses import load
from broker.relay import topics
from tests.support.cli_kit import record

STATES = load(data_root() / "mappings/statuses").states


def sent():
    return Sent("a", "aa-farm", b"x", "accepted", "demo-1", at=1_000)


def heard(one, *events, **answers):
    ears, key = Ears([one]), one.message_id.encode()
    for event in events:
        ears.hear(record(topics.TRACKING, key, json.dumps(event).encode()))
    for window, state in answers.items():
        given = {"ce_type": "swb.answer", "swb_window": window, "swb_state": state, "swb_message_id": one.message_id}
        ears.hear(record(topics.inbox("aa-farm"), b"k", b"", timestamp=3_000, **given))
    given = {"ce_type": "swb.receipt", "swb_message_id": one.message_id}
    ears.hear(record(topics.inbox("aa-farm"), b"k", b"", timestamp=1_500, **given))
    return one


RECEIVED = {"event": "received", "routed": [{"window": "x"}, {"window": "y"}]}


def test_a_document_is_done_when_every_window_has_decided():
    one = heard(sent(), RECEIVED, x="accepted")
    assert (one.is_done(STATES), one.outcome(STATES), one.receipt) == (False, "", 500)
    assert heard(sent(), RECEIVED, x="accepted", y="accepted").outcome(STATES) == "accepted"
    assert heard(sent(), RECEIVED, x="accepted", y="rejected").outcome(STATES) == "partly"
    assert heard(sent(), RECEIVED, x="rejected", y="rejected").outcome(STATES) == "rejected"


def test_what_is_heard_of_others_says_nothing():
    one, other = sent(), Sent("b", "aa-farm", b"y", "accepted", "demo-2")
    Ears([one]).hear(record(topics.TRACKING, other.message_id.encode(), json.dumps(RECEIVED).encode()))
    assert (one.is_routed, one.windows) == (False, {})


def test_the_scene_is_of_three_families_and_each_run_has_ids_of_its_own():
    first, second = (read_scene(data_root() / "mappings", run) for run in ("1", "2"))
    assert len(first) >= 12
    assert {one.message_id for one in first}.isdisjoint(one.message_id for one in second)
    assert {one.record.topic for one in first} == {topics.outbox(one.sender) for one in first}
