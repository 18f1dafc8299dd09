"""Faust's transport reading only what is committed: by itself Faust would act on records that never were.

It leans on a private hook of faust-streaming 0.15.3, which a test guards: an agent on this transport never sees an
aborted record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from faust.transport.drivers import aiokafka as driver

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer


class _ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]  # faust publishes no types
    mundane_level = "debug"

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # noqa: SLF001 - read when the consumer starts
        return consumer


class _Consumer(driver.Consumer):  # type: ignore[misc]  # the same
    mundane_level = "debug"

    def _new_consumer_thread(self) -> _ConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)


class ReadCommitted(driver.Transport):  # type: ignore[misc]  # the same
    """The aiokafka transport whose consumer reads committed records only."""

    Consumer = _Consumer
