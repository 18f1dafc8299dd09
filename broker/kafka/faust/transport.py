"""Faust's transport reading only what is committed: by itself Faust would act on records that never were.

It leans on private hooks of faust-streaming 0.15.3, which tests guard: an agent on this transport never sees an aborted
record, and the offset it commits follows what it has acknowledged, whatever transactions leave between the records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from faust.transport.drivers import aiokafka as driver

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer
    from faust.types import TP


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

    def _new_offset(self, tp: TP) -> int | None:
        """The offset after the last acknowledged record: ours are acknowledged in their order.

        Faust counts on from record to record and allows for gaps, but not for one after offset 0: where an aborted
        transaction follows the first record of a partition, nothing would be committed there until a restart.
        """
        acked = self._acked[tp]
        if not acked:
            return None
        following: int = max(acked) + 1
        self._acked_index[tp].difference_update(acked)
        acked.clear()
        return following

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """What lies between two records needs no account where the order is kept."""


class ReadCommitted(driver.Transport):  # type: ignore[misc]  # the same
    """The aiokafka transport whose consumer reads committed records only."""

    Consumer = _Consumer
