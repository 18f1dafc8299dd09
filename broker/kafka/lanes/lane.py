"""A lane: the one order of work and the one transactional producer for partition k of every topic of the group."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced

from broker import log, metrics
from broker.kafka.clients import discard, lane_producer
from broker.kafka.lanes.batcher import Batcher
from broker.kafka.lanes.commit_markers import CommitMarkers
from broker.kafka.lanes.leave import Leave, Reason
from broker.kafka.lanes.recovery import catch_up
from broker.kafka.lanes.transaction import NotTaken, transact, troubles
from broker.kafka.lanes.transaction_admin import Unstable
from broker.model.errors import Failed
from broker.relay import topics
from broker.relay.records import Consumed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aiokafka import AIOKafkaProducer

    from broker.kafka.lanes.batcher import PlannedBatch
    from broker.kafka.lanes.worker_context import WorkerContext

logger = log.get(__name__)

_POLL_MS = 500
_PATIENCE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 30.0
_SWEEP_SECONDS = 300.0
_BORNE = 5
_TURN_SECONDS = 0.05
"""Between the beginnings of two transactions where no more lies at hand: what comes in the meantime goes together."""
_UNREADABLE_SECONDS = 5.0


class Again(Exception):
    """The lane forgets what it planned, and opens again."""


class Lane:
    """One lane while this worker holds it: opened, worked, and opened again after everything that went wrong."""

    def __init__(self, index: int, worked: Sequence[str], context: WorkerContext) -> None:
        self.index = index
        self._context = context
        self._partitions = [TopicPartition(topic, index) for topic in worked]
        self._under_way = [tp for tp in self._partitions if tp.topic in topics.UNDER_WAY]
        self._batcher = Batcher(index, context)
        self._commit_markers = CommitMarkers(
            index, context.transactions, topics.written_topics(context.rules.participants)
        )
        self._producer: AIOKafkaProducer | None = None
        self._buffer: deque[Consumed] = deque()
        self._held: dict[TopicPartition, float] = {}
        self._troubles = 0
        self._stopping = False
        self.is_open = False
        """Whether it works, and is not on its way there."""
        self._swept = time.monotonic()
        self._turned = 0.0
        self._fetching: asyncio.Future[Any] | None = None
        self._copying: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Work until stopped; raises Leave."""
        try:
            while not self._stopping:
                try:
                    await self._open()
                    while not self._stopping:
                        await self._turn()
                except ProducerFenced as error:
                    raise Leave(Reason.FENCED, f"lane {self.index} is held by another worker: {error!r}") from error
                except (Again, Failed, KafkaError, TimeoutError) as error:
                    await self._recover(error)
        finally:
            await self._close()

    def stop(self) -> None:
        """Finish the turn in hand and begin no other."""
        self._stopping = True
        if self._fetching is not None:
            self._fetching.cancel()  # it may wait for an assignment that comes only when the lanes are closed

    def oldest(self) -> Iterator[tuple[str, float]]:
        """Senders of what was fetched and is not done, each with the time of a record (seconds)."""
        for record in tuple(self._buffer):
            if sender := topics.writer_of(record.topic):
                yield str(sender), record.timestamp / 1000

    # --- opening ------------------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        """Fence, then read what is committed, then the state, then go to where the work goes on (relay rule 2.1)."""
        began, context = time.monotonic(), self._context
        context.consumer.pause(*self._partitions)
        await self._close()
        self._batcher.forget()
        self._buffer.clear()
        await self._commit_markers.before_fencing()
        self._producer = lane_producer(context.settings, self.index)
        await asyncio.wait_for(self._producer.start(), context.settings.transaction_seconds)
        await self._commit_markers.after_fencing(self._producer)
        asked = asyncio.gather(context.transactions.committed(self._partitions), context.bounds.of(self._partitions))
        try:
            await catch_up(context.settings, context.snapshots, self.index, self._batcher.stores)
        finally:
            await asyncio.wait([asked])
        try:
            backlog = self._go_to_work(*asked.result())
        except Unstable:
            await self._commit_markers.end_offsets()
            raise
        self._batcher.routes.reopen(backlog)
        self._held.clear()
        context.consumer.resume(*self._partitions)
        self.is_open = True
        logger.info(
            "lane.opened",
            lane=self.index,
            seconds=round(time.monotonic() - began, 3),
            remembered=len(self._batcher.stores.duplicates),
            waiting=sorted(backlog),
        )

    def _go_to_work(
        self, committed: dict[TopicPartition, int], bounds: dict[TopicPartition, tuple[int, int]]
    ) -> dict[str, int]:
        """Every partition to where its work goes on; for whom something waits, up to which offset."""
        backlog = {}
        for tp in self._partitions:
            first, end = bounds[tp]
            start = self._go_to(tp, committed[tp], first)
            participant = topics.waiting_for(tp.topic)
            if participant and end > start:
                backlog[str(participant)] = end
        return backlog

    def _go_to(self, tp: TopicPartition, committed: int, first: int) -> int:
        if 0 <= committed < first:
            logger.error("records.lost", topic=tp.topic, partition=tp.partition, committed=committed, first=first)
        start = max(committed, first)
        self._context.consumer.seek(tp, start)
        return start

    # --- a turn -------------------------------------------------------------------------------------------------------

    async def _turn(self) -> None:
        """One batch: taken, planned, committed."""
        self._resume([tp for tp, until in self._held.items() if time.monotonic() >= until])
        if not self._buffer:
            await asyncio.sleep(max(0.0, self._turned + _TURN_SECONDS - time.monotonic()))
            await self._fetch()
        if self._buffer:
            began = time.monotonic()
            planned = await self._batcher.plan(self._buffer, self._hold)
            if planned.taken:
                await self._commit(planned)
                self._context.meter.observe(metrics.BATCH_SECONDS, time.monotonic() - began)
        elif time.monotonic() - self._swept > _SWEEP_SECONDS:
            await self._sweep()
        await self._end_backlogs()
        await self._commit_markers.tend()
        self._snapshot()

    async def _fetch(self) -> None:
        self._fetching = asyncio.ensure_future(self._take())
        try:
            await self._fetching
        except asyncio.CancelledError:
            if not self._stopping:
                raise

    async def _take(self) -> None:
        """Fill the buffer: with what is under way first, and only then from the outboxes.

        Taken alike, what is under way would fall behind without bound where more comes in than the lane can do.
        """
        most = self._context.settings.batch_records
        await self._take_from(self._under_way, most, timeout_ms=0)
        if room := most - len(self._buffer):
            await self._take_from(self._partitions, room, timeout_ms=0 if self._buffer else _POLL_MS)

    async def _take_from(self, partitions: Sequence[TopicPartition], room: int, *, timeout_ms: int) -> None:
        fetched = await self._context.consumer.getmany(*partitions, timeout_ms=timeout_ms, max_records=room)
        for tp, records in fetched.items():
            for r in records:
                self._buffer.append(Consumed(tp.topic, tp.partition, r.offset, r.key, r.value, r.headers, r.timestamp))

    def _hold(self, record: Consumed) -> None:
        """The head of a queue of those who wait stays where it is; its partition rests until it may be tried."""
        tp = TopicPartition(record.topic, record.partition)
        participant = topics.waiting_for(tp.topic) or ""
        until = self._context.circuits.until(participant)
        wait = max(until - time.monotonic(), 0.05) if until else _UNREADABLE_SECONDS
        self._context.consumer.seek(tp, record.offset)
        self._context.consumer.pause(tp)
        self._held[tp] = time.monotonic() + wait
        others = [r for r in self._buffer if r.topic != record.topic]
        self._buffer.clear()
        self._buffer.extend(others)

    def _resume(self, partitions: list[TopicPartition]) -> None:
        for tp in partitions:
            del self._held[tp]
            self._context.consumer.resume(tp)

    # --- committing ---------------------------------------------------------------------------------------------------

    async def _commit(self, planned: PlannedBatch) -> None:
        self._turned = time.monotonic()
        if await self._destinations_failed(planned):
            self._batcher.put_back(planned, self._buffer)
            return
        await self._commit_markers.seen()
        records = [(source, await self._context.claims.stowed(record)) for source, record in planned.batch.out]
        try:
            deadline = self._context.settings.produce_seconds
            began = time.monotonic()
            written = await transact(self._open_producer, records, planned.offsets, deadline)
            self._context.meter.observe(metrics.COMMIT_SECONDS, time.monotonic() - began)
        except NotTaken as refused:
            self._batcher.learn(refused, planned)
            raise Again(f"{len(refused.refusals)} records were refused") from refused
        self._commit_markers.expect(written)
        self._batcher.kept(planned, written)
        self._troubles = 0

    async def _destinations_failed(self, planned: PlannedBatch) -> bool:
        """Whether a destination's metadata speaks against writing there; looked at before the transaction begins."""
        names = {produced.topic for _, produced in planned.batch.out}
        found = await troubles(self._open_producer, names, _PATIENCE_SECONDS)
        found |= dict.fromkeys(names & await self._commit_markers.unsettled(names), "unsettled")
        for topic, reason in found.items():
            participant = topics.reader_of(topic)
            if participant is None:
                raise Again(f"{topic}: {reason}")
            self._context.circuits.failed(participant, reason)
        return bool(found)

    # --- beside the records -------------------------------------------------------------------------------------------

    async def _sweep(self) -> None:
        """Forget what is older than it has to be remembered."""
        self._swept = time.monotonic()
        planned = self._batcher.sweep()
        if planned.batch.out:
            await self._commit(planned)
            self._swept -= _SWEEP_SECONDS  # there may be more

    def _snapshot(self) -> None:
        """Copy to disk, beside the work, what has changed much since it was copied last."""
        if self._copying is not None and not self._copying.done():
            return
        for store in self._batcher.stores.all:
            if store.true_to is not None and self._context.snapshots.is_due(store):
                given = store.copy(), self.index
                self._copying = asyncio.create_task(asyncio.to_thread(self._context.snapshots.save, *given))
                return

    async def _end_backlogs(self) -> None:
        """Where all that waited when the lane opened is done, new deliveries go straight again."""
        for participant, end in list(self._batcher.routes.backlog.items()):
            tp = TopicPartition(topics.retry(participant), self.index)
            is_in_hand = tp in self._held or any(r.topic == tp.topic for r in self._buffer)
            if not is_in_hand and await self._context.consumer.position(tp) >= end:
                del self._batcher.routes.backlog[participant]

    async def _recover(self, error: Exception) -> None:
        """Pause before the lane opens again; an error that is not known to pass is borne a few times only."""
        self._troubles += 1
        passes = isinstance(error, Again | Failed | TimeoutError) or getattr(error, "retriable", False)
        logger.warning("lane.again", lane=self.index, reason=str(error) or repr(error), times=self._troubles)
        if not passes and self._troubles > _BORNE:
            raise Leave(Reason.BROKEN, f"lane {self.index}: {error!r}") from error
        if self._troubles > 1:
            pause = min(_LONGEST_PAUSE_SECONDS, 0.1 * 2 ** min(self._troubles, 12))
            await asyncio.sleep(pause * (0.5 + random.random() / 2))  # noqa: S311 - jitter

    async def _close(self) -> None:
        self.is_open = False
        self._commit_markers.drop()
        producer, self._producer = self._producer, None
        if producer is not None:
            await discard(producer)

    @property
    def _open_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise Again("the lane has no producer")
        return self._producer
