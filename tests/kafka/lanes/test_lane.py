"""What a lane takes in hand, and from where."""

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import TopicAuthorizationFailedError

from broker.kafka.lanes.lane import Lane
from broker.kafka.lanes.worker_context import WorkerContext
from broker.relay import topics
from broker.relay.circuit_breaker import CircuitBreakers
from broker.relay.records import Consumed
from broker.settings import Settings
from tests.support.world import rules

LANE, ROOM = 2, 40
FLOOD, QUIET = topics.outbox("au-invoice-hub"), topics.outbox("sg-invoice-hub")


class Fetched:
    """So many records of each topic at hand, each of so many bytes."""

    def __init__(self, size, **at_hand):
        self.size, self.at_hand, self.done = size, at_hand, dict.fromkeys(at_hand, 0)
        self.barred, self.sought, self.paused = set(), {}, set()

    def ready(self, partitions):
        return [tp for tp in partitions if self.at_hand.get(tp.topic)]

    def take(self, tp, most):
        if tp.topic in self.barred:
            raise TopicAuthorizationFailedError(tp.topic)
        count = min(self.at_hand[tp.topic], most)
        begin = self.done[tp.topic]
        self.at_hand[tp.topic] -= count
        self.done[tp.topic] += count
        return [Consumed(tp.topic, LANE, n, None, b"v" * self.size) for n in range(begin, begin + count)]

    def position(self, tp):
        return self.done.get(tp.topic, 0)

    def seek(self, tp, offset):
        self.sought[tp.topic] = offset

    def pause(self, *partitions):
        self.paused |= {tp.topic for tp in partitions}


def lane(size=1, **at_hand):
    settings, fetched = Settings(batch_records=ROOM), Fetched(size, **at_hand)
    context = WorkerContext(settings, rules(), fetched, None, CircuitBreakers(settings, lambda: 0.0), *[None] * 4)
    made = Lane(LANE, [TopicPartition(name, LANE) for name in at_hand], context)
    made._next = dict.fromkeys(made.partitions, 0)
    return made, fetched


def at_hand(made, *names):
    return [made._buffer.count(TopicPartition(name, LANE)) for name in names]


def test_everything_that_lies_ready_has_its_share():
    made, _ = lane(**{FLOOD: 1000, QUIET: 3, topics.FACTS: 1000})
    made._take()
    assert at_hand(made, FLOOD, QUIET, topics.FACTS) == [ROOM // 3, 3, ROOM // 3]


def test_a_share_is_filled_up_at_the_next_turn_and_no_further():
    made, _ = lane(**{FLOOD: 1000, QUIET: 1000})
    made._take()
    for _ in range(10):
        made._buffer.pop()
    assert at_hand(made, FLOOD, QUIET) == [ROOM // 2 - 5] * 2
    made._take()
    assert at_hand(made, FLOOD, QUIET) == [ROOM // 2] * 2


def test_large_records_are_left_where_they_lie():
    made, fetched = lane(size=5 << 20, **{FLOOD: 1000})
    made._take_from(TopicPartition(FLOOD, LANE), 2)
    made._take()
    assert made._buffer.bytes == 10 << 20
    assert fetched.at_hand[FLOOD] == 998


def test_a_topic_that_may_not_be_read_rests_and_the_others_go_on():
    made, fetched = lane(**{FLOOD: 10, QUIET: 3, topics.FACTS: 2})
    fetched.barred = {FLOOD}
    made._take()
    assert at_hand(made, FLOOD, QUIET, topics.FACTS) == [0, 3, 2]
    assert (fetched.sought, fetched.paused) == ({FLOOD: 0}, {FLOOD})
    assert not made.is_worked(TopicPartition(FLOOD, LANE))


def test_a_topic_of_the_relay_s_own_that_may_not_be_read_is_the_lane_s_trouble():
    made, fetched = lane(**{topics.FACTS: 2})
    fetched.barred = {topics.FACTS}
    with pytest.raises(TopicAuthorizationFailedError):
        made._take()


def test_when_the_group_is_divided_anew_a_lane_that_stays_goes_on_where_it_was():
    made, fetched = lane(**{FLOOD: 10, QUIET: 3, topics.FACTS: 2})
    made._take()
    came = TopicPartition(topics.outbox("came"), LANE)
    made.stays([TopicPartition(FLOOD, LANE), TopicPartition(topics.FACTS, LANE), came])
    assert fetched.sought == {FLOOD: 10, topics.FACTS: 2}
    assert fetched.paused == {came.topic}  # until it is known from where
    assert at_hand(made, FLOOD, QUIET, topics.FACTS) == [10, 0, 2]
    assert made.is_busy


def test_records_that_were_never_read_and_are_gone_are_told(monkeypatch):
    lines = []
    monkeypatch.setattr("broker.kafka.lanes.lane.logger.error", lambda event, **fields: lines.append((event, fields)))
    made, fetched = lane(**{FLOOD: 10})
    fetched.done[FLOOD] = 7
    made._take()
    ((event, fields),) = lines
    assert (event, fields["topic"], fields["count"]) == ("records.lost", FLOOD, 7), "by topic and number"
