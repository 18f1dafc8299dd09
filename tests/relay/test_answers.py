"""Both sides hold the same truth: where a window contradicts itself, it and the sender are notified of it."""

import json

import pytest

from broker.paths import data_root
from broker.relay import ids, topics
from tests.support.world import World

SAMPLES = data_root() / "mappings" / "documents" / "sps" / "sps-certificate-17" / "samples"
SENDER, OTHER, WINDOW = "ec-agrocalidad", "co-ica", "pe-vuce"
MESSAGE, SECOND = ids.message_id(SENDER, "1"), ids.message_id(OTHER, "1")
MINUTE = 60_000


@pytest.fixture
def world():
    made = World()
    made.send(SENDER, b"k", document(), ce_id="1")
    made.now += MINUTE
    return made


def document(number=b"2026-PE-000417"):
    return (SAMPLES / "withdrawn.xml").read_bytes().replace(b">40<", b">70<").replace(b"2026-PE-000417", number)


def response(answer, function, reference=MESSAGE, mrn="", issued=""):
    parts = {
        "FunctionCode": function,
        "FunctionalReferenceID": answer,
        "IssueDateTime": issued and f"<DateTimeString>{issued}</DateTimeString>",
        "Declaration": (f"<FunctionalReferenceID>{reference}</FunctionalReferenceID>" if reference else "")
        + (f"<ID>{mrn}</ID>" if mrn else ""),
    }
    return f"<Response>{''.join(f'<{n}>{text}</{n}>' for n, text in parts.items() if text)}</Response>".encode()


def answered(world, *given, **more):
    world.now += MINUTE
    return world.send(WINDOW, b"k", response(*given, **more), ce_id=given[0] + str(world.now))


def inbox(written, participant, kind):
    return [p for p in written if p.topic == topics.inbox(participant) and p.header("ce_type") == f"swb.{kind}"]


def codes(record):
    return [f["code"] for f in json.loads(record.header("swb_findings"))]


def last_state(world, sender=SENDER):
    """What the sender's inbox says last of where its message stands at the window."""
    told = [p for p in world.written if p.topic == topics.inbox(sender) and p.header("swb_window") == WINDOW]
    return told[-1].header("swb_state")


def at_window(world, message=MESSAGE):
    return next(w for w in world.state(message).windows if w.window == WINDOW)


def test_an_answer_id_used_twice_is_a_conflict_of_which_both_sides_hear_and_hold_the_same_state(world):
    answered(world, "DECL-77", "01")
    assert last_state(world) == at_window(world).state == "accepted"
    written = answered(world, "DECL-77", "03")
    (notice,) = inbox(written, SENDER, "notice")
    assert codes(notice) == ["answer.conflict"]
    (own,) = inbox(written, WINDOW, "notice")
    assert json.loads(own.value)["findings"][0]["code"] == "answer.conflict"
    assert own.header("swb_state") == "conflict"
    assert last_state(world) == at_window(world).state == "rejected"


def test_a_number_given_to_two_messages_is_a_conflict_and_leads_nowhere_any_more(world):
    world.send(OTHER, b"k", document(b"2026-PE-000555"), ce_id="1")
    answered(world, "m1", "02", mrn="PE-1")
    written = answered(world, "m2", "02", reference=SECOND, mrn="PE-1")
    assert [codes(p) for p in inbox(written, SENDER, "notice")] == [["answer.number"]]
    assert [codes(p) for p in inbox(written, OTHER, "notice")] == [["answer.number"]]
    assert {p.header("swb_message_id") for p in inbox(written, WINDOW, "notice")} == {MESSAGE, SECOND}
    alone = answered(world, "m3", "03", reference="", mrn="PE-1")
    assert not inbox(alone, SENDER, "answer") + inbox(alone, OTHER, "answer")
    assert [p.header("swb_reason") for p in alone if p.topic == topics.DEADLETTER] == ["answer-ambiguous"]
    assert not inbox(answered(world, "m4", "02", mrn="PE-1"), SENDER, "notice"), "each is notified once"


def test_an_amendment_may_have_the_number_of_what_it_amends(world):
    replacement = (SAMPLES / "replacement.xml").read_bytes()
    world.send(SENDER, b"k", replacement, ce_id="2")
    amendment = ids.message_id(SENDER, "2")
    answered(world, "m1", "01", mrn="PE-1")
    written = answered(world, "m2", "01", reference=amendment, mrn="PE-1")
    assert not inbox(written, SENDER, "notice")
    alone = answered(world, "m3", "03", reference="", mrn="PE-1")
    assert [p.header("swb_message_id") for p in inbox(alone, SENDER, "answer")] == [amendment]


@pytest.mark.parametrize(
    ("issued", "code"), [("20991231000000Z", "answer.future"), ("20250101000000Z", "answer.before-delivery")]
)
def test_a_decision_of_an_impossible_time_counts_and_its_time_decides_nothing(world, issued, code):
    first = answered(world, "A1", "01", issued=issued)
    assert [codes(p) for p in inbox(first, SENDER, "notice")] == [[code]]
    assert len(inbox(first, WINDOW, "notice")) == 1
    assert last_state(world) == at_window(world).state == "accepted"
    second = answered(world, "A2", "03", issued="20260601000500Z")
    assert not inbox(second, SENDER, "notice")
    assert last_state(world) == at_window(world).state == "rejected"
