"""A lane's batches: taken from its buffer, planned against its memory, and what a refusal teaches the next plan."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError, RecordTooLargeError

from broker import log
from broker.kafka.lanes.measure import count_batch
from broker.model.errors import Failed
from broker.relay import headers, topics
from broker.relay.batch import Batch, Unfetched
from broker.relay.deliveries import goes_on_waiting, is_given_up
from broker.relay.delivery_routes import DeliveryRoute, DeliveryRoutes
from broker.relay.dispatch import plan, plan_failed
from broker.relay.elsewhere import DoneElsewhere, Elsewhere
from broker.relay.references import forget_name
from broker.relay.stores import Stores

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.kafka.lanes.buffer import Buffer
    from broker.kafka.lanes.transaction import NotTaken
    from broker.kafka.lanes.worker_context import WorkerContext
    from broker.relay.elsewhere import Task
    from broker.relay.records import Consumed, Place

logger = log.get(__name__)

_TOO_LARGE = (MessageSizeTooLargeError, RecordTooLargeError, RecordListTooLargeError)
_BATCH_BYTES = 32 << 20
_SWEEP_RECORDS = 1000
_FIRST_RECORDS = 8
"""Of the first batch, twice as many of the next: who waits for a worker that starts hears from it soon."""


@dataclass
class PlannedBatch:
    """The records taken in hand, and what follows from them."""

    batch: Batch
    taken: list[Consumed] = field(default_factory=list)

    @property
    def offsets(self) -> dict[TopicPartition, int]:
        """Up to where each partition is done with it."""
        return {TopicPartition(r.topic, r.partition): r.following for r in self.taken}


class _Spoilt(Exception):
    """A plan broke off half-way. Nothing has been sent, so only the plan is made anew."""


class Batcher:
    """Makes the batches of one lane, with its memory, its view of the destinations, and what it learned of records."""

    def __init__(self, lane: int, context: WorkerContext) -> None:
        self._lane = lane
        self._context = context
        self.stores = Stores()
        self.routes = DeliveryRoutes(context.circuits, context.settings.max_record_bytes)
        self._poison: dict[Place, str] = {}
        self._sources: dict[Place, bytes | None] = {}
        self._limit = min(_FIRST_RECORDS, context.settings.batch_records)
        self._at: int | None = None
        """The time of a batch that is planned anew with what was done elsewhere."""
        self._elsewhere: Elsewhere | None = None
        self._rules = context.rules
        if context.aside is not None:
            self._elsewhere = Elsewhere(self._rules.process, self._rules.render, self._rules.recognise)
            self._rules = replace(self._rules, process=self._elsewhere.process, render=self._elsewhere.render)

    def forget(self) -> None:
        """What was planned and not committed never was."""
        self.stores.forget()
        self.routes.forget()

    async def plan(self, buffer: Buffer, hold: Callable[[Consumed], None]) -> PlannedBatch:
        """A batch from the head of the buffer; ``hold`` takes out what waits for its destination.

        It is planned anew from its beginning when a record turns out to be one that spoils it.
        """
        while True:
            planned = self._empty()
            try:
                await self._fill(planned, buffer, hold)
            except _Spoilt:
                self.put_back(planned, buffer)
            else:
                return planned

    def put_back(self, planned: PlannedBatch, buffer: Buffer) -> None:
        """Nothing was begun: the records are to be planned again, knowing more."""
        self.forget()
        buffer.put_back(planned.taken)

    def sweep(self) -> PlannedBatch:
        """Tombstones for what is older than it has to be remembered."""
        planned, context = self._empty(), self._context
        oldest = context.now() - context.settings.kept_state_days * 86_400_000
        for store in self.stores.all:
            for key in list(islice(store.older_than(oldest), _SWEEP_RECORDS)):
                if store is self.stores.references:
                    forget_name(planned.batch, key)
                else:
                    planned.batch.write(store.put(key, None, self._lane))
        return planned

    # --- planning -----------------------------------------------------------------------------------------------------

    def _empty(self) -> PlannedBatch:
        context = self._context
        return PlannedBatch(
            Batch(self._lane, self._at or context.now(), self._rules, self.stores, self.routes, self._fetched)
        )

    async def _fill(self, planned: PlannedBatch, buffer: Buffer, hold: Callable[[Consumed], None]) -> None:
        """Plan until the batch is full of records, bytes or time; the rest stays in the buffer."""
        until, room, seen = time.monotonic() + self._context.settings.batch_seconds, _BATCH_BYTES, 0
        while buffer and len(planned.taken) < self._limit and time.monotonic() < until and room > 0:
            record = buffer.head()
            if not await self._plan_whole(planned.batch, record):
                hold(record)
                continue
            planned.taken.append(buffer.pop())
            self._sources.clear()
            room -= sum(len(produced.value or b"") for _, produced in planned.batch.out[seen:])
            seen = len(planned.batch.out)
            await asyncio.sleep(0)

    async def _plan_whole(self, batch: Batch, record: Consumed) -> bool:
        """Plan a record with its content, which may lie in the object store; what is not to be had now, waits."""
        if topics.writer_of(record.topic) is None and record.header(headers.CLAIM) and record.place not in self._poison:
            if topics.waiting_for(record.topic) and goes_on_waiting(batch, record):
                return False
            try:
                return await self._plan_one(batch, await self._context.claims.fetch(record))
            except Failed as error:
                logger.warning("claim.unread", origin=str(record.place), reason=str(error))
                if topics.waiting_for(record.topic) and not is_given_up(batch, record):
                    return False
                self._poison[record.place] = f"Claim: {error}"
        return await self._plan_one(batch, record)

    async def _plan_one(self, batch: Batch, record: Consumed) -> bool:
        if known := self._poison.get(record.place):
            plan_failed(batch, record, known)
            return True
        while True:
            try:
                return plan(batch, record)
            except Unfetched as need:
                self._sources[need.place] = await self._context.origins.read(need.place)
            except DoneElsewhere as need:
                self._at = batch.now  # or the plan that is made anew would ask for what was never done
                await self._do_elsewhere(need.task, record)
                raise _Spoilt from need
            except Exception as error:  # what nobody foresaw: the draft is spoilt, the record is known now
                self._poison[record.place] = f"{type(error).__name__}: {error}"
                logger.exception("record.poison", origin=str(record.place))
                raise _Spoilt from error

    async def _do_elsewhere(self, task: Task, record: Consumed) -> None:
        """What takes long is done in a process of its own; that it takes too long is what came of it then."""
        aside, elsewhere = self._context.aside, self._elsewhere
        if aside is None or elsewhere is None:
            return
        result = await aside.do(task.packed())
        self._context.moved(0)  # it was at work, not stuck
        if result is None:
            logger.error("record.over-budget", origin=str(record.place))
        elsewhere.learn(task, result)

    def _fetched(self, place: Place) -> bytes | None:
        if place not in self._sources:
            raise Unfetched(place)
        return self._sources[place]

    # --- learning -----------------------------------------------------------------------------------------------------

    def learn(self, refused: NotTaken, planned: PlannedBatch) -> None:
        """What the next plan does otherwise: the guilty record takes its other way, or fewer records go together."""
        self._at = None
        if self._own_topics_refused(refused):
            return
        guilty: dict[str, set[Place]] = {}
        for (source, record), error in refused.refusals:
            participant, reason = topics.reader_of(record.topic), type(error).__name__
            if (waits := topics.waiting_for(record.topic)) is not None and not isinstance(error, _TOO_LARGE):
                logger.error("topic.unwritable", topic=record.topic, reason=reason)
                self.routes.queue_failed(waits, reason)
            elif isinstance(error, _TOO_LARGE):
                guilty.setdefault(record.topic, set()).add(source.place)
            elif participant is not None:
                self._context.circuits.failed(participant, reason)
                if topics.waiting_for(source.topic) is None:
                    self.routes.refused(source.place, record.topic, DeliveryRoute("retry", reason))
        for topic, places in guilty.items():
            if len(places) > 1:
                self._limit = max(1, len(planned.taken) // 2)
            elif topics.reader_of(topic):
                self.routes.refused(next(iter(places)), topic, DeliveryRoute("deadletter", "too-large"))
            else:
                self._poison[next(iter(places))] = f"TooLarge: {topic} does not take it"

    def _keep_at_hand(self, planned: PlannedBatch) -> None:
        """Of what was learned, what is of use still: a document's answers often come soon."""
        self._at = None
        if self._elsewhere is not None:
            self._elsewhere.forget()
        for record in planned.taken:
            self._poison.pop(record.place, None)
            if topics.writer_of(record.topic):
                self._context.origins.see(record.place, record.content)

    def _own_topics_refused(self, refused: NotTaken) -> bool:
        """Whether the relay's own topics take nothing: then no destination is to blame, and all is tried again."""
        errors = {
            record.topic: type(error).__name__
            for (_, record), error in refused.refusals
            if record.topic in topics.OWN and not isinstance(error, _TOO_LARGE)
        }
        if errors:
            logger.error("topics.refused", topics=sorted(errors), reasons=sorted(set(errors.values())), lane=self._lane)
        return bool(errors)

    def kept(self, planned: PlannedBatch, written: dict[TopicPartition, int]) -> None:
        """The batch is committed: what it planned is true now, and may be said."""
        self.stores.keep()
        self.routes.keep({record.place for record in planned.taken})
        for store in self.stores.all:
            if (last := written.get(TopicPartition(store.topic, self._lane))) is not None:
                store.true_to = last + 1
        for topic in {produced.topic for _, produced in planned.batch.out}:
            if participant := topics.reader_of(topic):
                self._context.circuits.worked(participant)
        self._keep_at_hand(planned)
        self._limit = min(self._limit * 2, self._context.settings.batch_records)
        self._context.moved(len(planned.taken))
        said, now = planned.batch.log_events, self._context.now()
        for _, fields in said:
            if written_at := fields.pop("since", None):
                fields["milliseconds"] = now - written_at
        count_batch(self._context.meter, planned.taken, (record for _, record in planned.batch.out), said, now)
        for event, fields in said:
            logger.info(event, lane=self._lane, **fields)
