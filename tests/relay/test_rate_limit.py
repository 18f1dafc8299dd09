"""How many records a minute a participant takes: more wait, in order, and nobody else with them. Virtual clock."""

import pytest

from broker.paths import data_root
from broker.relay import ids, topics
from broker.relay.batch import Batch
from broker.relay.circuit_breaker import CircuitBreakers
from broker.relay.delivery_routes import DeliveryRoutes
from broker.relay.dispatch import plan
from broker.relay.rate_limit import RateLimit
from broker.relay.records import Consumed
from broker.settings import Settings
from tests.support.world import LANE, World, rules

CONTENT = (
    data_root() / "mappings/documents/sps/sps-certificate-17/samples/phytosanitary-pe-sg.xml"
).read_bytes()  # to pe-vuce and sg-tradenet
SLOW, FREE = "sg-tradenet", "pe-vuce"


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_within_any_minute_no_more_is_handed_over_than_was_agreed(clock):
    rate_limit, handed = RateLimit({"slow": 3}, clock), []
    for second in range(300):
        clock.now = float(second)
        if rate_limit.until("slow") <= clock.now:
            rate_limit.sent("slow")
            handed.append(second)
    assert handed == [0, 1, 2, 60, 61, 62, 120, 121, 122, 180, 181, 182, 240, 241, 242]


def test_a_worker_keeps_its_share_and_one_record_a_minute_always_goes(clock):
    rate_limit = RateLimit({"slow": 8}, clock)
    rate_limit.share(lanes=1, of=4)
    for _ in range(2):
        assert rate_limit.until("slow") == 0.0
        rate_limit.sent("slow")
    assert rate_limit.until("slow") == 60.0
    rate_limit.share(lanes=4, of=4)
    assert rate_limit.until("slow") == 0.0
    rate_limit.share(lanes=1, of=16)
    clock.now = 59.0
    rate_limit.sent("slow")
    clock.now = 70.0
    assert rate_limit.until("slow") == 119.0


def test_who_agreed_on_nothing_takes_everything(clock):
    rate_limit = RateLimit({"slow": 1}, clock)
    for _ in range(5000):
        rate_limit.sent("quick")
    assert rate_limit.until("quick") == 0.0


@pytest.mark.proof
def test_what_is_over_the_rate_waits_in_order_and_others_get_theirs_at_once(clock):
    world = World()
    circuits = CircuitBreakers(Settings(), clock, lambda: 1.0, {SLOW: 2})
    world.routes = DeliveryRoutes(circuits, 17_000_000)
    written = [world.send("ec-agrocalidad", b"k%d" % (n % 2), CONTENT, ce_id=str(n)) for n in range(5)]
    sent = [ids.message_id("ec-agrocalidad", str(n)) for n in range(5)]

    def payloads(records, topic):
        return [
            p.header("swb_message_id") for p in records if p.topic == topic and p.header("ce_type") == "swb.payload"
        ]

    flat = [p for records in written for p in records]
    assert payloads(flat, topics.inbox(FREE)) == sent
    assert payloads(flat, topics.inbox(SLOW)) == sent[:2]
    waiting = [p for p in flat if p.topic == topics.retry(SLOW)]
    assert [(p.header("swb_message_id"), p.header("swb_reason")) for p in waiting] == [
        (sent[2], "rate"),
        (sent[3], "behind-waiting"),
        (sent[4], "behind-waiting"),
    ]
    queue = [Consumed(p.topic, LANE, n, p.key, p.value, p.headers, world.now) for n, p in enumerate(waiting)]
    clock.now = 60.0
    late = world.send("ec-agrocalidad", b"k9", CONTENT, ce_id="9")
    assert payloads(late, topics.inbox(FREE)) == [ids.message_id("ec-agrocalidad", "9")]
    assert payloads(late, topics.inbox(SLOW)) == [], "who comes later does not take the turn of who waits"
    (last,) = [p for p in late if p.topic == topics.retry(SLOW)]
    queue.append(Consumed(last.topic, LANE, 3, last.key, last.value, last.headers, world.now))
    made = []
    while queue:
        clock.now = max(clock.now, circuits.until(SLOW))
        batch = Batch(LANE, world.now, rules(), world.stores, world.routes, world.sources.__getitem__)
        assert plan(batch, queue[0]), "it may go when its time has come"
        world.routes.keep({queue.pop(0).place})
        made += [(clock.now, p.header("swb_message_id")) for _, p in batch.out if p.topic == topics.inbox(SLOW)]
    assert made == [(60.0, sent[2]), (60.0, sent[3]), (120.0, sent[4]), (120.0, ids.message_id("ec-agrocalidad", "9"))]
    clock.now = 180.0
    assert payloads(world.send("ec-agrocalidad", b"k0", CONTENT, ce_id="5"), topics.inbox(SLOW)) == [
        ids.message_id("ec-agrocalidad", "5")
    ], "nobody waits any more: new ones go straight again"
