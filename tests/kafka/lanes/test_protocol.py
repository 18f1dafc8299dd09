"""Requests that the client has no words for, field by field as Kafka's message definitions have them."""

from broker.kafka.lanes.protocol import DescribeProducers, DescribeTransactions, StableOffsets, _OffsetsAsked


def test_each_request_has_the_number_that_kafka_gave_it():
    assert [kind.API_KEY for kind in (DescribeTransactions, DescribeProducers, StableOffsets)] == [65, 61, 9]


def test_offsets_are_asked_of_ended_transactions_alone():
    asked = StableOffsets("g", {"t": [2, 1]}).build(_OffsetsAsked)
    assert (asked.group_id, asked.topics, asked.require_stable) == ("g", [("t", [1, 2], {})], True)
    again = _OffsetsAsked.decode(asked.encode())
    assert (again.group_id, again.require_stable) == ("g", True)
