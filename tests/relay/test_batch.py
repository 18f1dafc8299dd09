"""A batch: what follows from each record, in order, and no more than one record may cause."""

import json

import pytest

from broker.model.findings import Finding
from broker.relay import headers, topics
from broker.relay.batch import Batch, places
from broker.relay.facts import PayloadDelivered
from broker.relay.limits import CAUSED_RECORDS, OverBudget
from broker.relay.records import Consumed, Produced
from tests.support.world import LANE, World

RECORD = Consumed(topics.outbox("aa"), LANE, 4, b"k", b"x", headers.encoded({"traceparent": "00-t"}), 5)


@pytest.fixture
def batch() -> Batch:
    made = World().batch()
    made.begin(RECORD)
    return made


def test_what_is_written_knows_the_record_it_comes_from(batch):
    batch.write(Produced("t", b"k", b"v"))
    assert [(source, one.topic) for source, one in batch.out] == [(RECORD, "t")]


def test_a_fact_goes_to_its_owner(batch):
    fact = PayloadDelivered(at=1, message_id="m" * 32, window="xx")
    batch.send_fact(fact)
    ((_, record),) = batch.out
    assert (record.topic, record.key, record.header("ce_type")) == (topics.FACTS, b"m" * 32, fact.ce_type())
    assert PayloadDelivered.decoded(Consumed(record.topic, 0, 0, record.key, record.value, record.headers)) == fact


def test_an_event_has_a_derived_id_and_leaves_out_what_is_empty(batch):
    batch.emit_event("delivered", "m" * 32, window="xx", reason="")
    batch.emit_event("delivered", "m" * 32, window="xx", reason="")
    (first, second) = (one for _, one in batch.out)
    assert first.header("ce_id") == second.header("ce_id")
    assert set(json.loads(first.value)) == {"v", "event", "at", "message_id", "conversation_id", "window"}


def test_a_dead_letter_says_what_was_wrong_where(batch):
    batch.dead_letter(Produced("swb.xx.inbox", b"k", b"v", (("swb_reason", b"forged"), ("own", b"1"))), "too-large")
    ((_, letter),) = batch.out
    assert (letter.topic, letter.value, letter.header("own")) == (topics.DEADLETTER, b"v", "1")
    assert [letter.header(f"swb_{name}") for name in ("reason", "destination", "origin_offset")] == [
        "too-large", "swb.xx.inbox", "4",
    ]  # fmt: skip


def test_one_record_causes_no_more_than_it_may(batch):
    for _ in range(CAUSED_RECORDS):
        batch.write(Produced("t", b"k", b""))
    with pytest.raises(OverBudget):
        batch.write(Produced("t", b"k", b""))
    batch.begin(RECORD)
    batch.write(Produced("t", b"k", b""))


def test_tracking_holds_places_and_no_value():
    (found,) = places((Finding("A-1", "no", pointer="/a", value="secret"), Finding("A-2")), limit=1)
    assert found == {"code": "A-1", "severity": "error", "pointer": "/a", "line": None}
