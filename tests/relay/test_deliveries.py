"""A delivery that waits: made, or given up after the limit, and redriven once."""

from broker.relay import headers, ids, topics
from broker.relay.delivery_routes import DeliveryRoute
from broker.relay.dispatch import plan_failed
from broker.relay.records import Consumed
from tests.support.lane_kit import LANE, events, kinds, to


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


def test_a_delivery_that_is_too_large_is_a_dead_letter_at_once(world):
    record = world.record(topics.outbox("aa-farm"), b"k", b"ok xx-win yy-win", ce_id="1")
    world.routes.refused(record.place, topics.inbox("xx-win"), DeliveryRoute("deadletter", "too-large"))
    written = world.feed(world.work(record))
    assert kinds(written, "yy-win") == ["swb.payload"]
    assert to(written, topics.DEADLETTER)[0].header("swb_reason") == "too-large"
    assert kinds(written, "aa-farm") == ["swb.receipt", "swb.notice"]
    history = world.stores.conversations.get(ids.message_id("aa-farm", "1").encode()).history
    assert [fact.kind for fact in history.facts] == ["received", "routed", "delivered", "failed"]
