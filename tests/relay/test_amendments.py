"""Amendments in the relay's plan: real documents of our own samples, no Kafka."""

from datetime import UTC, datetime

import pytest

from broker.answers.wco_response import read
from broker.relay import ids
from broker.relay.facts import AmendmentSent
from broker.relay.records import Consumed
from broker.windows.decide import windows
from broker.windows.respond import reply
from tests.support.certificates import document, original, to
from tests.support.world import LANE, World, catalogue, rules


@pytest.fixture
def world():
    return World()


def payloads(written):
    return {p.topic: p.header("swb_message_id") for p in written if p.header("ce_type") == "swb.payload"}


def ident(ce_id):
    return ids.message_id("ec-agrocalidad", ce_id)


def test_a_replacement_reaches_the_windows_that_got_the_original(world):
    sent = world.send("ec-agrocalidad", b"k", original(), ce_id="1")
    assert set(payloads(sent)) == {"swb.pe-vuce.inbox", "swb.sg-tradenet.inbox"}
    replaced = world.send("ec-agrocalidad", b"k", document("replacement"), ce_id="2")
    assert payloads(replaced) == {"swb.sg-tradenet.inbox": ident("2"), "swb.pe-vuce.inbox": ident("2")}
    (brought,) = to(replaced, "swb.pe-vuce.inbox")
    assert brought.header("swb_relates_to") == "replaces 851 2026-PE-000417"
    assert brought.key == b"k"
    assert brought.value == to(replaced, "swb.sg-tradenet.inbox")[0].value
    assert {(f.kind, f.relation, f.conversation) for f in world.history(ident("2")).facts if f.kind == "related"} == {
        ("related", "amends", ident("1"))
    }
    assert [f.relation for f in world.history(ident("1")).facts if f.kind == "related"] == ["amended_by"]
    assert set(world.history(ident("2")).windows()) == {"pe-vuce", "sg-tradenet"}


def test_a_withdrawal_under_the_same_number_finds_its_original_and_not_itself(world):
    world.send("ec-agrocalidad", b"k", original(), ce_id="1")
    gone = world.send("ec-agrocalidad", b"k", document("withdrawn"), ce_id="2")
    assert to(gone, "swb.pe-vuce.inbox")[0].header("swb_relates_to") == "withdraws 851 2026-PE-000417"


def test_an_answer_to_a_brought_amendment_counts(world):
    world.send("ec-agrocalidad", b"k", original(), ce_id="1")
    replaced = world.send("ec-agrocalidad", b"k", document("replacement"), ce_id="2")
    (brought,) = to(replaced, "swb.pe-vuce.inbox")
    home = rules().render
    at = datetime(2026, 6, 1, tzinfo=UTC)
    record = reply(windows(catalogue())["pe-vuce"], brought.value, home.pointers, at)[-1]
    answered = world.send("pe-vuce", record.key, record.content, ce_id=record.id)
    (told,) = to(answered, "swb.ec-agrocalidad.inbox", "answer")
    assert told.header("swb_message_id") == ident("2")
    assert read(record.content, "pe-vuce", "r")[0].reference == ident("2")


def test_an_amendment_that_comes_before_its_original_waits_for_it(world):
    early = world.send("ec-agrocalidad", b"k", document("replacement"), ce_id="2")
    assert set(payloads(early)) == {"swb.sg-tradenet.inbox"}
    late = world.send("ec-agrocalidad", b"k", original(), ce_id="1")
    assert (to(late, "swb.pe-vuce.inbox")[-1].header("swb_message_id")) == ident("2")
    assert [p.header("swb_message_id") for p in to(late, "swb.pe-vuce.inbox")] == [ident("1"), ident("2")]


def test_the_same_number_of_another_sender_is_another_document(world):
    world.send("co-ica", b"k", original(), ce_id="1")
    replaced = world.send("ec-agrocalidad", b"k", document("replacement"), ce_id="2")
    assert set(payloads(replaced)) == {"swb.sg-tradenet.inbox"}


def test_an_amendment_told_again_is_delivered_once(world):
    world.send("ec-agrocalidad", b"k", original(), ce_id="1")
    replaced = world.send("ec-agrocalidad", b"k", document("replacement"), ce_id="2")
    again = [p for p in replaced if p.header("ce_type") == AmendmentSent.ce_type()]
    written = world.work([Consumed(p.topic, LANE, 99, p.key, p.value, p.headers, world.now) for p in again])
    assert not payloads(written)
