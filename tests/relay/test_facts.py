"""Facts as they travel: written and read, those of release 0.1.0 too; what is newer or unknown is kept."""

import dataclasses
import json
from decimal import Decimal

import pytest

from broker.relay import facts, headers, topics
from broker.relay.dispatch import FACTS
from broker.relay.facts import to_record
from broker.relay.ledger import Grant, Line, Request
from broker.relay.records import Consumed, Place
from tests.support.world import World

MESSAGE, OTHER = "a" * 32, "b" * 32
ORIGIN = Place("swb.a.outbox", 1, 7)
REQUEST = Request(
    "r1", "pe-vuce", "C-1", "reserve", "MRN1", 1, 2, "080610", Decimal("1.5"), "KGM", "2026-06-01T00:00:00Z"
)
EXAMPLES = (
    facts.DocumentAccepted(
        at=1, message_id=MESSAGE, sender="a", document_type="sps/x-1", mapping="m@1+00", sha256="ff", key="k\xff",
        origin=ORIGIN, routed=(facts.AcceptedBy("w", "W-1"),), delivered=("w",),
    ),
    facts.DocumentAccepted(
        at=1, message_id=MESSAGE, sender="a", document_type="", mapping="", sha256="", key=None, origin=ORIGIN,
        unrouted=(facts.DeclinedBy("w", "no"),),
    ),
    facts.DocumentRepeated(at=1, message_id=MESSAGE),
    facts.PayloadDelivered(at=1, message_id=MESSAGE, window="w"),
    facts.PayloadUndelivered(at=1, message_id=MESSAGE, window="w", reason="missing"),
    facts.AnswerAwaited(at=1, message_id=MESSAGE),
    facts.AmendmentLinked(at=1, message_id=MESSAGE, amends=OTHER, relates_to="r", windows=("w",)),
    facts.NumberAssigned(at=1, message_id=MESSAGE, window="w", mrn="MRÑ1"),
    facts.NumberAssigned(at=1, message_id=MESSAGE, window="w", mrn="M", related=(OTHER,)),
    facts.NumberContested(at=1, message_id=MESSAGE, window="w", mrn="M", other=OTHER),
    facts.DocumentNamed(at=1, message_id=MESSAGE, name="a\n851\nPE-1"),
    facts.WindowAnswered(
        owner=MESSAGE.encode(), id="i", window="w", record_id="r", position=2, origin=ORIGIN, content=b"<R/>"
    ),
    facts.AmendmentSent(at=1, name="a\n851\n1", message_id=MESSAGE, relates_to="replaces 851 1"),
    facts.AmendmentFound(at=1, amended=OTHER, message_id=MESSAGE, relates_to="replaces 851 1"),
    facts.CertificateGranted(
        at=1, owner=b"C-1", grant=Grant(MESSAGE, "a", (Line(1, "KGM", Decimal(8200), ("080610",)),)), kind="851",
        document_type="sps/x", key="k", windows=("w",),
    ),
    facts.CertificateWithdrawn(at=1, owner=b"C-1", issuer="a", by=MESSAGE, kind="851"),
    facts.WriteoffRequested(owner=b"C-1", origin=ORIGIN, request=REQUEST),
)  # fmt: skip

ANSWER = next(fact for fact in EXAMPLES if isinstance(fact, facts.WindowAnswered))


def consumed(record, **more):
    kept = (*record.headers, *headers.encoded(more))
    return Consumed(record.topic, 1, 0, record.key, record.value, kept, 5)


@pytest.mark.parametrize("fact", EXAMPLES, ids=lambda fact: fact.KIND)
def test_a_fact_is_read_as_it_was_written(fact):
    record = to_record(fact, 1)
    assert record.topic == topics.FACTS
    assert record.key == fact.owner
    assert FACTS[fact.KIND].read(consumed(record)) == fact


def test_the_table_has_every_fact_once_and_an_example_stands_here_for_each():
    kinds = [fact.KIND for fact in facts.Fact.__args__]
    assert sorted(FACTS) == sorted(kinds) == sorted({fact.KIND for fact in EXAMPLES})


def written_by_0_1_0(kind, content, key=b"a" * 32, **more):
    values = {"ce_type": f"swb.fact.{kind}", **more}
    return Consumed(topics.FACTS, 1, 0, key, content, headers.encoded(values), 5)


LETTERS = {
    "accepted": (
        b"""{"v":1,"at":1,"sender":"a","sha256":"ff","document_type":"d","mapping":"m","message_id":"%b","key":"k",
        "origin":["swb.a.outbox",1,7],"routed":[{"window":"w","rule":"W-1"}],"unrouted":[],"delivered":["w"]}""",
        lambda f: (f.origin, f.routed, f.delivered) == (ORIGIN, (facts.AcceptedBy("w", "W-1"),), ("w",)),
    ),
    "no-answer": (b'{"v":1,"at":1,"message_id":"%b"}', lambda f: f.message_id == MESSAGE),
    "reference": (b'{"v":1,"at":1,"message_id":"%b","window":"w","mrn":"M"}', lambda f: f.owner == b"w\nM"),
    "related": (b'{"v":1,"at":1,"message_id":"%b","amends":"x"}', lambda f: f.amends == "x"),
}


@pytest.mark.parametrize("kind", LETTERS)
def test_what_0_1_0_wrote_is_read_on(kind):
    content, holds = LETTERS[kind]
    assert holds(FACTS[kind].read(written_by_0_1_0(kind, content % MESSAGE.encode())))


def test_an_answer_that_0_1_0_sent_on_is_read_on():
    record = written_by_0_1_0(
        "answer", b"<R/>", b"w\nMRN1", ce_id="i", swb_window="w", swb_record_id="r", swb_answer_position="2",
        swb_origin_topic="swb.a.outbox", swb_origin_partition="1", swb_origin_offset="7",
    )  # fmt: skip
    fact = FACTS["answer"].read(record)
    assert fact == dataclasses.replace(ANSWER, owner=b"w\nMRN1")
    assert fact.is_by_number


# --- what cannot be read ----------------------------------------------------------------------------------------------


ODD = {
    "fact-unknown": Consumed(topics.FACTS, 1, 3, b"k", b"{}", (("ce_type", b"swb.fact.dreamt"),)),
    "fact-newer": consumed(to_record(EXAMPLES[2], 1), swb_fact_version="9"),
    "fact-unreadable": written_by_0_1_0("accepted", b'{"at": 1}'),
}
BROKEN = [
    written_by_0_1_0("accepted", b"\x00"),
    written_by_0_1_0("accepted", b"[]"),
    written_by_0_1_0("answer", b"<R/>", swb_answer_position="x"),
    written_by_0_1_0("writeoff", b"{}"),
    consumed(to_record(EXAMPLES[2], 1), swb_fact_version="x"),
]


@pytest.mark.parametrize("reason", ODD)
def test_a_fact_that_this_release_cannot_read_is_kept_and_alarmed(reason):
    world, record = World(), ODD[reason]
    written = world.work([record])
    letter, event = written
    assert letter.topic == topics.DEADLETTER
    assert (letter.key, letter.value) == (record.key, record.value)
    assert letter.header("swb_reason") == reason
    assert json.loads(event.value)["event"] == reason


@pytest.mark.parametrize("record", BROKEN, ids=range(len(BROKEN)))
def test_nothing_that_lies_among_the_facts_stops_a_lane(record):
    letter, _ = World().work([record])
    assert letter.header("swb_reason") == "fact-unreadable"


def test_a_newer_fact_is_planned_when_it_is_redriven_by_a_release_that_knows_it():
    world = World()
    fact = dataclasses.replace(EXAMPLES[1], message_id=MESSAGE)
    again = {"swb_redrive_of": "swb.deadletter/0/7"}
    written = world.work([consumed(to_record(fact, 1), **again)])
    assert topics.CONVERSATIONS in {p.topic for p in written}
    (second,) = world.work([consumed(to_record(fact, 1), **again)])
    assert json.loads(second.value)["event"] == "redrive-repeated"
