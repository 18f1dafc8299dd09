"""How a destination fares: left alone longer each time, open again when it took something."""

import pytest

from broker.relay.circuit_breaker import CircuitBreakers
from broker.settings import Settings


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def circuits(clock):
    return CircuitBreakers(Settings(), clock, lambda: 1.0)


def test_backoff_doubles_up_to_its_limit(circuits, clock):
    waits = []
    for _ in range(12):
        circuits.failed("xx", "missing")
        waits.append(circuits.until("xx") - clock.now)
        clock.now = circuits.until("xx")
    assert waits[:4] == pytest.approx([1, 2, 4, 8])
    assert waits[-1] == pytest.approx(300)


def test_trouble_has_its_reason_until_it_may_be_tried(circuits, clock):
    circuits.failed("xx", "missing")
    circuits.failed("xx", "another lane says so too")
    assert (circuits.trouble("xx"), circuits.trouble("yy")) == ("missing", "")
    clock.now = circuits.until("xx")
    assert (circuits.trouble("xx"), circuits.is_broken("xx")) == ("", True)
    circuits.worked("xx")
    assert (circuits.is_broken("xx"), circuits.until("xx")) == (False, 0.0)
