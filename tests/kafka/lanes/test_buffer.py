"""Whose turn it is in a lane: one participant's flood keeps no other waiting, and each partition keeps its order."""

from aiokafka import TopicPartition

from broker.kafka.lanes.buffer import Buffer
from broker.relay import topics
from broker.relay.records import Consumed

FLOOD, QUIET, WAITS = topics.outbox("flood"), topics.outbox("quiet"), topics.retry("win")


def records(topic, count, start=0):
    return [Consumed(topic, 0, start + n, b"k", b"v") for n in range(count)]


def popped(buffer, count=None):
    return [buffer.pop().topic for _ in range(len(buffer) if count is None else count)]


def filled(*groups):
    buffer = Buffer()
    for topic, count in groups:
        buffer.add(records(topic, count))
    return buffer


def test_each_outbox_has_one_record_a_round():
    assert popped(filled((FLOOD, 100), (QUIET, 2), (WAITS, 1)), 6) == [FLOOD, QUIET, WAITS, FLOOD, QUIET, FLOOD]


def test_who_comes_late_has_the_next_round():
    buffer = filled((FLOOD, 100))
    popped(buffer, 10)
    buffer.add(records(QUIET, 1))
    assert QUIET in popped(buffer, 2)


def test_what_is_under_way_has_three_turns_of_four_and_no_more():
    took = popped(filled((FLOOD, 10), (topics.FACTS, 20), (topics.INTAKE, 10)), 40)
    facts, intake = topics.FACTS, topics.INTAKE
    assert took[:8] == [facts, intake, facts, FLOOD, intake, facts, intake, FLOOD]
    assert took.count(FLOOD) == 10


def test_alone_each_has_all():
    assert popped(filled((topics.FACTS, 5))) == [topics.FACTS] * 5
    assert popped(filled((FLOOD, 5))) == [FLOOD] * 5


def test_what_was_taken_out_comes_back_to_its_place():
    buffer = filled((FLOOD, 5), (QUIET, 2), (topics.FACTS, 2))
    taken = [buffer.pop() for _ in range(7)]
    buffer.put_back(taken)
    assert len(buffer) == 9
    order = [buffer.pop() for _ in range(9)]
    for topic in (FLOOD, QUIET, topics.FACTS):
        assert [r.offset for r in order if r.topic == topic] == list(range(len([r for r in order if r.topic == topic])))


def test_what_is_dropped_is_gone_and_counted_no_more():
    buffer = filled((FLOOD, 5), (QUIET, 2))
    buffer.drop(TopicPartition(FLOOD, 0))
    assert (len(buffer), buffer.bytes, buffer.count(TopicPartition(FLOOD, 0))) == (2, 4, 0)
    assert popped(buffer) == [QUIET] * 2
    assert not buffer
    assert buffer.bytes == 0
