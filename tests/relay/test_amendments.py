"""Amendments and write-off in the relay's plan: real documents of our own samples, no Kafka."""

import json
from datetime import UTC, datetime

import pytest

from broker.answers.wco_response import read
from broker.paths import data_root
from broker.relay import ids, topics
from broker.relay.facts import AmendmentSent
from broker.relay.records import Consumed
from broker.windows.decide import windows
from broker.windows.respond import reply
from tests.support.world import LANE, World, catalogue, rules

SAMPLES = data_root() / "mappings" / "documents" / "sps" / "sps-certificate-17" / "samples"


@pytest.fixture
def world():
    return World()


def document(name):
    return (SAMPLES / f"{name}.xml").read_bytes()


def original() -> bytes:
    """The certificate that the samples replace and withdraw: the withdrawn one, as it was issued."""
    issued = document("withdrawn")
    assert issued.count(b">40<") == 1
    return issued.replace(b">40<", b">70<")


def to(written, topic, kind="payload"):
    return [p for p in written if p.topic == topic and p.header("ce_type") == f"swb.{kind}"]


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


# --- write-off --------------------------------------------------------------------------------------------------------


def ask(world, operation, quantity, request_id, window="sg-tradenet", **more):
    request = {
        "id": request_id, "window": "somebody-else", "certificate": "2026-PE-000417", "operation": operation,
        "mrn": "SG26-1", "item": 1, "line": 1, "code": "080610", "quantity": quantity, "unit": "KGM", **more,
    }  # fmt: skip
    written = world.send(window, None, json.dumps(request).encode(), ce_type="swb.writeoff", ce_id=request_id)
    (notice,) = to(written, topics.inbox(window), "notice")
    return json.loads(notice.value), notice


def test_a_window_reserves_and_uses_up_what_a_certificate_grants(world):
    world.send("ec-agrocalidad", b"k", original(), ce_id="1")
    done, notice = ask(world, "reserve", "8000", "r1")
    assert (done["is_done"], done["available"], done["reserved"]) == (True, "200", "8000")
    assert notice.header("content-type") == "application/json"
    too_much, _ = ask(world, "reserve", "200.000001", "r2", "pe-vuce")
    assert (too_much["is_done"], too_much["reason"]) == (False, "05")
    used, _ = ask(world, "consume", "8000", "r3")
    assert (used["reserved"], used["consumed"], used["available"]) == ("0", "8000", "200")


def test_a_repeated_request_gets_the_same_notice_and_changes_nothing(world):
    world.send("ec-agrocalidad", b"k", original(), ce_id="1")
    first = ask(world, "reserve", "8000", "r1")
    again = ask(world, "reserve", "8000", "r1")
    assert first[0] == again[0]
    assert first[1].header("ce_id") == again[1].header("ce_id")


def test_two_windows_may_use_the_same_request_id(world):
    world.send("ec-agrocalidad", b"k", original(), ce_id="1")
    assert ask(world, "reserve", "1", "r1")[0]["is_done"]
    other, _ = ask(world, "reserve", "1", "r1", "pe-vuce")
    assert (other["is_done"], other["available"]) == (True, "8198")


def test_a_withdrawn_certificate_grants_nothing_more(world):
    world.send("ec-agrocalidad", b"k", original(), ce_id="1")
    world.send("ec-agrocalidad", b"k", document("withdrawn"), ce_id="2")
    assert ask(world, "reserve", "1", "r1")[0]["reason"] == "04"


def test_nobody_else_can_withdraw_or_grant_again_a_certificate(world):
    world.send("ec-agrocalidad", b"k", original(), ce_id="1")
    written = world.send("co-ica", b"k", original(), ce_id="1")
    events = [json.loads(p.value)["event"] for p in written if p.topic == topics.TRACKING]
    assert "writeoff-conflict" in events
    world.send("co-ica", b"k", document("withdrawn"), ce_id="2")
    assert ask(world, "reserve", "8200", "r1")[0]["is_done"]
    assert not ask(world, "reserve", "1", "r2")[0]["is_done"]


def test_a_request_that_cannot_be_read_is_kept_and_the_window_is_told(world):
    written = world.send("sg-tradenet", None, b'{"operation": "take"}', ce_type="swb.writeoff")
    (notice,) = to(written, "swb.sg-tradenet.inbox", "notice")
    said = json.loads(notice.value)
    assert not said["is_done"]
    assert {f["value"] for f in said["findings"]} >= {"operation", "certificate"}
    (dead,) = [p for p in written if p.topic == topics.DEADLETTER]
    assert dead.header("swb_reason") == "writeoff-unreadable"


def test_an_agency_cannot_ask(world):
    written = world.send("ec-agrocalidad", b"k", b"{}", ce_type="swb.writeoff")
    assert not [p for p in written if p.topic == topics.FACTS]
