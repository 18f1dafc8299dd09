"""A lane: the one order of work and the one transactional producer for partition k of every topic of the group."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
    RecordListTooLargeError,
    RecordTooLargeError,
)

from broker import log, topics
from broker.errors import Failed
from broker.kafka.clients import discard, lane_producer
from broker.kafka.draft import Draft, Unfetched
from broker.kafka.leave import Leave, Reason
from broker.kafka.memory import Memory
from broker.kafka.plan import bury, plan
from broker.kafka.state import catch_up
from broker.kafka.transaction import NotTaken, transact, trouble
from broker.kafka.waiting import goes_on_waiting, is_given_up
from broker.kafka.ways import Way, Ways
from broker.topics import Consumed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
    from aiokafka.admin import AIOKafkaAdminClient

    from broker.kafka.claims import Claims
    from broker.kafka.destinations import Destinations
    from broker.kafka.draft import Rules
    from broker.kafka.origin import Origins
    from broker.settings import Settings
    from broker.topics import Place

logger = log.get(__name__)

_TOO_LARGE = (MessageSizeTooLargeError, RecordTooLargeError, RecordListTooLargeError)
_BATCH_BYTES = 32 << 20
_POLL_MS = 500
_PATIENCE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 30.0
_SWEEP_SECONDS = 300.0
_SWEEP_RECORDS = 1000
_BORNE = 5


@dataclass
class Surroundings:
    """What all lanes of a worker share."""

    settings: Settings
    rules: Rules
    consumer: AIOKafkaConsumer
    admin: AIOKafkaAdminClient
    destinations: Destinations
    origins: Origins
    claims: Claims
    now: Callable[[], int] = lambda: int(time.time() * 1000)
    """Milliseconds since 1970."""
    moved: Callable[[int], None] = lambda _: None
    """Told how many records a commit has moved."""


class Again(Exception):
    """The lane forgets what it planned, and opens again."""


@dataclass
class _Batch:
    """The records taken in hand, and what follows from them."""

    draft: Draft
    taken: list[Consumed] = field(default_factory=list)

    @property
    def offsets(self) -> dict[TopicPartition, int]:
        return {TopicPartition(r.topic, r.partition): r.offset + 1 for r in self.taken}


class Lane:
    """One lane while this worker holds it: opened, worked, and opened again after everything that went wrong."""

    def __init__(self, index: int, worked: Sequence[str], around: Surroundings) -> None:
        self.index = index
        self._around = around
        self._partitions = [TopicPartition(topic, index) for topic in worked]
        self._memory = Memory()
        self._ways = Ways(around.destinations, around.settings.max_record_bytes)
        self._producer: AIOKafkaProducer | None = None
        self._buffer: deque[Consumed] = deque()
        self._held: dict[TopicPartition, float] = {}
        self._poison: dict[Place, str] = {}
        self._sources: dict[Place, bytes | None] = {}
        self._limit = around.settings.batch_records
        self._troubles = 0
        self._stopping = False
        self._swept = time.monotonic()
        self._fetching: asyncio.Future[Any] | None = None

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

    # --- opening ------------------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        """Fence, then read what is committed, then the state, then go to where the work goes on (relay rule 2.1)."""
        began, around = time.monotonic(), self._around
        await self._close()
        self._memory.forget()
        self._ways.forget()
        self._buffer.clear()
        self._producer = lane_producer(around.settings, self.index)
        await asyncio.wait_for(self._producer.start(), around.settings.transaction_seconds)
        committed = await self._committed()
        await catch_up(around.settings, self.index, self._memory)
        starts = await around.consumer.beginning_offsets(self._partitions)
        ends = await around.consumer.end_offsets(self._partitions)
        backlog: dict[str, int] = {}
        for tp in self._partitions:
            start = self._go_to(tp, committed[tp], starts[tp])
            participant = topics.waiting_for(tp.topic)
            if participant and ends[tp] > start:
                backlog[participant] = ends[tp]
        self._ways.reopen(backlog)
        self._resume(list(self._held))
        logger.info(
            "lane.opened",
            lane=self.index,
            seconds=round(time.monotonic() - began, 3),
            remembered=len(self._memory.duplicates),
            waiting=sorted(backlog),
        )

    async def _committed(self) -> dict[TopicPartition, int]:
        """The committed offset of each partition, -1 for none; asked anew, after the fencing."""
        found = await self._around.admin.list_consumer_group_offsets(topics.RELAY_GROUP, partitions=self._partitions)
        if set(found) != set(self._partitions):  # an error of the whole answer shows as nothing found
            raise Again("the committed offsets could not be read")
        return {tp: at.offset for tp, at in found.items()}

    def _go_to(self, tp: TopicPartition, committed: int, first: int) -> int:
        if 0 <= committed < first:
            logger.error("records.lost", topic=tp.topic, partition=tp.partition, committed=committed, first=first)
        start = max(committed, first)
        self._around.consumer.seek(tp, start)
        return start

    # --- a turn -------------------------------------------------------------------------------------------------------

    async def _turn(self) -> None:
        """One batch: taken, planned, committed."""
        self._resume([tp for tp, until in self._held.items() if time.monotonic() >= until])
        if not self._buffer:
            await self._fetch()
        if self._buffer:
            batch = await self._plan()
            if batch.taken:
                await self._commit(batch)
        elif time.monotonic() - self._swept > _SWEEP_SECONDS:
            await self._sweep()
        await self._end_backlogs()

    async def _fetch(self) -> None:
        self._fetching = asyncio.ensure_future(
            self._around.consumer.getmany(
                *self._partitions, timeout_ms=_POLL_MS, max_records=self._around.settings.batch_records
            )
        )
        try:
            fetched = await self._fetching
        except asyncio.CancelledError:
            if self._stopping:
                return
            raise
        for tp, records in fetched.items():
            for r in records:
                self._buffer.append(Consumed(tp.topic, tp.partition, r.offset, r.key, r.value, r.headers, r.timestamp))

    async def _plan(self) -> _Batch:
        """Plan from the buffer until the batch is full of records, bytes or time; the rest stays in the buffer."""
        around = self._around
        draft = Draft(self.index, around.now(), around.rules, self._memory, self._ways, self._fetched)
        batch, until, room, seen = _Batch(draft), time.monotonic() + around.settings.batch_seconds, _BATCH_BYTES, 0
        while self._buffer and len(batch.taken) < self._limit and time.monotonic() < until and room > 0:
            record = self._buffer[0]
            tp = TopicPartition(record.topic, record.partition)
            if not await self._plan_whole(draft, record):
                self._hold(tp, record)
                continue
            batch.taken.append(self._buffer.popleft())
            self._sources.clear()
            room -= sum(len(produced.value or b"") for _, produced in draft.out[seen:])
            seen = len(draft.out)
            await asyncio.sleep(0)
        return batch

    async def _plan_whole(self, draft: Draft, record: Consumed) -> bool:
        """Plan a record with its content, which may lie in the object store; what is not to be had now, waits."""
        if topics.writer_of(record.topic) is None and record.header(topics.CLAIM) and record.place not in self._poison:
            if topics.waiting_for(record.topic) and goes_on_waiting(draft, record):
                return False
            try:
                return await self._plan_one(draft, await self._around.claims.fetch(record))
            except Failed as error:
                logger.warning("claim.unread", origin=str(record.place), reason=str(error))
                if topics.waiting_for(record.topic) and not is_given_up(draft, record):
                    return False
                self._poison[record.place] = f"Claim: {error}"
        return await self._plan_one(draft, record)

    async def _plan_one(self, draft: Draft, record: Consumed) -> bool:
        if known := self._poison.get(record.place):
            bury(draft, record, known)
            return True
        while True:
            try:
                return plan(draft, record)
            except Unfetched as need:
                self._sources[need.place] = await self._around.origins.read(need.place)
            except Exception as error:  # what nobody foresaw: the draft is spoilt, the record is known now
                self._poison[record.place] = f"{type(error).__name__}: {error}"
                logger.exception("record.poison", origin=str(record.place))
                raise Again("a record could not be planned") from error

    def _hold(self, tp: TopicPartition, record: Consumed) -> None:
        """The head of a queue of those who wait stays where it is; its partition rests until it may be tried."""
        participant = topics.waiting_for(tp.topic) or ""
        wait = max(self._around.destinations.until(participant) - time.monotonic(), 0.05)
        self._around.consumer.seek(tp, record.offset)
        self._around.consumer.pause(tp)
        self._held[tp] = time.monotonic() + wait
        self._buffer = deque(r for r in self._buffer if (r.topic, r.partition) != (tp.topic, tp.partition))

    def _resume(self, partitions: list[TopicPartition]) -> None:
        for tp in partitions:
            del self._held[tp]
            self._around.consumer.resume(tp)

    def _fetched(self, place: Place) -> bytes | None:
        if place not in self._sources:
            raise Unfetched(place)
        return self._sources[place]

    # --- committing ---------------------------------------------------------------------------------------------------

    async def _commit(self, batch: _Batch) -> None:
        if await self._destinations_failed(batch.draft):
            self._plan_anew(batch)
            return
        claims = self._around.claims
        out = [(source, await claims.stow(p) if claims.is_large(p) else p) for source, p in batch.draft.out]
        try:
            written = await transact(self._open_producer, out, batch.offsets, self._deadline)
        except NotTaken as refused:
            self._learn(refused, batch)
            raise Again(f"{len(refused.refusals)} records were refused") from refused
        self._kept(batch, written)

    async def _destinations_failed(self, draft: Draft) -> bool:
        """Whether a destination's metadata speaks against writing there; looked at before the transaction begins."""
        producer, failed = self._open_producer, False
        for topic in {produced.topic for _, produced in draft.out}:
            reason = await trouble(producer, topic, _PATIENCE_SECONDS)
            if not reason:
                continue
            participant = topics.reader_of(topic)
            if participant is None:
                raise Again(f"{topic}: {reason}")
            self._around.destinations.failed(participant, reason)
            failed = True
        return failed

    def _plan_anew(self, batch: _Batch) -> None:
        """Nothing was begun: the records go back and are planned again, knowing more."""
        self._memory.forget()
        self._ways.forget()
        self._buffer.extendleft(reversed(batch.taken))

    def _learn(self, refused: NotTaken, batch: _Batch) -> None:
        """What the next plan does otherwise: the guilty record takes its other way, or fewer records go together."""
        if self._own_topics_refused(refused):
            return
        guilty: dict[str, set[Place]] = {}
        for (source, record), error in refused.refusals:
            participant, reason = topics.reader_of(record.topic), type(error).__name__
            if isinstance(error, _TOO_LARGE):
                guilty.setdefault(record.topic, set()).add(source.place)
            elif participant is not None:
                self._around.destinations.failed(participant, reason)
                if topics.waiting_for(source.topic) is None:
                    self._ways.refused(source.place, record.topic, Way("retry", reason))
        for topic, places in guilty.items():
            if len(places) > 1:
                self._limit = max(1, len(batch.taken) // 2)
            elif topics.reader_of(topic):
                self._ways.refused(next(iter(places)), topic, Way("deadletter", "too-large"))
            else:
                self._poison[next(iter(places))] = f"TooLarge: {topic} does not take it"

    def _own_topics_refused(self, refused: NotTaken) -> bool:
        """Whether the relay's own topics take nothing: then no destination is to blame, and all is tried again."""
        errors = {
            record.topic: type(error).__name__
            for (_, record), error in refused.refusals
            if topics.reader_of(record.topic) is None and not isinstance(error, _TOO_LARGE)
        }
        if errors:
            logger.error("topics.refused", topics=sorted(errors), reasons=sorted(set(errors.values())), lane=self.index)
        return bool(errors)

    def _kept(self, batch: _Batch, written: dict[TopicPartition, int]) -> None:
        """The batch is committed: what it planned is true now, and may be said."""
        self._memory.keep()
        self._ways.keep({record.place for record in batch.taken})
        for shelf in self._memory.shelves:
            if (last := written.get(TopicPartition(shelf.topic, self.index))) is not None:
                shelf.true_to = last + 1
        for topic in {produced.topic for _, produced in batch.draft.out}:
            if participant := topics.reader_of(topic):
                self._around.destinations.worked(participant)
        for record in batch.taken:
            self._poison.pop(record.place, None)
            if topics.writer_of(record.topic):
                self._around.origins.see(record.place, record.content)
        self._limit = min(self._limit * 2, self._around.settings.batch_records)
        self._troubles = 0
        self._around.moved(len(batch.taken))
        for event, fields in batch.draft.told:
            logger.info(event, lane=self.index, **fields)

    # --- beside the records -------------------------------------------------------------------------------------------

    async def _sweep(self) -> None:
        """Forget what is older than it has to be remembered."""
        around = self._around
        self._swept = time.monotonic()
        oldest = around.now() - around.settings.kept_state_days * 86_400_000
        draft = Draft(self.index, around.now(), around.rules, self._memory, self._ways, self._fetched)
        for shelf in self._memory.shelves:
            for key in list(islice(shelf.older_than(oldest), _SWEEP_RECORDS)):
                draft.emit(shelf.put(key, None, self.index))
        if draft.out:
            await self._commit(_Batch(draft))
            self._swept -= _SWEEP_SECONDS  # there may be more

    async def _end_backlogs(self) -> None:
        """Where all that waited when the lane opened is done, new deliveries go straight again."""
        for participant, end in list(self._ways.backlog.items()):
            tp = TopicPartition(topics.retry(participant), self.index)
            is_in_hand = tp in self._held or any(r.topic == tp.topic for r in self._buffer)
            if not is_in_hand and await self._around.consumer.position(tp) >= end:
                del self._ways.backlog[participant]

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
        producer, self._producer = self._producer, None
        if producer is not None:
            await discard(producer)

    @property
    def _open_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise Again("the lane has no producer")
        return self._producer

    @property
    def _deadline(self) -> float:
        return self._around.settings.produce_seconds
