"""Write-off in the relay's plan: real certificates of our own samples, windows that ask, and some that may not."""

import json

import pytest

from broker.relay import ids, topics
from tests.support.certificates import document, original, to
from tests.support.world import World

NUMBER = b"2026-PE-000417"


@pytest.fixture
def world():
    return World()


def events(written):
    return [json.loads(p.value)["event"] for p in written if p.topic == topics.TRACKING]


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


def conflicts(written, participant):
    """The codes of the notices of a conflict that a participant got."""
    notices = to(written, topics.inbox(participant), "notice")
    return [(p.header("swb_state"), [f["code"] for f in json.loads(p.header("swb_findings"))]) for p in notices]


CONFLICT = [("conflict", ["writeoff.conflict"])]


def test_two_issuers_of_one_number_each_have_their_own_certificate_and_are_both_notified(world):
    fake = original().replace(b"8200", b"999999")
    assert conflicts(world.send("co-ica", b"k", fake, ce_id="1"), "co-ica") == []
    written = world.send("ec-agrocalidad", b"k", original(), ce_id="1")
    assert conflicts(written, "ec-agrocalidad") == conflicts(written, "co-ica") == CONFLICT
    for issuer in ("ec-agrocalidad", "co-ica"):
        notices = [p for p in written if p.topic == topics.inbox(issuer) and p.header("ce_type") == "swb.notice"]
        assert [p.header("swb_message_id") for p in notices] == [ids.message_id(issuer, "1")], "about its own message"
    unclear, _ = ask(world, "reserve", "1", "r1")
    assert not unclear["is_done"]
    assert "co-ica 851, ec-agrocalidad 851" in unclear["text"]
    done, _ = ask(world, "reserve", "8200", "r2", issuer="ec-agrocalidad")
    assert (done["is_done"], done["available"]) == (True, "0")
    world.send("ec-agrocalidad", b"k", document("withdrawn"), ce_id="2")
    assert not ask(world, "reserve", "1", "r3", issuer="ec-agrocalidad")[0]["is_done"]
    assert ask(world, "reserve", "900000", "r4", issuer="co-ica", kind="851")[0]["is_done"]


def test_the_same_issuer_cannot_grant_a_number_twice_and_is_notified(world):
    world.send("ec-agrocalidad", b"k", original(), ce_id="1")
    written = world.send("ec-agrocalidad", b"k", original().replace(b"8200", b"9999"), ce_id="2")
    assert conflicts(written, "ec-agrocalidad") == CONFLICT
    assert ask(world, "reserve", "8200", "r1")[0]["available"] == "0"


def test_a_window_that_never_got_the_certificate_uses_nothing_up_and_learns_nothing(world):
    sent = world.send("ec-agrocalidad", b"k", document("replacement"), ce_id="1")
    assert not to(sent, "swb.pe-vuce.inbox")
    (ledger,) = world.stores.writeoff.get(b"2026-PE-000431").ledgers
    line = ledger.grant.lines[0]
    own = {"line": line.number, "unit": line.unit, "code": line.codes[0], "certificate": "2026-PE-000431"}
    stranger, notice = ask(world, "consume", str(line.quantity), "z1", "pe-vuce", **own)
    assert (stranger["is_done"], stranger["available"], stranger["reserved"]) == (False, "0", "0")
    assert notice.header("swb_message_id") != to(sent, "swb.sg-tradenet.inbox")[0].header("swb_message_id")
    assert ask(world, "consume", str(line.quantity), "z2", **own)[0]["is_done"]


def test_premature_requests_take_no_room(world):
    for n in range(30):
        early, _ = ask(world, "consume", "1", f"early-{n}")
        assert (early["is_done"], early["text"]) == (False, "certificate 2026-PE-000417 is not known")
    assert world.stores.writeoff.get(NUMBER) is None
    world.send("ec-agrocalidad", b"k", original(), ce_id="1")
    assert ask(world, "consume", "8200", "now")[0]["is_done"]


def test_a_certificate_that_was_withdrawn_before_it_came_grants_nothing(world):
    world.send("ec-agrocalidad", b"k", document("withdrawn"), ce_id="2")
    world.send("ec-agrocalidad", b"k", original(), ce_id="1")
    assert "withdrawn" in ask(world, "reserve", "1", "r1")[0]["text"]


def test_a_reservation_ends(world):
    world.send("ec-agrocalidad", b"k", original(), ce_id="1")
    assert ask(world, "reserve", "8200", "r1")[0]["is_done"]
    assert not ask(world, "reserve", "1", "r2", mrn="SG26-2")[0]["is_done"]
    world.now += 31 * 86_400_000
    assert ask(world, "reserve", "8200", "r3", mrn="SG26-2")[0]["is_done"]


def test_a_window_to_which_an_amendment_was_brought_may_draw_on_it(world):
    world.send("ec-agrocalidad", b"k", original(), ce_id="1")
    brought = world.send("ec-agrocalidad", b"k", document("replacement"), ce_id="2")
    assert to(brought, "swb.pe-vuce.inbox")
    (ledger,) = world.stores.writeoff.get(b"2026-PE-000431").ledgers
    assert set(ledger.windows) == {"sg-tradenet", "pe-vuce"}
