"""The relay's plan, without Kafka: records and memory in, records out."""

import json

import pytest

from broker.relay import headers, ids, topics
from broker.relay.batch import Unfetched
from broker.relay.dispatch import plan, plan_failed
from broker.relay.records import Consumed, Place
from tests.support.lane_kit import LANE, events, kinds, response, to


def test_what_nobody_foresaw_is_a_dead_letter_and_a_notice(world):
    record = world.record(topics.outbox("aa-farm"), b"k", b"boom", ce_id="1", swb_reason="spoof", swb_claim="another's")
    with pytest.raises(ZeroDivisionError):
        plan(world.batch(), record)
    world.stores.forget()
    batch = world.batch()
    plan_failed(batch, record, "ZeroDivisionError: boom")
    written = [p for _, p in batch.out]
    (letter,) = to(written, topics.DEADLETTER)
    assert letter.value == b"boom"
    assert letter.key == b"k"
    assert letter.header("ce_id") == "1"
    assert letter.header("swb_reason") == "unforeseen: ZeroDivisionError"
    assert letter.header("swb_claim") == ""
    assert letter.header("swb_origin_offset") == "0"
    assert letter.header("swb_lane") == str(LANE)
    assert kinds(written, "aa-farm") == ["swb.notice"]
    assert to(written, topics.inbox("aa-farm"))[0].header("swb_state") == "failed"


def test_a_record_without_a_key_hops_and_nobody_is_told_before(world):
    written = world.send("aa-farm", None, b"ok xx-win", ce_id="1", swb_origin_topic="swb.bb-tax.outbox")
    message = ids.message_id("aa-farm", "1")
    (hop,) = written
    assert (hop.topic, hop.key, hop.value) == (topics.INTAKE, message.encode(), b"ok xx-win")
    assert [v for n, v in hop.headers if n == "swb_origin_topic"] == [b"swb.aa-farm.outbox"]
    after = world.work(world.again(hop, topics.INTAKE))
    payload = to(after, topics.inbox("xx-win"))[0]
    assert payload.key == message.encode()
    assert payload.header("swb_message_id") == message
    fact = json.loads(to(after, topics.FACTS)[0].value)
    assert fact["origin"] == {"topic": "swb.aa-farm.outbox", "partition": LANE, "offset": 0}


def test_a_record_without_key_and_id_keeps_its_name_over_the_hop(world):
    (hop,) = world.send("aa-farm", None, b"ok xx-win")
    after = world.work(world.again(hop, topics.INTAKE))
    name = ids.message_id("aa-farm", ids.content_id(b"ok xx-win"))
    assert to(after, topics.inbox("xx-win"))[0].header("swb_message_id") == name


@pytest.mark.parametrize("key", [b"k", None])
def test_too_large_is_refused_before_anything_else(world, key):
    content = b"ok xx-win" + b" " * 1000
    written = world.send("aa-farm", key, content, ce_id="1")
    if key is None:
        (hop,) = written
        assert hop.value == b""
        written = world.work(world.again(hop, topics.INTAKE))
    assert kinds(written, "aa-farm") == ["swb.refusal"]
    refusal = to(written, topics.inbox("aa-farm"))[0]
    assert json.loads(refusal.header("swb_findings"))[0]["code"] == "content.too-large"
    cause = ids.content_id(content)
    assert refusal.header("ce_id") == ids.broker_id(ids.message_id("aa-farm", "1"), "aa-farm", "refusal", cause)


def test_a_tombstone_is_an_empty_document(world):
    written = world.send("aa-farm", b"k", b"bad", ce_id="1")
    assert kinds(written, "aa-farm") == ["swb.refusal"]
    record = Consumed(topics.outbox("aa-farm"), LANE, 50, b"k", None, headers.encoded({"ce_id": "2"}))
    with pytest.raises(ValueError, match="not enough values"):  # the toy line; the real one refuses it
        plan(world.batch(), record)


def test_a_dead_window_makes_only_its_own_deliveries_wait(world):
    world.circuits.failed("xx-win", "missing")
    written = world.feed(world.send("aa-farm", b"k", b"ok xx-win yy-win", ce_id="1"))
    assert not to(written, topics.inbox("xx-win"))
    assert kinds(written, "yy-win") == ["swb.payload"]
    (waiting,) = to(written, topics.retry("xx-win"))
    assert waiting.partition == LANE
    assert events(written) == ["received", "waiting", "delivered"]
    assert json.loads(to(written, topics.FACTS)[0].value)["delivered"] == ["yy-win"]
    record = world.again(waiting, topics.retry("xx-win"))
    assert plan(world.batch(), record) is False
    world.clock = 10.0
    made = world.feed(world.work(record))
    (payload,) = to(made, topics.inbox("xx-win"))
    assert payload.header("ce_id") == ids.broker_id(ids.message_id("aa-farm", "1"), "xx-win", "payload", "")
    assert payload.header("swb_waiting_since") == payload.header("swb_reason") == ""
    assert events(made) == ["delivered"]
    history = world.stores.conversations.get(payload.header("swb_message_id").encode()).history
    assert history.has_delivery("xx-win")


def test_later_deliveries_of_a_waiting_key_follow_it(world):
    world.circuits.failed("xx-win", "missing")
    first = to(world.send("aa-farm", b"k", b"ok xx-win", ce_id="1"), topics.retry("xx-win"))[0]
    world.clock = 10.0  # the circuit is closed again, the first one still waits
    second = world.send("aa-farm", b"k", b"ok xx-win yy-win", ce_id="2")
    other = world.send("aa-farm", b"other", b"ok xx-win", ce_id="3")
    assert len(to(second, topics.retry("xx-win"))) == 1
    assert kinds(second, "yy-win") == kinds(other, "xx-win") == ["swb.payload"]
    for waiting in (first, to(second, topics.retry("xx-win"))[0]):
        assert kinds(world.work(world.again(waiting, topics.retry("xx-win"))), "xx-win") == ["swb.payload"]
    assert kinds(world.send("aa-farm", b"k", b"ok xx-win", ce_id="4"), "xx-win") == ["swb.payload"]


def test_what_waited_before_the_lane_opened_holds_back_everything(world):
    world.routes.reopen({"xx-win": 5})
    assert len(to(world.send("aa-farm", b"new", b"ok xx-win", ce_id="1"), topics.retry("xx-win"))) == 1
    del world.routes.backlog["xx-win"]
    assert len(to(world.send("aa-farm", b"new", b"ok xx-win", ce_id="2"), topics.retry("xx-win"))) == 1
    assert kinds(world.send("aa-farm", b"other", b"ok xx-win", ce_id="3"), "xx-win") == ["swb.payload"]


def test_an_aborted_batch_leaves_no_waiting_key_behind(world):
    world.circuits.failed("xx-win", "missing")
    record = world.record(topics.outbox("aa-farm"), b"k", b"ok xx-win", ce_id="1")
    assert plan(world.batch(), record)
    world.stores.forget()
    world.routes.forget()
    world.clock = 10.0
    assert kinds(world.work(record), "xx-win") == ["swb.payload"]


def test_an_unreadable_answer_redriven_twice_is_buried_again_once(world):
    (letter, _) = world.send("xx-win", b"a", b"<Response", ce_type="swb.answer")
    again = headers.encoded({"swb_redrive_of": "swb.deadletter/0/3"})
    redriven = Consumed(topics.INTAKE, LANE, 0, letter.key, letter.value, letter.headers + again)
    assert len(to(world.work(redriven), topics.DEADLETTER)) == 1
    second = world.work(Consumed(topics.INTAKE, LANE, 1, letter.key, letter.value, letter.headers + again))
    assert events(second) == ["redrive-repeated"]
    assert not to(second, topics.DEADLETTER)


def test_an_answer_comes_home(world, message):
    written = world.feed(world.send("xx-win", b"whatever", response(message, "03", "a1", "MRN1", "weight missing")))
    (answer,) = to(written, topics.inbox("aa-farm"))
    assert answer.key == b"k"
    assert answer.header("ce_id") == ids.broker_id(message, "xx-win", "answer", "a1")
    assert answer.header("swb_state") == "rejected"
    assert answer.header("swb_window") == "xx-win"
    assert events(written) == ["decided"]


def test_an_answer_follows_the_receipt_that_waits_for_the_sender(world):
    world.circuits.failed("aa-farm", "unauthorised")
    sent = world.feed(world.send("aa-farm", b"k", b"ok xx-win", ce_id="1"))
    message = ids.message_id("aa-farm", "1")
    world.clock = 10.0  # the sender's inbox takes records again, the receipt still waits
    answered = world.feed(world.send("xx-win", b"whatever", response(message)))
    assert not to(sent, topics.inbox("aa-farm")) + to(answered, topics.inbox("aa-farm"))
    queue = to(sent, topics.retry("aa-farm")) + to(answered, topics.retry("aa-farm"))
    home = [world.work(world.again(waiting, topics.retry("aa-farm"))) for waiting in queue]
    assert [kinds(one, "aa-farm") for one in home] == [["swb.receipt"], ["swb.answer"]]


def test_an_answer_needs_no_key_and_takes_no_hop(world, message):
    written = world.send("xx-win", None, response(message))
    assert [p.topic for p in written] == [topics.FACTS]
    assert written[0].key == message.encode()


def test_an_answer_counts_once(world, message):
    first = world.feed(world.send("xx-win", b"a", response(message)))
    again = world.feed(world.send("xx-win", b"b", response(message)))
    assert len(to(first, topics.inbox("aa-farm"))) == 1
    assert not to(again, topics.inbox("aa-farm"))


def test_the_same_answer_id_with_other_content_is_kept_and_alarmed(world, message):
    world.feed(world.send("xx-win", b"a", response(message)))
    other = world.feed(world.send("xx-win", b"a", response(message, "03")))
    assert kinds(other, "aa-farm") == kinds(other, "xx-win") == ["swb.notice"]
    assert to(other, topics.DEADLETTER)[0].header("swb_reason") == "answer-conflict"
    assert events(other) == ["answer-conflict"]


def test_an_answer_of_a_window_that_has_no_delivery_is_kept_and_does_not_count(world, message):
    written = world.feed(world.send("yy-win", b"a", response(message)))
    assert not to(written, topics.inbox("aa-farm"))
    assert to(written, topics.DEADLETTER)[0].header("swb_reason") == "answer-unmatched"


def said(own="", below="", mrn=""):
    """A window's Response as its bytes are: its own reference, ours below Declaration, the number it gives."""
    own, below = (t and f"<FunctionalReferenceID>{t}</FunctionalReferenceID>" for t in (own, below))
    inner = f"<FunctionCode>01</FunctionCode>{own}<Declaration>{below}{mrn and f'<ID>{mrn}</ID>'}</Declaration>"
    return f'<Response xmlns="urn:wco:datamodel:WCO:RES-DMS:2">{inner}</Response>'.encode()


def test_an_answer_that_names_nothing_is_a_dead_letter_at_once(world, message):
    for content in (said(), said(below="LRN-7"), said(own="W-1")):
        written = world.send("xx-win", b"a", content)
        (letter,) = to(written, topics.DEADLETTER)
        assert (letter.header("swb_reason"), letter.value) == ("answer-unmatched", content)
        assert events(written) == ["answer-unmatched"]
        assert not to(written, topics.FACTS)


def test_of_two_responses_the_one_that_names_nothing_is_kept_and_the_other_comes_home(world, message):
    both = b"<MetaData>" + said() + said("a1", message) + b"</MetaData>"
    written = world.feed(world.send("xx-win", b"a", both))
    assert [p.header("swb_reason") for p in to(written, topics.DEADLETTER)] == ["answer-unmatched"]
    assert len(to(written, topics.inbox("aa-farm"))) == 1


def test_our_id_comes_back_in_capitals_with_hyphens_or_as_the_answer_s_own_reference(world, message):
    hyphened = "-".join((message[:8], message[8:12], message[12:16], message[16:20], message[20:]))
    for number, content in enumerate(
        (said("a1", message.upper()), said("a2", hyphened), said(message, mrn="MRN1"), said(hyphened.upper()))
    ):
        written = world.feed(world.send("xx-win", b"a", content, ce_id=f"w{number}"))
        assert len(to(written, topics.inbox("aa-farm"))) == 1, number


def test_an_own_reference_that_only_looks_like_ours_leaves_the_window_s_number_to_tell(world, message):
    world.feed(world.send("xx-win", b"a", said("a1", message, "MRN1"), ce_id="w1"))
    known = world.feed(world.send("xx-win", b"a", said("0" * 31 + "1", mrn="MRN1"), ce_id="w2"))
    (home,) = to(known, topics.inbox("aa-farm"))
    assert home.header("ce_id") == ids.broker_id(message, "xx-win", "answer", "0" * 31 + "1"), (
        "it stays the answer's own id"
    )
    unknown = world.feed(world.send("xx-win", b"a", said("0" * 31 + "2", mrn="MRN2"), ce_id="w3"))
    assert events(unknown) == ["answer-waiting"]
    declared = world.feed(world.send("xx-win", b"a", said("a4", "0" * 31 + "3", "MRN1"), ce_id="w4"))
    assert events(declared) == ["answer-unmatched"]


def test_a_number_of_a_message_that_is_forgotten_matches_nothing_and_ends(world, message):
    world.feed(world.send("xx-win", b"a", said("a1", message, "MRN1"), ce_id="w1"))
    world.stores.conversations.put(message.encode(), None, LANE)
    written = world.feed(world.send("xx-win", b"a", said(message, mrn="MRN1"), ce_id="w2"))
    assert events(written) == ["answer-unmatched"]


def test_an_answer_that_cannot_be_read_is_kept(world, message):
    written = world.send("xx-win", b"a", b"<Response", ce_type="swb.answer")
    assert to(written, topics.DEADLETTER)[0].header("swb_reason") == "answer-unreadable"
    assert to(written, topics.DEADLETTER)[0].value == b"<Response"


def test_an_answer_by_number_only_waits_until_the_number_is_known(world, message):
    early = world.feed(world.send("xx-win", b"a", response("", "03", "a2", "MRN1")))
    assert events(early) == ["answer-waiting"]
    assert not to(early, topics.inbox("aa-farm"))
    later = world.feed(world.send("xx-win", b"a", response(message, "01", "a1", "MRN1")))
    assert events(later) == ["decided", "decided"]
    assert len(to(later, topics.inbox("aa-farm"))) == 2
    third = world.feed(world.send("xx-win", b"a", response("", "01", "a3", "MRN1")))
    assert events(third) == ["decided"]


def test_what_waits_for_one_number_stays_a_record_that_a_topic_takes(world):
    big = response("", "01", "a{}", "MRN9", "x" * 500).replace(
        b"</Response>", b"<!--" + b"y" * 600_000 + b"--></Response>"
    )
    told = [world.feed(world.send("xx-win", b"a", big.replace(b"a{}", b"a%d" % n))) for n in range(5)]
    assert [events(one) for one in told] == [["answer-waiting"]] * 3 + [["answer-waiting-full"]] * 2
    assert to(told[-1], topics.DEADLETTER)[0].header("swb_reason") == "answer-waiting-full"


def test_a_document_that_is_needed_is_asked_for_before_anything_is_planned(world, message):
    world.sources.clear()
    (answer,) = world.send("xx-win", b"a", response(message))
    world.sources.clear()
    batch = world.batch()
    with pytest.raises(Unfetched) as need:
        plan(batch, world.again(answer, topics.FACTS))
    assert need.value.place == Place("swb.aa-farm.outbox", LANE, 0)
    assert not batch.out


def test_what_is_not_committed_is_forgotten(world):
    record = world.record(topics.outbox("aa-farm"), b"k", b"ok xx-win", ce_id="1")
    plan(world.batch(), record)
    world.stores.forget()
    world.routes.forget()
    assert kinds(world.work(record), "xx-win") == ["swb.payload"]
