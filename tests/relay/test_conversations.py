"""A conversation in the lane that owns it: what a repeat is told, what is overdue."""

import json

from broker.relay import ids, topics
from broker.relay.facts import AnswerAwaited
from broker.relay.tracking_view import story
from tests.support.lane_kit import events, kinds, response, to


def test_a_repeat_after_the_answer_gets_the_decision_again(world):
    world.feed(world.send("aa-farm", b"k", b"ok xx-win", ce_id="1"))
    message = ids.message_id("aa-farm", "1")
    first = world.feed(world.send("xx-win", b"any", response(message, "03", text="no"), ce_type="swb.answer"))
    again = world.feed(world.send("aa-farm", b"k", b"ok xx-win", ce_id="1"))
    assert kinds(again, "aa-farm") == ["swb.receipt", "swb.answer"]
    answer = to(again, topics.inbox("aa-farm"))[1]
    assert answer.header("ce_id") == to(first, topics.inbox("aa-farm"))[0].header("ce_id")
    assert answer.header("swb_state") == "rejected"


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
