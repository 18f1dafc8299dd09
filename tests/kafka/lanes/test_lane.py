"""What a lane takes in hand first."""

from types import SimpleNamespace

from aiokafka import TopicPartition

from broker.kafka.lanes.lane import Lane
from broker.kafka.lanes.worker_context import WorkerContext
from broker.relay import topics
from broker.relay.circuit_breaker import CircuitBreakers
from broker.settings import Settings
from tests.support.world import rules

LANE, ROOM = 2, 10
OUTBOX = topics.outbox("au-invoice-hub")


class Fetched:
    """A consumer with so many records of each topic at hand; the outbox is the first that it would give."""

    def __init__(self, **at_hand):
        self.at_hand, self.waited = at_hand, []

    async def getmany(self, *partitions, timeout_ms, max_records):
        self.waited.append(timeout_ms)
        found = {}
        for topic in list(self.at_hand):
            tp = TopicPartition(topic, LANE)
            if tp in partitions and (count := min(self.at_hand[topic], max_records)):
                found[tp] = [record(n) for n in range(count)]
                self.at_hand[topic] -= count
                max_records -= count
        return found


def record(offset):
    return SimpleNamespace(offset=offset, key=b"k", value=b"v", headers=(), timestamp=0)


async def taken(**at_hand):
    settings, consumer = Settings(batch_records=ROOM), Fetched(**at_hand)
    context = WorkerContext(settings, rules(), consumer, None, CircuitBreakers(settings, lambda: 0.0), *[None] * 4)
    lane = Lane(LANE, topics.worked_topics(context.rules.participants), context)
    await lane._fetch()
    return [r.topic for r in lane._buffer], consumer.waited


async def test_what_is_under_way_is_taken_before_an_outbox():
    took, _ = await taken(**{OUTBOX: 100, topics.FACTS: 6, topics.INTAKE: 1})
    assert took == [topics.FACTS] * 6 + [topics.INTAKE] + [OUTBOX] * 3


async def test_an_outbox_has_no_turn_while_as_much_as_a_batch_holds_is_under_way():
    took, waited = await taken(**{OUTBOX: 100, topics.FACTS: 60})
    assert took == [topics.FACTS] * ROOM
    assert waited == [0]


async def test_nothing_is_waited_for_while_anything_is_at_hand():
    assert (await taken(**{topics.FACTS: 1}))[1] == [0, 0]
    took, waited = await taken(**{OUTBOX: 1})
    assert took == [OUTBOX]
    assert waited[0] == 0 < waited[1]
