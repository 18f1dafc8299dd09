"""A fetched record in the relay's words."""

from aiokafka.structs import ConsumerRecord

from broker.kafka.lanes.fetched import consumed
from broker.relay import topics
from broker.relay.unreadable import MOST_KEY_BYTES


def record(key=b"k", headers=()):
    return ConsumerRecord(topics.outbox("aa"), 1, 7, 1000, 0, key, b"v", None, len(key or b""), 1, headers)


def test_a_header_that_is_null_counts_as_empty():
    found = consumed(record(headers=(("a", b"1"), ("b", None))))
    assert (found.headers, found.fault, found.place.offset, found.timestamp) == (
        (("a", b"1"), ("b", b"")), None, 7, 1000,
    )  # fmt: skip


def test_what_is_larger_than_it_may_be_is_known_as_a_whole():
    found = consumed(record(key=b"k" * (MOST_KEY_BYTES + 1)))
    assert (found.fault.reason, found.following) == ("key-too-large", 8)
