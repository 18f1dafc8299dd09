"""What lanes share is there without being named: a clock, numbers, nobody to tell, nothing to wait for."""

import time

from broker.kafka.lanes.worker_context import WorkerContext


async def test_what_is_not_given_is_harmless():
    context = WorkerContext(*[None] * 9)
    assert abs(context.now() - time.time() * 1000) < 5000
    assert context.moved(3) is None
    assert await context.settled() is None
    assert WorkerContext(*[None] * 9).meter is not context.meter
