"""The relay's plan, without Kafka: records and memory in, records out."""

import json
from collections import defaultdict
from dataclasses import replace
from itertools import count

import pytest

from broker.catalogue import data_root
from broker.model.documents import Payload
from broker.model.findings import Finding
from broker.model.ids import ParticipantCode
from broker.model.outcomes import Outcome
from broker.model.participants import Answering, AnswerStep, Participant, Policy, Routing
from broker.registry.statuses import Meaning
from broker.registry.statuses import load as load_statuses
from broker.relay import headers, ids, topics
from broker.relay.batch import Batch, PlanContext, Unfetched
from broker.relay.circuit_breaker import CircuitBreakers
from broker.relay.delivery_routes import DeliveryRoute, DeliveryRoutes
from broker.relay.dispatch import plan, plan_failed
from broker.relay.facts import AnswerAwaited
from broker.relay.plain_notice import plain
from broker.relay.records import Consumed, Place
from broker.relay.stores import Stores
from broker.relay.tracking_view import story
from broker.settings import Settings

LANE = 1
STATES = {"01": "accepted", "02": "registered", "03": "rejected"}


def participant(code, kind):
    answers = Answering(accepted=(AnswerStep("01"),), rejected=(AnswerStep("03"),), states=STATES)
    return Participant(ParticipantCode(code), code, kind, code[:2], answers=answers)


PARTICIPANTS = {
    code: participant(code, kind)
    for code, kind in {"aa-farm": "agency", "bb-tax": "agency", "xx-win": "window", "yy-win": "window"}.items()
}


def line(message):
    """Content says what becomes of it: ``ok xx-win yy-win``, ``bad``, ``boom``."""
    word, *windows = message.content.decode().split()
    if word == "boom":
        raise ZeroDivisionError("boom")
    if word == "bad":
        return Outcome(message, None, (Finding("type.unknown", "no"),))
    routings = tuple(
        Routing(ParticipantCode(w), f"{w}-01" if w in windows else None, "" if w in windows else "not its goods")
        for w in ("xx-win", "yy-win")
    )
    return Outcome(message, "toy/one-1", (), Payload(b"<payload/>" + message.id.encode(), None), routings)


RULES = PlanContext(
    process=line,
    participants=PARTICIPANTS,
    render=plain,
    mapping_label=lambda name: f"{name}@1+00",
    meaning=lambda answer: Meaning(STATES.get(answer.function_code, ""), ""),
    statuses=load_statuses(data_root() / "mappings" / "statuses"),
    max_content=1000,
    retry_limit_ms=60_000,
)


class World:
    """A lane with its memory; what it writes to swb.facts may be fed back."""

    def __init__(self):
        self.clock, self.now = 0.0, 1_000_000
        self.rules = RULES
        self.stores = Stores()
        self.circuits = CircuitBreakers(Settings(), lambda: self.clock, lambda: 1.0)
        self.routes = DeliveryRoutes(self.circuits, 100_000)
        self.offsets = defaultdict(count)
        self.sources = {}

    def batch(self):
        return Batch(LANE, self.now, self.rules, self.stores, self.routes, self.fetched)

    def fetched(self, place):
        if place not in self.sources:
            raise Unfetched(place)
        return self.sources[place]

    def record(self, topic, key, value, **extra):
        values = {name.replace("content_type", "content-type"): text for name, text in extra.items()}
        return Consumed(topic, LANE, next(self.offsets[topic]), key, value, headers.encoded(values), self.now)

    def send(self, sender, key, value, **extra):
        record = self.record(topics.outbox(sender), key, value, **extra)
        self.sources[record.place] = value
        return self.work(record)

    def work(self, *records):
        batch = self.batch()
        for record in records:
            assert plan(batch, record)
        self.keep(records)
        return [produced for _, produced in batch.out]

    def keep(self, records):
        self.stores.keep()
        self.routes.keep({r.place for r in records})

    def feed(self, written):
        """What was written to swb.facts, worked by the same lane until nothing more comes."""
        every = list(written)
        while written:
            written = self.work(
                *(self.again(p, topics.FACTS) for p in written if p.topic == topics.FACTS),
            )
            every += written
        return every

    def again(self, produced, topic):
        return Consumed(
            topic, LANE, next(self.offsets[topic]), produced.key, produced.value, produced.headers, self.now
        )


@pytest.fixture
def world():
    return World()


def to(written, topic):
    return [p for p in written if p.topic == topic]


def kinds(written, participant):
    return [p.header("ce_type") for p in to(written, topics.inbox(participant))]


def events(written):
    return [json.loads(p.value)["event"] for p in to(written, topics.TRACKING)]


def response(reference, function="01", answer="a1", mrn="", text=""):
    error = f"<Error><Description>{text}</Description><ValidationCode>V1</ValidationCode></Error>" if text else ""
    return (
        f'<Response xmlns="urn:wco:datamodel:WCO:RES-DMS:2"><FunctionCode>{function}</FunctionCode>'
        f"<FunctionalReferenceID>{answer}</FunctionalReferenceID>{error}<Declaration>"
        f"<FunctionalReferenceID>{reference}</FunctionalReferenceID><ID>{mrn}</ID></Declaration></Response>"
    ).encode()


# --- documents --------------------------------------------------------------------------------------------------------


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


def test_a_header_that_claims_another_sender_is_a_finding(world):
    written = world.send("aa-farm", b"k", b"ok xx-win", ce_id="1", ce_source="bb-tax")
    receipt = to(written, topics.inbox("aa-farm"))[0]
    assert [f["code"] for f in json.loads(receipt.header("swb_findings"))] == ["message.source"]
    assert not to(written, topics.inbox("bb-tax"))


@pytest.mark.parametrize("source", ["aa-farm", "https://example.test/aa-farm", "our-erp", ""])
def test_a_header_that_claims_nobody_else_is_none(world, source):
    written = world.send("aa-farm", b"k", b"ok xx-win", ce_id="1", ce_source=source)
    assert to(written, topics.inbox("aa-farm"))[0].header("swb_findings") == ""


# --- the intake hop ---------------------------------------------------------------------------------------------------


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


# --- duplicates -------------------------------------------------------------------------------------------------------


def test_a_repeat_gets_the_receipt_again_under_the_same_id(world):
    first = world.feed(world.send("aa-farm", b"k", b"ok xx-win", ce_id="1"))
    again = world.feed(world.send("aa-farm", b"k", b"ok xx-win", ce_id="1"))
    assert not to(again, topics.inbox("xx-win"))
    (receipt,) = to(again, topics.inbox("aa-farm"))
    assert receipt.header("ce_id") == to(first, topics.inbox("aa-farm"))[0].header("ce_id")
    assert receipt.key == b"k"
    assert events(again) == ["repeat"]


def test_a_repeat_after_the_answer_gets_the_decision_again(world):
    world.feed(world.send("aa-farm", b"k", b"ok xx-win", ce_id="1"))
    message = ids.message_id("aa-farm", "1")
    first = world.feed(world.send("xx-win", b"any", response(message, "03", text="no"), ce_type="swb.answer"))
    again = world.feed(world.send("aa-farm", b"k", b"ok xx-win", ce_id="1"))
    assert kinds(again, "aa-farm") == ["swb.receipt", "swb.answer"]
    answer = to(again, topics.inbox("aa-farm"))[1]
    assert answer.header("ce_id") == to(first, topics.inbox("aa-farm"))[0].header("ce_id")
    assert answer.header("swb_state") == "rejected"


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


# --- waiting ----------------------------------------------------------------------------------------------------------


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


def test_after_the_limit_a_delivery_is_a_dead_letter_with_a_notice(world):
    world.circuits.failed("xx-win", "missing")
    written = world.send("aa-farm", b"k", b"ok xx-win", ce_id="1")
    world.now += 60_000
    given_up = world.work(world.again(to(written, topics.retry("xx-win"))[0], topics.retry("xx-win")))
    (letter,) = to(given_up, topics.DEADLETTER)
    assert letter.header("swb_destination") == "swb.xx-win.inbox"
    assert letter.header("swb_reason") == "missing"
    assert letter.value.startswith(b"<payload/>")
    assert kinds(given_up, "aa-farm") == ["swb.notice"]
    assert events(given_up) == ["failed"]
    redriven = Consumed(
        topics.retry("xx-win"),
        LANE,
        9,
        letter.key,
        letter.value,
        letter.headers + headers.encoded({"swb_redrive_of": "d/0/1"}),
    )
    world.clock = 100.0
    (payload,) = to(world.work(redriven), topics.inbox("xx-win"))
    assert payload.header("ce_id") == letter.header("ce_id")
    assert events(world.work(redriven)) == ["redrive-repeated"]


def test_a_waiting_delivery_that_spoils_its_plan_is_a_dead_letter_that_can_return(world):
    world.circuits.failed("xx-win", "missing")
    written = world.send("aa-farm", b"k", b"ok xx-win", ce_id="1")
    record = world.again(to(written, topics.retry("xx-win"))[0], topics.retry("xx-win"))
    batch = world.batch()
    plan_failed(batch, record, "Claim: gone")
    (letter,) = to([p for _, p in batch.out], topics.DEADLETTER)
    assert letter.header("swb_destination") == topics.inbox("xx-win")
    assert letter.header("swb_reason") == "unforeseen: Claim"
    assert letter.header("swb_waiting_since") == ""
    assert kinds([p for _, p in batch.out], "aa-farm") == ["swb.notice"]


def test_an_unreadable_answer_redriven_twice_is_buried_again_once(world):
    (letter, _) = world.send("xx-win", b"a", b"<Response", ce_type="swb.answer")
    again = headers.encoded({"swb_redrive_of": "swb.deadletter/0/3"})
    redriven = Consumed(topics.INTAKE, LANE, 0, letter.key, letter.value, letter.headers + again)
    assert len(to(world.work(redriven), topics.DEADLETTER)) == 1
    second = world.work(Consumed(topics.INTAKE, LANE, 1, letter.key, letter.value, letter.headers + again))
    assert events(second) == ["redrive-repeated"]
    assert not to(second, topics.DEADLETTER)


def test_a_delivery_that_is_too_large_is_a_dead_letter_at_once(world):
    record = world.record(topics.outbox("aa-farm"), b"k", b"ok xx-win yy-win", ce_id="1")
    world.routes.refused(record.place, topics.inbox("xx-win"), DeliveryRoute("deadletter", "too-large"))
    written = world.feed(world.work(record))
    assert kinds(written, "yy-win") == ["swb.payload"]
    assert to(written, topics.DEADLETTER)[0].header("swb_reason") == "too-large"
    assert kinds(written, "aa-farm") == ["swb.receipt", "swb.notice"]
    history = world.stores.conversations.get(ids.message_id("aa-farm", "1").encode()).history
    assert [fact.kind for fact in history.facts] == ["received", "routed", "delivered", "failed"]


def test_backoff_doubles_up_to_its_limit(world):
    waits = []
    for _ in range(12):
        world.circuits.failed("xx-win", "x")
        waits.append(world.circuits.until("xx-win") - world.clock)
        world.clock = world.circuits.until("xx-win")
    assert waits[:4] == pytest.approx([1, 2, 4, 8])
    assert waits[-1] == pytest.approx(300)
    world.circuits.worked("xx-win")
    assert world.circuits.trouble("xx-win") == ""


# --- answers ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def message(world):
    world.feed(world.send("aa-farm", b"k", b"ok xx-win", ce_id="1"))
    return ids.message_id("aa-farm", "1")


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
    assert len(to(known, topics.inbox("aa-farm"))) == 1
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


def tracked(world, message, *written):
    """The story of a message out of all that was written."""
    every = [json.loads(p.value) for batch in written for p in to(batch, topics.TRACKING)]
    return story(message, [e for e in every if e["message_id"] == message])


def test_a_late_answer_comes_home_and_never_moves_the_message_back(world):
    sent = world.feed(world.send("aa-farm", b"k", b"ok xx-win", ce_id="1"))
    message = ids.message_id("aa-farm", "1")
    heard = world.feed(world.send("xx-win", b"a", response(message, "02", "a1")))
    assert [(d["state"], d["decided"]) for d in tracked(world, message, sent, heard)["deliveries"]] == [
        ("registered", None)
    ]
    verdict = world.feed(world.send("xx-win", b"a", response(message, "01", "a2")))
    late = world.feed(world.send("xx-win", b"a", response(message, "02", "a0")))
    assert to(late, topics.inbox("aa-farm"))[0].header("swb_state") == "accepted"
    (delivery,) = tracked(world, message, sent, heard, verdict, late)["deliveries"]
    assert delivery["answers"] == 3
    assert {k: delivery["decided"][k] for k in ("state", "verdict", "function", "answer_id")} == {
        "state": "accepted",
        "verdict": "accepted",
        "function": "01",
        "answer_id": "a2",
    }


def test_a_repeat_is_told_the_standing_decision_not_the_last_thing_heard(world):
    world.feed(world.send("aa-farm", b"k", b"ok xx-win", ce_id="1"))
    message = ids.message_id("aa-farm", "1")
    world.feed(world.send("xx-win", b"a", response(message, "01", "a2")))
    world.feed(world.send("xx-win", b"a", response(message, "02", "a0")))
    again = world.feed(world.send("aa-farm", b"k", b"ok xx-win", ce_id="1"))
    told = [(p.header("ce_type"), p.header("swb_state")) for p in to(again, topics.inbox("aa-farm"))]
    assert told == [("swb.receipt", "received"), ("swb.answer", "accepted")]


def look(world, message):
    """The watchdog asks the owner to look."""
    fact = json.dumps({"at": world.now, "message_id": message}).encode()
    return world.work(world.record(topics.FACTS, message.encode(), fact, ce_type=AnswerAwaited.ce_type()))


def test_what_is_overdue_is_told_once_and_by_the_history_not_by_the_watchdog(world, message):
    assert not look(world, message)
    world.now += 2 * 3600 * 1000
    written = look(world, message)
    (notice,) = to(written, topics.inbox("aa-farm"))
    assert (notice.header("ce_type"), notice.header("swb_state")) == ("swb.notice", "overdue")
    assert events(written) == ["overdue"]
    assert not look(world, message)
    world.now += 3 * 24 * 3600 * 1000
    assert events(look(world, message)) == ["overdue", "overdue"]
    world.feed(world.send("xx-win", b"a", response(message)))
    world.now += 365 * 24 * 3600 * 1000
    assert not look(world, message)


def test_nobody_waits_for_a_message_that_is_unknown(world):
    assert not look(world, "f" * 32)


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
