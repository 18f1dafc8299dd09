import pytest

from broker.kafka.lanes.liveness import Liveness


@pytest.fixture
def clock():
    return [0.0]


@pytest.fixture
def liveness(clock):
    return Liveness(60, lambda: clock[0])


def test_an_idle_worker_is_alive_however_long(liveness, clock):
    for clock[0] in range(0, 1000, 10):
        liveness.look(is_waiting=False)
        assert not liveness.is_stuck


def test_a_record_that_comes_after_a_long_idleness_is_given_its_time(liveness, clock):
    clock[0] = 500
    liveness.look(is_waiting=True)
    assert not liveness.is_stuck
    clock[0] = 559
    assert not liveness.is_stuck
    clock[0] = 560
    assert liveness.is_stuck


def test_what_moves_is_alive_though_more_waits(liveness, clock):
    for clock[0] in range(0, 1000, 50):
        liveness.look(is_waiting=True)
        assert not liveness.is_stuck
        liveness.count(10)
    assert liveness.moved == 200


def test_doubt_comes_before_the_end_and_goes_when_what_is_waited_for_is_kafka_itself(liveness, clock):
    liveness.look(is_waiting=True)
    clock[0] = 29
    assert not liveness.is_doubtful
    clock[0] = 30
    assert liveness.is_doubtful
    assert not liveness.is_stuck
    liveness.look(is_waiting=False)
    liveness.look(is_waiting=True)
    clock[0] = 89
    assert not liveness.is_stuck
