"""A document in its lane: receipt, payloads, facts; refused, repeated, in conflict."""

import json
from dataclasses import replace

import pytest

from broker.model.participants import Policy
from broker.relay import headers, ids, topics
from broker.relay.dispatch import plan_failed
from broker.relay.records import Consumed
from tests.support.lane_kit import LANE, PARTICIPANTS, RULES, events, kinds, to


def test_an_accepted_document_gives_receipt_payloads_memory_and_facts(world):
    written = world.send("aa-farm", b"k", b"ok xx-win yy-win", ce_id="1", traceparent="00-t")
    message = ids.message_id("aa-farm", "1")
    assert kinds(written, "aa-farm") == ["swb.receipt"]
    for window in ("xx-win", "yy-win"):
        (payload,) = to(written, topics.inbox(window))
        assert payload.key == b"k"
        assert payload.value == b"<payload/>" + message.encode()
        assert payload.header("ce_id") == ids.broker_id(message, window, "payload", "")
        assert payload.header("swb_message_id") == payload.header("swb_conversation_id") == message
        assert payload.header("swb_mapping") == "toy/one-1@1+00"
        assert payload.header("traceparent") == "00-t"
    assert events(written) == ["received", "delivered", "delivered"]
    (duplicate,) = to(written, topics.DUPLICATES)
    assert (duplicate.key, duplicate.partition) == (message.encode(), LANE)
    (fact,) = to(written, topics.FACTS)
    told = json.loads(fact.value)
    assert fact.key == message.encode()
    assert told["origin"] == {"topic": "swb.aa-farm.outbox", "partition": LANE, "offset": 0}
    assert told["delivered"] == ["xx-win", "yy-win"]
    assert told["sha256"] == ids.content_id(b"ok xx-win yy-win")


def test_a_document_without_an_id_is_named_by_its_content(world):
    written = world.send("aa-farm", b"k", b"ok xx-win")
    expected = ids.message_id("aa-farm", ids.content_id(b"ok xx-win"))
    assert to(written, topics.inbox("xx-win"))[0].header("swb_message_id") == expected


def test_a_refused_document_gets_the_refusal_only(world):
    written = world.send("aa-farm", b"k", b"bad", ce_id="1")
    assert kinds(written, "aa-farm") == ["swb.refusal"]
    assert events(written) == ["refused"]
    assert not to(written, topics.FACTS)
    refusal = to(written, topics.inbox("aa-farm"))[0]
    assert json.loads(refusal.header("swb_findings"))[0]["code"] == "type.unknown"
    assert refusal.header("swb_state") == "refused"


def test_a_document_no_window_takes_is_told_with_each_reason(world):
    written = world.send("aa-farm", b"k", b"ok", ce_id="1")
    assert kinds(written, "aa-farm") == ["swb.receipt", "swb.notice"]
    notice = to(written, topics.inbox("aa-farm"))[1]
    assert notice.header("swb_state") == "not_routed"
    assert [f["value"] for f in json.loads(notice.header("swb_findings"))] == ["xx-win", "yy-win"]


def test_a_header_that_claims_another_sender_is_a_finding(world):
    written = world.send("aa-farm", b"k", b"ok xx-win", ce_id="1", ce_source="bb-tax")
    receipt = to(written, topics.inbox("aa-farm"))[0]
    assert [f["code"] for f in json.loads(receipt.header("swb_findings"))] == ["message.source"]
    assert not to(written, topics.inbox("bb-tax"))


@pytest.mark.parametrize("source", ["aa-farm", "https://example.test/aa-farm", "our-erp", ""])
def test_a_header_that_claims_nobody_else_is_none(world, source):
    written = world.send("aa-farm", b"k", b"ok xx-win", ce_id="1", ce_source=source)
    assert to(written, topics.inbox("aa-farm"))[0].header("swb_findings") == ""


def test_a_repeat_gets_the_receipt_again_under_the_same_id(world):
    first = world.feed(world.send("aa-farm", b"k", b"ok xx-win", ce_id="1"))
    again = world.feed(world.send("aa-farm", b"k", b"ok xx-win", ce_id="1"))
    assert not to(again, topics.inbox("xx-win"))
    (receipt,) = to(again, topics.inbox("aa-farm"))
    assert receipt.header("ce_id") == to(first, topics.inbox("aa-farm"))[0].header("ce_id")
    assert receipt.key == b"k"
    assert events(again) == ["repeat"]


def test_a_sender_that_agreed_so_hears_nothing_of_a_repeat(world):
    quiet = replace(PARTICIPANTS["aa-farm"], policy=Policy(duplicates="ignore"))
    world.rules = replace(RULES, participants={**PARTICIPANTS, "aa-farm": quiet})
    world.feed(world.send("aa-farm", b"k", b"ok xx-win", ce_id="1"))
    again = world.feed(world.send("aa-farm", b"k", b"ok xx-win", ce_id="1"))
    assert not to(again, topics.inbox("aa-farm"))
    assert events(again) == ["repeat"]


def test_the_same_id_with_other_content_is_a_conflict(world):
    world.feed(world.send("aa-farm", b"k", b"ok xx-win", ce_id="1"))
    before = world.stores.conversations.get(ids.message_id("aa-farm", "1").encode())
    written = world.feed(world.send("aa-farm", b"k", b"ok yy-win", ce_id="1"))
    assert kinds(written, "aa-farm") == ["swb.refusal"]
    assert events(written) == ["conflict"]
    assert not to(written, topics.inbox("yy-win"))
    assert world.stores.conversations.get(ids.message_id("aa-farm", "1").encode()) == before
    again = world.feed(world.send("aa-farm", b"k", b"ok xx-win", ce_id="1"))
    assert events(again) == ["repeat"]


def test_after_a_refusal_the_same_id_is_judged_anew(world):
    world.send("aa-farm", b"k", b"bad", ce_id="1")
    written = world.send("aa-farm", b"k", b"ok xx-win", ce_id="1")
    assert kinds(written, "xx-win") == ["swb.payload"]
    assert events(world.send("aa-farm", b"k", b"bad", ce_id="1")) == ["conflict"]


def test_a_refused_document_sent_again_is_refused_under_the_same_id(world):
    first, again = (world.send("aa-farm", b"k", b"bad", ce_id="1") for _ in range(2))
    ids = {to(written, topics.inbox("aa-farm"))[0].header("ce_id") for written in (first, again)}
    assert len(ids) == 1


def test_refusals_of_different_contents_under_one_id_differ(world):
    first = world.send("aa-farm", b"k", b"bad", ce_id="1")
    second = world.send("aa-farm", b"k", b"bad too", ce_id="1")
    assert len({to(w, topics.inbox("aa-farm"))[0].header("ce_id") for w in (first, second)}) == 2


def test_a_dead_letter_is_judged_anew_once(world):
    record = world.record(topics.outbox("aa-farm"), b"k", b"ok xx-win", ce_id="1")
    batch = world.batch()
    plan_failed(batch, record, "Bug: mended since")
    world.keep([record])
    (letter,) = to([p for _, p in batch.out], topics.DEADLETTER)
    again = headers.encoded({"swb_redrive_of": "swb.deadletter/0/7"})
    redriven = Consumed(topics.INTAKE, LANE, 0, letter.key, letter.value, letter.headers + again)
    assert kinds(world.work(redriven), "xx-win") == ["swb.payload"]
    second = world.work(Consumed(topics.INTAKE, LANE, 1, letter.key, letter.value, letter.headers + again))
    assert events(second) == ["redrive-repeated"]
    assert {p.topic for p in second} == {topics.TRACKING}
