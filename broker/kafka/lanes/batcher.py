"""A lane's batches: taken from its buffer, planned against its memory, and what a refusal teaches the next plan."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError, RecordTooLargeError

from broker import log
from broker.model.errors import Failed
from broker.relay import headers, topics
from broker.relay.batch import Draft, Unfetched
from broker.relay.deliveries import goes_on_waiting, is_given_up
from broker.relay.delivery_routes import Way, Ways
from broker.relay.dispatch import bury, plan
from broker.relay.stores import Memory

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable

    from broker.kafka.lanes.transaction import NotTaken
    from broker.kafka.lanes.worker_context import Surroundings
    from broker.relay.records import Consumed, Place

logger = log.get(__name__)

_TOO_LARGE = (MessageSizeTooLargeError, RecordTooLargeError, RecordListTooLargeError)
_BATCH_BYTES = 32 << 20
_SWEEP_RECORDS = 1000
_FIRST_RECORDS = 8
"""Of the first batch, twice as many of the next: who waits for a worker that starts hears from it soon."""


@dataclass
class Batch:
    """The records taken in hand, and what follows from them."""

    draft: Draft
    taken: list[Consumed] = field(default_factory=list)

    @property
    def offsets(self) -> dict[TopicPartition, int]:
        """Up to where each partition is done with it."""
        return {TopicPartition(r.topic, r.partition): r.offset + 1 for r in self.taken}


class _Spoilt(Exception):
    """A plan broke off half-way. Nothing has been sent, so only the plan is made anew."""


class Planner:
    """Makes the batches of one lane, with its memory, its view of the destinations, and what it learned of records."""

    def __init__(self, lane: int, around: Surroundings) -> None:
        self._lane = lane
        self._around = around
        self.memory = Memory()
        self.ways = Ways(around.destinations, around.settings.max_record_bytes)
        self._poison: dict[Place, str] = {}
        self._sources: dict[Place, bytes | None] = {}
        self._limit = min(_FIRST_RECORDS, around.settings.batch_records)

    def forget(self) -> None:
        """What was planned and not committed never was."""
        self.memory.forget()
        self.ways.forget()

    async def plan(self, buffer: deque[Consumed], hold: Callable[[Consumed], None]) -> Batch:
        """A batch from the head of the buffer; ``hold`` takes out what waits for its destination.

        It is planned anew from its beginning when a record turns out to be one that spoils it.
        """
        while True:
            batch = self._empty()
            try:
                await self._fill(batch, buffer, hold)
            except _Spoilt:
                self.put_back(batch, buffer)
            else:
                return batch

    def put_back(self, batch: Batch, buffer: deque[Consumed]) -> None:
        """Nothing was begun: the records are to be planned again, knowing more."""
        self.forget()
        buffer.extendleft(reversed(batch.taken))

    def sweep(self) -> Batch:
        """Tombstones for what is older than it has to be remembered."""
        batch, around = self._empty(), self._around
        oldest = around.now() - around.settings.kept_state_days * 86_400_000
        for shelf in self.memory.shelves:
            for key in list(islice(shelf.older_than(oldest), _SWEEP_RECORDS)):
                batch.draft.emit(shelf.put(key, None, self._lane))
        return batch

    # --- planning -----------------------------------------------------------------------------------------------------

    def _empty(self) -> Batch:
        around = self._around
        return Batch(Draft(self._lane, around.now(), around.rules, self.memory, self.ways, self._fetched))

    async def _fill(self, batch: Batch, buffer: deque[Consumed], hold: Callable[[Consumed], None]) -> None:
        """Plan until the batch is full of records, bytes or time; the rest stays in the buffer."""
        until, room, seen = time.monotonic() + self._around.settings.batch_seconds, _BATCH_BYTES, 0
        while buffer and len(batch.taken) < self._limit and time.monotonic() < until and room > 0:
            record = buffer[0]
            if not await self._plan_whole(batch.draft, record):
                hold(record)
                continue
            batch.taken.append(buffer.popleft())
            self._sources.clear()
            room -= sum(len(produced.value or b"") for _, produced in batch.draft.out[seen:])
            seen = len(batch.draft.out)
            await asyncio.sleep(0)

    async def _plan_whole(self, draft: Draft, record: Consumed) -> bool:
        """Plan a record with its content, which may lie in the object store; what is not to be had now, waits."""
        if topics.writer_of(record.topic) is None and record.header(headers.CLAIM) and record.place not in self._poison:
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
                raise _Spoilt from error

    def _fetched(self, place: Place) -> bytes | None:
        if place not in self._sources:
            raise Unfetched(place)
        return self._sources[place]

    # --- learning -----------------------------------------------------------------------------------------------------

    def learn(self, refused: NotTaken, batch: Batch) -> None:
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
                    self.ways.refused(source.place, record.topic, Way("retry", reason))
        for topic, places in guilty.items():
            if len(places) > 1:
                self._limit = max(1, len(batch.taken) // 2)
            elif topics.reader_of(topic):
                self.ways.refused(next(iter(places)), topic, Way("deadletter", "too-large"))
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
            logger.error("topics.refused", topics=sorted(errors), reasons=sorted(set(errors.values())), lane=self._lane)
        return bool(errors)

    def kept(self, batch: Batch, written: dict[TopicPartition, int]) -> None:
        """The batch is committed: what it planned is true now, and may be said."""
        self.memory.keep()
        self.ways.keep({record.place for record in batch.taken})
        for shelf in self.memory.shelves:
            if (last := written.get(TopicPartition(shelf.topic, self._lane))) is not None:
                shelf.true_to = last + 1
        for topic in {produced.topic for _, produced in batch.draft.out}:
            if participant := topics.reader_of(topic):
                self._around.destinations.worked(participant)
        for record in batch.taken:
            self._poison.pop(record.place, None)
            if topics.writer_of(record.topic):
                self._around.origins.see(record.place, record.content)
        self._limit = min(self._limit * 2, self._around.settings.batch_records)
        self._around.moved(len(batch.taken))
        for event, fields in batch.draft.told:
            logger.info(event, lane=self._lane, **fields)
