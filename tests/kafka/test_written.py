"""What is published or redriven from outside the relay: a record is there, or who wrote it hears that it is not."""

from types import SimpleNamespace

import pytest

from broker.kafka import reading
from broker.model.errors import Failed
from broker.relay.records import Place, Produced
from broker.settings import Settings

RECORDS = [Produced("t", b"k", b"%d" % number) for number in range(3)]


def producer(offsets, given):
    """A stand-in for librdkafka that reports these offsets, in this order, as delivered."""

    class Stand:
        def __init__(self, options):
            given.update(options)

        def produce(self, topic, value, *_, on_delivery, **__):
            number, offset = int(value), offsets[int(value)]
            on_delivery(None, SimpleNamespace(topic=lambda: topic, partition=lambda: number, offset=lambda: offset))

        def poll(self, _):
            pass

        def flush(self, _):
            return 0

    return Stand


@pytest.fixture
def write(monkeypatch):
    monkeypatch.setattr(reading, "_count", lambda *_: 1)

    def with_offsets(*offsets):
        given = {}
        monkeypatch.setattr(reading, "Producer", producer(offsets, given))
        return reading.write(Settings(), RECORDS), given

    return with_offsets


def test_every_record_is_told_where_it_lies(write):
    assert write(7, 8, 9)[0] == [Place("t", 0, 7), Place("t", 1, 8), Place("t", 2, 9)]


def test_what_was_delivered_nobody_knows_where_was_not_delivered(write):
    """As librdkafka reports the first of two requests when the leader refused it and took the second."""
    with pytest.raises(Failed, match="took 2 records and refused 1: nobody says where it lies"):
        write(None, 0, 1)


def test_no_request_goes_before_the_last_was_answered(write):
    given = write(0, 1, 2)[1]
    assert given["max.in.flight.requests.per.connection"] == 1
    assert given["enable.idempotence"] is True
