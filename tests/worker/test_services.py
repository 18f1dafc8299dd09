"""What runs beside the relay, and may end without it."""

import asyncio

import pytest
from mode import Service

from broker.worker import services


class Notification(Service):
    """Fails in the way it is told to."""

    def __init__(self, fault):
        super().__init__()
        self.fault, self.is_working = fault, False

    async def on_start(self):
        if self.fault == "at start":
            raise ConnectionError("nobody there")
        self.is_working = True
        if self.fault == "at work":
            self.add_future(self.fail())

    async def fail(self):
        raise ConnectionError("nobody there any more")


@pytest.fixture
def quick(monkeypatch):
    for name in ("_AGAIN_SECONDS", "_HEAD_START_SECONDS", "_BREATH_SECONDS"):
        monkeypatch.setattr(services, name, 0.01)


async def test_the_alarm_is_started_again_whatever_ends_it_and_ends_nothing_else(quick):
    made = []

    def make():
        made.append(Notification(["at start", "at work", ""][len(made)]))
        return made[-1]

    beside = services.AlarmService(lambda: make, lambda: True)
    async with asyncio.timeout(10):
        await beside.start()
        while len(made) < 3 or not made[2].is_working:
            await asyncio.sleep(0.01)
    assert not beside.crashed
    await beside.stop()
    assert made[2].should_stop


async def test_the_end_of_a_worker_is_no_fault_of_the_alarm(quick, monkeypatch):
    said, made = [], []
    monkeypatch.setattr(services.logger, "warning", lambda event, **_: said.append(event))
    beside = services.AlarmService(lambda: lambda: made.append(Notification("")) or made[-1], lambda: True)
    async with asyncio.timeout(10):
        await beside.start()
        while not made or not made[0].is_working:
            await asyncio.sleep(0.01)
    await beside.stop()
    await asyncio.sleep(0.05)
    assert not said


async def test_the_alarm_waits_for_the_lanes(quick):
    made, lanes = [], []
    beside = services.AlarmService(lambda: lambda: made.append(Notification("")) or made[-1], lambda: bool(lanes))
    await beside.start()
    await asyncio.sleep(0.1)
    assert not made
    lanes.append(0)
    async with asyncio.timeout(10):
        while not made:
            await asyncio.sleep(0.01)
    await beside.stop()
