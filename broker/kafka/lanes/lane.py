"""A lane: the one order of work and the one transactional producer for partition k of every topic of the group."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced

from broker import log, metrics
from broker.kafka.clients import discard, lane_producer
from broker.kafka.lanes.batcher import Batcher
from broker.kafka.lanes.buffer import Buffer
from broker.kafka.lanes.commit_markers import CommitMarkers
from broker.kafka.lanes.leave import Leave, Reason
from broker.kafka.lanes.recovery import catch_up
from broker.kafka.lanes.transaction import NotTaken, transact, troubles
from broker.kafka.lanes.transaction_admin import Unstable
from broker.model.errors import Failed
from broker.relay import topics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aiokafka import AIOKafkaProducer

    from broker.kafka.lanes.batcher import PlannedBatch
    from broker.kafka.lanes.worker_context import WorkerContext
    from broker.relay.records import Consumed

logger = log.get(__name__)

_POLL_MS = 500
_PATIENCE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 30.0
_SWEEP_SECONDS = 300.0
_BORNE = 5
_TURN_SECONDS = 0.05
"""Between the beginnings of two transactions where no more lies at hand: what comes in the meantime goes together."""
_UNREADABLE_SECONDS = 5.0
_LEAST_SHARE = 4
"""Of a partition at once, however many others have something."""
_BUFFER_BYTES = 8 << 20
"""At hand in one lane, beside the last that was taken: what lies in Kafka takes no memory."""


class Again(Exception):
    """The lane forgets what it planned, and opens again."""


class Lane:
    """One lane while this worker holds it: opened, worked, and opened again after everything that went wrong."""

    def __init__(self, index: int, partitions: Iterable[TopicPartition], context: WorkerContext) -> None:
        self.index = index
        self._context = context
        self._partitions = frozenset(partitions)
        self._next: dict[TopicPartition, int] = {}
        """Of each partition that is worked: the offset to be fetched next."""
        self._batcher = Batcher(index, context)
        self._commit_markers = CommitMarkers(
            index, context.transactions, topics.written_topics(context.rules.participants)
        )
        self._producer: AIOKafkaProducer | None = None
        self._buffer = Buffer()
        self._held: dict[TopicPartition, float] = {}
        """Partitions that rest, each until a moment."""
        self._troubles = 0
        self._stopping = False
        self._in_hand = False
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
                    await self._context.settled()
                    if self._stopping:  # another worker was given the lane, and was quicker
                        return
                    raise Leave(Reason.FENCED, f"lane {self.index} is held by another worker: {error!r}") from error
                except (Again, Failed, KafkaError, TimeoutError) as error:
                    await self._recover(error)
        finally:
            await self._close()

    def stop(self) -> None:
        """Finish the turn in hand and begin no other."""
        self._stopping = True
        if self._fetching is not None:
            self._fetching.cancel()

    def stays(self, partitions: Iterable[TopicPartition]) -> None:
        """The group was divided anew and the lane stays here: it goes on where it is, with topics that came or went."""
        self._partitions = frozenset(partitions)
        for tp in self._next.keys() - self._partitions:
            self._leave(tp)
        for tp in self._partitions:
            if tp in self._next:
                self._context.fetched.seek(tp, self._next[tp])
            if tp not in self._next or tp in self._held:
                self._context.fetched.pause(tp)

    def is_worked(self, tp: TopicPartition) -> bool:
        """Whether what lies there is to be taken now."""
        return tp in self._next and tp not in self._held

    @property
    def is_busy(self) -> bool:
        """Whether it has records before it that are not committed."""
        return self._in_hand or bool(self._buffer)

    @property
    def partitions(self) -> frozenset[TopicPartition]:
        """Those that the group gave to it."""
        return self._partitions

    def oldest(self) -> Iterator[tuple[str, float]]:
        """Senders of what was fetched and is not done, each with the time of a record (seconds)."""
        for record in tuple(self._buffer):
            if sender := topics.writer_of(record.topic):
                yield str(sender), record.timestamp / 1000

    # --- opening ------------------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        """Fence, then read what is committed, then the state, then go to where the work goes on (relay rule 2.1)."""
        began, context = time.monotonic(), self._context
        context.fetched.pause(*self._partitions)
        await self._close()
        self._batcher.forget()
        self._buffer.clear()
        self._next.clear()
        self._held.clear()
        self._batcher.routes.reopen({})
        await self._commit_markers.before_fencing()
        self._producer = lane_producer(context.settings, self.index)
        await asyncio.wait_for(self._producer.start(), context.settings.transaction_seconds)
        await self._commit_markers.after_fencing(self._producer)
        asked = asyncio.ensure_future(self._whereabouts(self._partitions))
        try:
            await catch_up(context.settings, context.snapshots, self.index, self._batcher.stores)
        finally:
            await asyncio.wait([asked])
        try:
            self._go_to_work(asked.result())
        except Unstable:
            await self._commit_markers.end_offsets()
            raise
        if missing := [name for name in topics.UNDER_WAY if TopicPartition(name, self.index) not in self._next]:
            raise Failed(f"Kafka does not say where the work goes on: {missing[0]}/{self.index}")
        self.is_open = True
        logger.info(
            "lane.opened",
            lane=self.index,
            seconds=round(time.monotonic() - began, 3),
            remembered=len(self._batcher.stores.duplicates),
            waiting=sorted(self._batcher.routes.backlog),
        )

    async def _whereabouts(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, tuple[int, int, int]]:
        """Committed, first and end offset of each partition of which Kafka tells them."""
        wanted = list(partitions)
        committed, bounds = await asyncio.gather(
            self._context.transactions.committed(wanted), self._context.bounds.of(wanted)
        )
        return {tp: (committed[tp], *bounds[tp]) for tp in wanted if tp in committed and tp in bounds}

    def _go_to_work(self, found: dict[TopicPartition, tuple[int, int, int]]) -> None:
        """Every partition to where its work goes on; one of which nothing is known rests and is asked for again."""
        for tp, (committed, first, end) in found.items():
            start = self._start(tp, committed, first, end)
            participant = topics.waiting_for(tp.topic)
            if participant and end > start:
                self._batcher.routes.backlog[str(participant)] = end
            self._next[tp] = start
            self._context.fetched.seek(tp, start)
            self._context.fetched.resume(tp)
        for tp in self._partitions - self._next.keys():
            self._held[tp] = time.monotonic() + _UNREADABLE_SECONDS
            logger.error(
                "topic.unreadable", topic=tp.topic, partition=tp.partition, reason="Kafka tells no offsets of it"
            )

    def _start(self, tp: TopicPartition, committed: int, first: int, end: int) -> int:
        """Where the work goes on; what was gone before it was read is told."""
        told = {"topic": tp.topic, "partition": tp.partition, "committed": committed, "first": first}
        if 0 <= committed < first:
            logger.error("records.lost", **told, count=first - committed)
        if committed > end:
            logger.error("topic.anew", **told, end=end)  # deleted and made again: nothing of it was read yet
            return first
        return max(committed, first)

    async def _arrive(self) -> None:
        """Partitions that came since the lane opened, or could not be read: worked from where they stand."""
        now = time.monotonic()
        coming = [tp for tp in self._partitions if tp not in self._next and self._held.get(tp, 0.0) <= now]
        if coming:
            for tp in coming:
                self._held.pop(tp, None)
            self._go_to_work(await self._whereabouts(coming))

    def _leave(self, tp: TopicPartition) -> None:
        """A partition that is not ours any more, or not there."""
        self._next.pop(tp, None)
        self._held.pop(tp, None)
        self._buffer.drop(tp)
        self._batcher.routes.backlog.pop(str(topics.waiting_for(tp.topic)), None)

    # --- a turn -------------------------------------------------------------------------------------------------------

    async def _turn(self) -> None:
        """One batch: taken, planned, committed."""
        await self._arrive()
        self._resume([tp for tp, until in self._held.items() if tp in self._next and time.monotonic() >= until])
        if not self._buffer:
            await asyncio.sleep(max(0.0, self._turned + _TURN_SECONDS - time.monotonic()))
        self._take()
        if not self._buffer:
            await self._fetch()
        if self._buffer:
            began, self._in_hand = time.monotonic(), True
            try:
                planned = await self._batcher.plan(self._buffer, self._hold)
                if planned.taken:
                    await self._commit(planned)
                    self._context.meter.observe(metrics.BATCH_SECONDS, time.monotonic() - began)
            finally:
                self._in_hand = False
        elif time.monotonic() - self._swept > _SWEEP_SECONDS:
            await self._sweep()
        self._end_backlogs()
        await self._commit_markers.tend()
        self._snapshot()

    async def _fetch(self) -> None:
        """Wait until something is at hand, and take it."""
        self._fetching = asyncio.ensure_future(self._context.fetched.wait(self._next.keys(), _POLL_MS / 1000))
        try:
            await self._fetching
        except asyncio.CancelledError:
            if not self._stopping:
                raise
        self._take()

    def _take(self) -> None:
        """Fill the buffer with its share of every partition of which something is at hand, those with least first."""
        ready = self._context.fetched.ready(tp for tp in self._next if tp not in self._held)
        if not ready:
            return
        share = max(_LEAST_SHARE, self._context.settings.batch_records // len(ready))
        for tp in sorted(ready, key=self._buffer.count):
            if self._buffer.bytes > _BUFFER_BYTES:
                return
            if (room := share - self._buffer.count(tp)) > 0:
                self._take_from(tp, room)

    def _take_from(self, tp: TopicPartition, room: int) -> None:
        self._note_gap(tp, self._context.fetched.position(tp))
        try:
            records = self._context.fetched.take(tp, room)
        except KafkaError as error:  # of this topic alone
            if tp.topic in topics.UNDER_WAY:
                raise
            logger.error("topic.unreadable", topic=tp.topic, partition=tp.partition, reason=repr(error))  # noqa: TRY400
            self._rest(tp, self._next[tp], _UNREADABLE_SECONDS)
            return
        position = self._context.fetched.position(tp)
        if position is not None:
            self._next[tp] = position
        self._buffer.add(records)

    def _note_gap(self, tp: TopicPartition, at: int | None) -> None:
        """Say where what was to come next is not there any more, and the client went on where there is something."""
        told = {"topic": tp.topic, "partition": tp.partition, "next": self._next[tp], "first": at}
        if at is not None and at > self._next[tp]:
            logger.error("records.lost", **told, count=at - self._next[tp])
        elif at is not None and at < self._next[tp]:
            logger.error("topic.anew", **told)

    def _hold(self, record: Consumed) -> None:
        """The head of a queue of those who wait stays where it is; its partition rests until it may be tried."""
        tp = TopicPartition(record.topic, record.partition)
        until = self._context.circuits.until(topics.waiting_for(tp.topic) or "")
        self._rest(tp, record.offset, max(until - time.monotonic(), 0.05) if until else _UNREADABLE_SECONDS)

    def _rest(self, tp: TopicPartition, offset: int, seconds: float) -> None:
        """Nothing is taken of a partition for a while; then it goes on at that offset."""
        self._context.fetched.seek(tp, offset)
        self._context.fetched.pause(tp)
        self._next[tp] = offset
        self._held[tp] = time.monotonic() + seconds
        self._buffer.drop(tp)

    def _resume(self, partitions: list[TopicPartition]) -> None:
        for tp in partitions:
            del self._held[tp]
            self._context.fetched.resume(tp)

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
            if (waits := topics.waiting_for(topic)) is not None:
                logger.error("topic.unwritable", topic=topic, reason=reason)
                self._batcher.routes.queue_failed(waits, reason)
            elif (participant := topics.reader_of(topic)) is not None:
                self._context.circuits.failed(participant, reason)
            else:
                raise Again(f"{topic}: {reason}")
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

    def _end_backlogs(self) -> None:
        """Where all that waited when the lane opened is done, new deliveries go straight again."""
        for participant, end in list(self._batcher.routes.backlog.items()):
            tp = TopicPartition(topics.retry(participant), self.index)
            if tp not in self._held and not self._buffer.count(tp):
                position = self._context.fetched.position(tp)
                if position is not None and position >= end:
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
