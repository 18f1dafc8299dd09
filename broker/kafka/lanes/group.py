"""The relay of one worker: its consumer, its share of the lanes, and what it does when that share changes."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from broker import log, metrics
from broker.kafka.accepted_reader import AcceptedReader
from broker.kafka.clients import relay_consumer
from broker.kafka.lanes.claim_check import Claims
from broker.kafka.lanes.fetched import Fetched
from broker.kafka.lanes.lane import Lane
from broker.kafka.lanes.leave import Leave, Reason
from broker.kafka.lanes.liveness import Liveness
from broker.kafka.lanes.measure import set_share
from broker.kafka.lanes.snapshots import Snapshots
from broker.kafka.lanes.transaction_admin import TransactionAdmin
from broker.kafka.lanes.worker_context import WorkerContext
from broker.kafka.offsets import Offsets
from broker.kafka.origins import OriginReader
from broker.metrics import Meter
from broker.model.errors import Failed
from broker.relay import topics
from broker.relay.accepted_ids import AcceptedIds
from broker.relay.circuit_breaker import CircuitBreakers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiokafka import AIOKafkaConsumer

    from broker.kafka.lanes.aside import Aside
    from broker.relay.batch import PlanContext
    from broker.settings import Settings

logger = log.get(__name__)

_TICK_SECONDS = 1.0
_ASK_SECONDS = 5.0
_BORNE_SECONDS = 15.0
"""A lane that opens again within this keeps its worker ready."""
_CLEAN_SECONDS = 6 * 3600.0
_SETTLED_SECONDS = 0.05
_GRACE_SECONDS = 1.0
"""For a lane that moved away to finish its transaction, if its successor lets it."""
_OF_BEFORE = "assignment for unsubscribed topic"
"""What aiokafka says of a share with topics that were not asked for."""


class Relay:
    """Runs the lanes that the group gives to this worker, until stopped or until it must leave."""

    def __init__(
        self,
        settings: Settings,
        rules: PlanContext,
        instance: str | None = None,
        meter: Meter | None = None,
        aside: Aside | None = None,
    ) -> None:
        self._settings = settings
        self._rules = rules
        self._instance = instance
        self._worked = topics.worked_topics(rules.participants)
        self._lanes: dict[int, tuple[Lane, asyncio.Task[None]]] = {}
        self._moved_away: set[asyncio.Task[None]] = set()
        self._leaving: asyncio.Future[Leave] = asyncio.get_running_loop().create_future()
        self.liveness = Liveness(settings.stuck_seconds, time.monotonic)
        self._meter = meter or Meter()
        self._meter.add(metrics.LANELESS, 0)
        self._asked = self._ticked = self._cleaned = time.monotonic()
        self._cleaning: asyncio.Task[None] | None = None
        self._opened = float("-inf")
        self._away_since: float | None = None
        self._aside = aside

    async def run(self, stop: asyncio.Event) -> None:
        """Work until the event is set; raises Leave."""
        known = AcceptedIds()
        accepted = AcceptedReader(self._settings, known)
        rules = replace(self._rules, accepted_in=known.lane_of)
        self._context = WorkerContext(
            self._settings, rules, Fetched(self._consumer()), Offsets(self._settings),
            CircuitBreakers(self._settings, time.monotonic, rates=self._rules.rates()), OriginReader(self._settings),
            Claims(self._settings),
            Snapshots(self._settings),
            TransactionAdmin(self._settings),
            moved=self.liveness.count,
            meter=self._meter,
            settled=self._settled,
            aside=self._aside,
        )  # fmt: skip
        context = self._context
        try:
            await context.transactions.start()
            accepted.start()
            await self._join(stop)
            logger.info("relay.started", participants=len(self._rules.participants), instance=self._instance)
            await self._watch(stop)
        finally:
            accepted.stop()
            await self.close_lanes()
            for close in (context.fetched.consumer.stop, context.origins.close, context.transactions.close):
                with suppress(KafkaError, TimeoutError):
                    await asyncio.wait_for(close(), self._settings.session_seconds)
            if self._aside is not None:
                await self._aside.close()

    def _consumer(self) -> AIOKafkaConsumer:
        consumer = relay_consumer(self._settings, self._instance, len(self._worked) * self._settings.partitions)
        consumer.subscribe(self._worked, listener=_Share(self))
        return consumer

    async def _join(self, stop: asyncio.Event) -> None:
        """Join the group.

        A static member that comes back with fewer topics is given its share of before, which the client does not bear.
        It is Kafka's until the session of before has ended: so long we wait, and join again.
        """
        fetched = self._context.fetched
        try:
            await fetched.consumer.start()
        except KafkaError as error:
            if self._instance is None or _OF_BEFORE not in str(error):
                raise
            wait = self._settings.session_seconds * 1.2
            logger.warning("group.waits", instance=self._instance, seconds=wait, reason="its share of before is kept")
            with suppress(KafkaError):
                await fetched.consumer.stop()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), wait)
            fetched.consumer = self._consumer()
            await fetched.consumer.start()

    async def _watch(self, stop: asyncio.Event) -> None:
        left = self._leaving
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                await asyncio.wait(
                    cast("Any", [stopped, left]), timeout=_TICK_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                if left.done():
                    raise left.result()
                await self._tick()
        finally:
            stopped.cancel()

    async def _tick(self) -> None:
        """Keep the membership alive where no lane polls, and leave when nothing moves though records wait."""
        if not self._lanes:
            fetched = self._context.fetched
            fetched.pause(*fetched.partitions())
            await fetched.wait((), 0)
        self._note_lanes()
        await self._note_kafka()
        if time.monotonic() - self._cleaned > _CLEAN_SECONDS:
            self._cleaned = time.monotonic()
            self._cleaning = asyncio.create_task(self._clean())
        is_waiting = self.is_waiting
        if is_waiting and self.liveness.is_doubtful and not await self._context.bounds.can_be_asked():
            logger.warning("kafka.waiting", bootstrap=self._settings.bootstrap, reason="it does not answer")
            is_waiting = False  # for it, and nothing here is stuck
        self.liveness.look(is_waiting=is_waiting)
        if self.liveness.is_stuck:
            raise Leave(Reason.STUCK, f"records wait and none has moved for {self._settings.stuck_seconds:g} s")

    async def _clean(self) -> None:
        try:
            count = await self._context.claims.clean()
        except Failed as error:
            logger.warning("claims.uncleaned", reason=str(error))
        else:
            logger.info("claims.cleaned", count=count)

    def _note_lanes(self) -> None:
        now = time.monotonic()
        if self.is_open:
            self._opened = now
        else:
            self._meter.add(metrics.LANELESS, now - self._ticked)
        self._ticked = now

    async def _note_kafka(self) -> None:
        """Say once that Kafka is away, and once that it is back again."""
        now = time.monotonic()
        if now - self._asked < _ASK_SECONDS:
            return
        self._asked = now
        answers = await self._context.bounds.can_be_asked()
        if not answers and self._away_since is None:
            self._away_since = now
            logger.warning("kafka.away", bootstrap=self._settings.bootstrap)
        elif answers and self._away_since is not None:
            logger.info("kafka.back", bootstrap=self._settings.bootstrap, seconds=round(now - self._away_since, 1))
            self._away_since = None

    async def _settled(self) -> None:
        """Come back when the group is not dividing its partitions anew, or that lasts longer than it may."""
        until = time.monotonic() + self._settings.rebalance_seconds
        while self._context.fetched.is_reassigning and time.monotonic() < until:  # noqa: ASYNC110 - it is told nowhere
            await asyncio.sleep(_SETTLED_SECONDS)

    # --- the share ----------------------------------------------------------------------------------------------------

    def divide(self, assigned: Iterable[TopicPartition]) -> None:
        """The group was divided anew: a lane for each index that is ours; those that were here go on as they are.

        While it was being divided every lane worked on. Nothing can be committed twice by that: who opens a lane starts
        its producer first, whose epoch makes everything void that the one before has not committed by then, and only
        then reads what is committed.
        """
        held: defaultdict[int, set[TopicPartition]] = defaultdict(set)
        for tp in assigned:
            held[tp.partition].add(tp)
        worked = self._worked_indices(held)
        gone = sorted(self._lanes.keys() - worked.keys())
        for index in gone:
            self._move_away(index)
        for index, partitions in sorted(worked.items()):
            if index in self._lanes:
                self._lanes[index][0].stays(partitions)
            else:
                self._begin(index, partitions)
        of = len(self._context.fetched.consumer.partitions_for_topic(topics.FACTS) or self._lanes)
        self._context.circuits.rate_limit.share(len(self._lanes), max(1, of))
        logger.info("partitions.assigned", lanes=sorted(self._lanes), moved_away=gone)

    def _worked_indices(self, held: dict[int, set[TopicPartition]]) -> dict[int, set[TopicPartition]]:
        """The indices that are lanes: those that the relay's own topics have.

        A topic that is not as the others are is told by its name, and is the trouble of its participant alone.
        """
        own = set(topics.UNDER_WAY)
        found = {index: tps for index, tps in held.items() if {tp.topic for tp in tps} >= own}
        for index, tps in found.items():
            if missing := sorted(set(self._worked) - {tp.topic for tp in tps}):
                logger.error("topic.missing", lane=index, topics=missing[:5], count=len(missing))
        counts = {name: len(self._context.fetched.consumer.partitions_for_topic(name) or ()) for name in self._worked}
        if larger := sorted(name for name, count in counts.items() if count > counts[topics.FACTS]):
            logger.error("topic.partitions", topics=larger[:5], count=len(larger), lanes=counts[topics.FACTS])
        return found

    def _begin(self, index: int, partitions: Iterable[TopicPartition]) -> None:
        partitions = frozenset(partitions)
        self._context.fetched.pause(*partitions)  # until the lane says from where
        lane = Lane(index, partitions, self._context)
        task = asyncio.create_task(lane.run(), name=f"lane-{index}")
        task.add_done_callback(self._lane_ended)
        self._lanes[index] = (lane, task)

    def _move_away(self, index: int) -> None:
        """A lane that is another worker's now: what it does not finish at once is fenced there, and not waited for."""
        lane, task = self._lanes.pop(index)
        lane.stop()
        self._moved_away.add(task)
        task.add_done_callback(self._moved_away.discard)
        asyncio.get_running_loop().call_later(_GRACE_SECONDS, task.cancel)

    async def close_lanes(self) -> None:
        """Let every lane finish the transaction in hand, within the limit; what is not finished then never was."""
        lanes, self._lanes = self._lanes, {}
        for lane, _ in lanes.values():
            lane.stop()
        tasks = [task for _, task in lanes.values()]
        if tasks:
            limit = min(self._settings.drain_seconds, self._settings.rebalance_seconds / 2)
            _, late = await asyncio.wait(tasks, timeout=limit)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=self._settings.session_seconds)
            logger.info("partitions.revoked", lanes=sorted(lanes), unfinished=len(late))
        if self._moved_away:
            await asyncio.wait(self._moved_away, timeout=self._settings.session_seconds)

    def _lane_ended(self, task: asyncio.Task[None]) -> None:
        if task in self._moved_away and not task.cancelled() and (error := task.exception()) is not None:
            logger.info("lane.ended", lane=task.get_name(), reason=repr(error))
            return
        if task.cancelled() or (error := task.exception()) is None or self._leaving.done():
            return
        leave = error if isinstance(error, Leave) else Leave(Reason.BROKEN, repr(error))
        if not isinstance(error, Leave):
            logger.error("lane.crashed", exc_info=error)
        self._leaving.set_result(leave)

    # --- liveness -----------------------------------------------------------------------------------------------------

    def lanes(self) -> frozenset[int]:
        """The lanes of this worker."""
        return frozenset(self._lanes)

    @property
    def is_open(self) -> bool:
        """Whether this worker has lanes and all of them work."""
        return bool(self._lanes) and all(lane.is_open for lane, _ in self._lanes.values())

    @property
    def is_ready(self) -> bool:
        """The same, a moment's trouble borne: a record that was refused opens a lane again. Not while Kafka is away."""
        is_open = self.is_open or (bool(self._lanes) and time.monotonic() - self._opened < _BORNE_SECONDS)
        return is_open and self._away_since is None

    def measure(self) -> None:
        """How this worker's share stands now, into its numbers."""
        lags: Counter[str] = Counter()
        oldest: dict[str, float] = {}
        with suppress(AttributeError):  # not begun
            fetched, participants = self._context.fetched, self._rules.participants
            for code in participants:
                name = topics.outbox(code)
                for index in self._lanes:
                    tp = TopicPartition(name, index)
                    end, position = fetched.end(tp), fetched.position(tp)
                    if end is not None and position is not None:
                        lags[code] += max(0, end - position)
            for lane, _ in self._lanes.values():
                for sender, at in lane.oldest():
                    lags[sender] += 1
                    oldest[sender] = min(at, oldest.get(sender, at))
            circuits = {code: bool(self._context.circuits.is_broken(code)) for code in participants}
            set_share(self._meter, lags, oldest, self._settings.partitions, circuits)

    @property
    def is_waiting(self) -> bool:
        """Whether records lie before a lane that is not told to let them wait."""
        fetched = self._context.fetched
        for lane, _ in self._lanes.values():
            if lane.is_busy:
                return True
            for tp in lane.partitions:
                if topics.waiting_for(tp.topic) is None and (lane.is_worked(tp) or not lane.is_open):
                    end, position = fetched.end(tp), fetched.position(tp)
                    if end is not None and position is not None and position < end:
                        return True
        return False


class _Share(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka publishes no types
    """Tells the relay which partitions come and go."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Nothing stops: what is whose is known when it is assigned."""

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._relay.divide(assigned)
