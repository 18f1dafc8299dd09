"""A process of its own for what takes long: it answers, it is ended when it takes too long, it ends with its worker."""

import asyncio
import os
import time

import pytest

from broker.kafka.lanes.aside import Aside

ECHO = """
import os, sys, time
from broker.kafka.lanes.aside import serve
def carry_out(task):
    if task == b"die": os._exit(3)
    if task == b"sleep": time.sleep(60)
    return b"%d " % os.getpid() + task
taken, sys.stdout = sys.stdout.buffer, sys.stderr
serve(carry_out, sys.stdin.buffer, taken)
"""


@pytest.fixture
async def aside():
    aside = Aside(ECHO, 20.0)
    yield aside
    await aside.close()


async def test_tasks_are_done_one_after_the_other_in_one_process_that_is_not_ours(aside):
    found = await asyncio.gather(*(aside.do(b"%d" % n * 100_000) for n in range(3)))
    processes = {int(one.split()[0]) for one in found}
    assert len(processes) == 1
    assert os.getpid() not in processes
    assert [one.split()[1] for one in found] == [b"%d" % n * 100_000 for n in range(3)]


async def test_what_takes_too_long_is_ended_and_the_next_is_done(aside):
    await aside.do(b"warm")
    aside._seconds = 0.5
    began = time.monotonic()
    assert await aside.do(b"sleep") is None
    assert time.monotonic() - began < 10
    aside._seconds = 20.0
    assert (await aside.do(b"next")).endswith(b" next")


async def test_what_ends_the_process_is_its_own_fault_alone(aside):
    assert await aside.do(b"die") is None
    assert (await aside.do(b"next")).endswith(b" next")


async def test_it_ends_when_nobody_is_there_any_more(aside):
    await aside.do(b"warm")
    process = aside._process
    process.stdin.close()  # as when the worker has died
    assert await asyncio.wait_for(process.wait(), 10) == 0
