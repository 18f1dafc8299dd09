"""A library that says the same thing over and over fills no disk, and nothing is left out in silence."""

import io
import json
import logging

import pytest

from broker import log
from broker.log.calm import CalmHandler


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def calm():
    """A root handler that writes JSON, its clock, and the lines so far."""
    stream, clock = io.StringIO(), Clock()
    handler = CalmHandler(stream, clock)
    handler.setFormatter(log._formatter("json"))
    logger = logging.getLogger("aiokafka")
    logger.addHandler(handler)
    was, logger.propagate = (logger.propagate, logger.level), False
    logger.setLevel(logging.INFO)  # whatever an earlier test asked of the libraries
    yield logger, clock, lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.propagate = was[0]
    logger.setLevel(was[1])
    logger.removeHandler(handler)
    handler.close()


def test_a_minute_of_outage_is_a_few_lines(calm):
    logger, clock, lines = calm
    for number in range(3_000):
        clock.now = number / 50
        logger.error("Unable to connect to %s: %s", f"kafka-{number % 3}:9092", ConnectionError(number))
    assert len(lines()) == 3
    clock.now = 61
    logger.warning("Topic %s not found", "swb.x.inbox")
    counted = lines()[3]
    assert (counted["event"], counted["times"], counted["level"]) == ("log.repeated", 3_000 - 3, "warning")
    assert (counted["of"], counted["line"]) == ("aiokafka", "Unable to connect to %s: %s")
    assert lines()[4]["event"] == "Topic swb.x.inbox not found"


def test_what_differs_is_said_and_information_is_never_held_back(calm):
    logger, _, lines = calm
    for number in range(10):
        logger.warning(f"sentence {number}")  # noqa: G004 - a library that fills its sentences itself
        logger.info("information")
    logger.critical("the end")
    assert len(lines()) == 10 + 1 + 10


def test_the_last_count_is_said_when_the_log_ends():
    stream = io.StringIO()
    handler = CalmHandler(stream)
    handler.setFormatter(log._formatter("json"))
    for _ in range(10):
        handler.handle(logging.LogRecord("aiokafka.conn", logging.ERROR, "", 0, "gone", None, None))
    handler.close()
    last = json.loads(stream.getvalue().splitlines()[-1])
    assert (last["event"], last["times"]) == ("log.repeated", 7)


def test_events_of_ours_are_counted_only_where_they_are_declared_to_repeat():
    stream = io.StringIO()
    handler = CalmHandler(stream)
    handler.setFormatter(log._formatter("json"))
    for lane in (0, 1):
        for number in range(10):
            for event in ({"event": "lane.again", "lane": lane}, {"event": "deadletter.arrived", "id": f"0/{number}"}):
                record = logging.LogRecord("broker.x", logging.WARNING, "", 0, event, None, None)
                record.__dict__.update(_logger=None, _name="warning")  # as structlog hands it over
                handler.handle(record)
    said = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["lane"] for line in said if line["event"] == "lane.again"] == [0, 0, 0, 1, 1, 1]
    assert sum(line["event"] == "deadletter.arrived" for line in said) == 20
