"""The relay of one worker: its consumer, its share of the lanes, and what it does when that share changes."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from broker import log, metrics
from broker.kafka.clients import relay_consumer
from broker.kafka.lanes.claim_check import Claims
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
from broker.relay import topics
from broker.relay.circuit_breaker import CircuitBreakers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiokafka import AIOKafkaConsumer

    from broker.relay.batch import PlanContext
    from broker.settings import Settings

logger = log.get(__name__)

_TICK_SECONDS = 1.0
_ASK_SECONDS = 5.0
_BORNE_SECONDS = 15.0
"""A lane that opens again within this keeps its worker ready."""
_OF_BEFORE = "assignment for unsubscribed topic"
"""What aiokafka says of a share with topics that were not asked for."""


class Relay:
    """Runs the lanes that the group gives to this worker, until stopped or until it must leave."""

    def __init__(
        self, settings: Settings, rules: PlanContext, instance: str | None = None, meter: Meter | None = None
    ) -> None:
        self._settings = settings
        self._rules = rules
        self._instance = instance
        self._worked = topics.worked_topics(rules.participants)
        self._lanes: dict[int, tuple[Lane, asyncio.Task[None]]] = {}
        self._incomplete_since = 0.0
        self._leaving: asyncio.Future[Leave] = asyncio.get_running_loop().create_future()
        self.liveness = Liveness(settings.stuck_seconds, time.monotonic)
        self._meter = meter or Meter()
        self._asked = self._ticked = time.monotonic()
        self._opened = float("-inf")
        self._away_since: float | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Work until the event is set; raises Leave."""
        self._context = WorkerContext(
            self._settings, self._rules, self._consumer(), Offsets(self._settings),
            CircuitBreakers(self._settings, time.monotonic, rates=self._rules.rates()), OriginReader(self._settings),
            Claims(self._settings),
            Snapshots(self._settings),
            TransactionAdmin(self._settings),
            moved=self.liveness.count,
            meter=self._meter,
        )  # fmt: skip
        context = self._context
        try:
            await context.transactions.start()
            await self._join(stop)
            logger.info("relay.started", participants=len(self._rules.participants), instance=self._instance)
            await self._watch(stop)
        finally:
            await self.close_lanes()
            for close in (context.consumer.stop, context.origins.close, context.transactions.close):
                with suppress(KafkaError, TimeoutError):
                    await asyncio.wait_for(close(), self._settings.session_seconds)

    def _consumer(self) -> AIOKafkaConsumer:
        consumer = relay_consumer(self._settings, self._instance, len(self._worked) * self._settings.partitions)
        consumer.subscribe(self._worked, listener=_Share(self))
        return consumer

    async def _join(self, stop: asyncio.Event) -> None:
        """Join the group.

        A static member that comes back with fewer topics is given its share of before, which the client does not bear.
        It is Kafka's until the session of before has ended: so long we wait, and join again.
        """
        try:
            await self._context.consumer.start()
        except KafkaError as error:
            if self._instance is None or _OF_BEFORE not in str(error):
                raise
            wait = self._settings.session_seconds * 1.2
            logger.warning("group.waits", instance=self._instance, seconds=wait, reason="its share of before is kept")
            with suppress(KafkaError):
                await self._context.consumer.stop()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), wait)
            self._context.consumer = self._consumer()
            await self._context.consumer.start()

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
            with suppress(IllegalStateError):
                self._context.consumer.pause(*self._context.consumer.assignment())
                await self._context.consumer.getmany(timeout_ms=0)
        self._complete()
        self._note_lanes()
        await self._note_kafka()
        is_waiting = self.is_waiting
        if is_waiting and self.liveness.is_doubtful and not await self._context.bounds.can_be_asked():
            logger.warning("kafka.waiting", bootstrap=self._settings.bootstrap, reason="it does not answer")
            is_waiting = False  # for it, and nothing here is stuck
        self.liveness.look(is_waiting=is_waiting)
        if self.liveness.is_stuck:
            raise Leave(Reason.STUCK, f"records wait and none has moved for {self._settings.stuck_seconds:g} s")

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

    def _complete(self) -> None:
        """Join the group again when lanes stay incomplete.

        A static member that comes back with another list of topics is given its old share: Kafka divides anew only when
        asked to.
        """
        if self._incomplete_since and time.monotonic() - self._incomplete_since > self._settings.session_seconds:
            self._incomplete_since = time.monotonic()
            logger.warning("group.joined-again", reason="lanes stay incomplete")
            self._context.consumer._coordinator.request_rejoin()  # noqa: SLF001 - there is no other way to ask

    # --- the share ----------------------------------------------------------------------------------------------------

    def open_lanes(self, assigned: Iterable[TopicPartition]) -> None:
        """A lane for each index of which this worker holds every topic."""
        self._incomplete_since = 0.0
        held: defaultdict[int, set[str]] = defaultdict(set)
        for tp in assigned:
            held[tp.partition].add(tp.topic)
        for index, names in sorted(held.items()):
            if missing := set(self._worked) - names:
                logger.warning("lane.incomplete", lane=index, missing=sorted(missing)[:5], count=len(missing))
                self._incomplete_since = time.monotonic()
                continue
            lane = Lane(index, self._worked, self._context)
            task = asyncio.create_task(lane.run(), name=f"lane-{index}")
            task.add_done_callback(self._lane_ended)
            self._lanes[index] = (lane, task)
        of = len(self._context.consumer.partitions_for_topic(topics.FACTS) or self._lanes)
        self._context.circuits.rate_limit.share(len(self._lanes), max(1, of))
        logger.info("partitions.assigned", lanes=sorted(self._lanes))

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

    def _lane_ended(self, task: asyncio.Task[None]) -> None:
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
        with suppress(
            AttributeError, IllegalStateError, KeyError, AssertionError
        ):  # not begun, or a share that changes
            consumer, participants = self._context.consumer, self._rules.participants
            for code in participants:
                name = topics.outbox(code)
                for index in self._lanes:
                    tp = TopicPartition(name, index)
                    end, position = consumer.last_stable_offset(tp), self._position(tp)
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
        consumer = self._context.consumer
        with suppress(IllegalStateError, KeyError, AssertionError):  # a share that is just changing
            for index in self._lanes:
                for topic in self._worked:
                    tp = TopicPartition(topic, index)
                    end, position = consumer.last_stable_offset(tp), self._position(tp)
                    is_told_to_wait = topics.waiting_for(topic) is not None
                    if not is_told_to_wait and end is not None and position is not None and position < end:
                        return True
        return False

    def _position(self, tp: TopicPartition) -> int | None:
        subscription = self._context.consumer._subscription.subscription  # noqa: SLF001 - position() would wait
        if subscription is None or subscription.assignment is None:
            return None
        state = subscription.assignment.state_value(tp)
        return state.position if state is not None and state.has_valid_position else None


class _Share(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka publishes no types
    """Tells the relay which partitions come and go."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:  # noqa: ARG002
        await self._relay.close_lanes()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._relay.open_lanes(assigned)
