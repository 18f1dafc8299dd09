"""The same document once, whatever key it comes under: what lanes know of each other, and what is found afterwards."""

import json
import random
from dataclasses import replace

from broker.relay import headers, ids, topics
from broker.relay.accepted_ids import AcceptedIds
from broker.relay.records import Consumed
from tests.relay.test_answers import MESSAGE, SENDER, WINDOW, codes, document, inbox
from tests.support.world import LANE, World, rules

OTHER = LANE + 2


def test_ids_are_known_with_their_lanes():
    known, lanes = AcceptedIds(), {}
    source = random.Random(7)
    for n in range(10_500):
        lanes[ids.message_id("a", str(n)).encode()] = source.randrange(12)
    for message, lane in [*lanes.items(), *lanes.items()]:
        known.add(message, lane)
    assert len(known) == 10_500
    assert {message: known.lane_of(message) for message in lanes} == lanes
    assert known.lane_of(ids.message_id("a", "never").encode()) is None


def test_a_document_that_another_lane_accepted_goes_to_that_lane_and_to_nobody_else():
    known = AcceptedIds()
    known.add(MESSAGE.encode(), OTHER)
    world = World(replace(rules(), accepted_in=known.lane_of))
    (sent_on,) = world.plan_only(SENDER, b"another key", document(), ce_id="1")
    assert (sent_on.topic, sent_on.partition) == (topics.INTAKE, OTHER)
    there = World(replace(rules(), accepted_in=known.lane_of))
    there.send(SENDER, b"k", document(), ce_id="1")
    arrived = Consumed(topics.INTAKE, LANE, 0, sent_on.key, sent_on.value, sent_on.headers, there.now)
    repeated = there.work([arrived])
    assert [p.header("ce_type") for p in repeated if p.topic == topics.inbox(SENDER)] == ["swb.receipt"]
    assert not [p for p in repeated if p.topic == topics.inbox(WINDOW)]


def test_other_content_under_an_id_that_another_lane_accepted_is_a_conflict():
    known = AcceptedIds()
    known.add(MESSAGE.encode(), OTHER)
    elsewhere = World(replace(rules(), accepted_in=known.lane_of))
    (sent_on,) = elsewhere.plan_only(SENDER, b"x", document(b"2026-PE-000999"), ce_id="1")
    there = World()
    there.send(SENDER, b"k", document(), ce_id="1")
    written = there.work([Consumed(topics.INTAKE, LANE, 0, sent_on.key, sent_on.value, sent_on.headers, there.now)])
    (refusal,) = inbox(written, SENDER, "refusal")
    assert codes(refusal) == ["message.conflict"]


def test_a_lane_judges_itself_what_it_accepted_itself():
    known = AcceptedIds()
    known.add(MESSAGE.encode(), LANE)
    world = World(replace(rules(), accepted_in=known.lane_of))
    assert inbox(world.send(SENDER, b"k", document(), ce_id="1"), WINDOW, "payload")


def at_one_moment(*contents):
    """Two lanes accept one id; their facts meet at the owner of the conversation."""
    owner, told = World(), []
    for offset, content in enumerate(contents):
        lane = World()
        lane.offsets[topics.outbox(SENDER)] = iter([offset])
        facts = [
            p
            for p in lane.plan_only(SENDER, b"%d" % offset, content, ce_id="1")
            if p.topic == topics.FACTS and p.header(headers.CE_TYPE) == "swb.fact.accepted"
        ]
        told += owner.work([Consumed(topics.FACTS, LANE, offset, p.key, p.value, p.headers, owner.now) for p in facts])
    return told


def test_what_two_lanes_took_at_one_moment_is_found_and_everybody_is_notified():
    told = at_one_moment(document(), document())
    assert codes(inbox(told, SENDER, "notice")[0]) == ["message.delivered-twice"]
    assert json.loads(inbox(told, WINDOW, "notice")[0].value)["findings"][0]["code"] == "message.delivered-twice"
    assert "accepted-twice" in [json.loads(p.value)["event"] for p in told if p.topic == topics.TRACKING]


def test_two_contents_of_one_moment_are_a_conflict():
    told = at_one_moment(document(), document(b"2026-PE-000999"))
    assert codes(inbox(told, SENDER, "notice")[0]) == ["message.conflict"]


def test_one_document_accepted_once_is_no_conflict():
    assert not inbox(at_one_moment(document()), SENDER, "notice")
