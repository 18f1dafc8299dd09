"""The markers that end a lane's transactions: seen to be where they belong, and written again where Kafka forgot one.

Kafka leaves out the marker of a partition that has no leader when a transaction ends, and calls it complete
(KAFKA-20734, in 4.3 too). Its records stay open, nobody sees them or anything behind them, and the next marker of the
same producer decides over them, whichever it is. So a lane lets no transaction begin before the markers of the last one
are seen, and looks for what is open before it works. It ends that in the way the transaction ended.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError

from broker import log, topics
from broker.errors import Failed
from broker.kafka.transactions import Identity, Look

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from aiokafka import AIOKafkaProducer, TopicPartition

    from broker.kafka.transactions import Told, Transactions

logger = log.get(__name__)

_FIRST_PAUSE_SECONDS = 0.004
_PATIENCE_SECONDS = 5.0
_LEADERS_SECONDS = 1.0
_LOOK_AGAIN_SECONDS = 2.0
_FENCED = "Empty"
"""What Kafka calls a transactional id between a fencing and the first transaction after it."""


class Missing(Failed):
    """The markers of a committed transaction are not seen everywhere."""


class Markers:
    """The markers of one lane's transactions."""

    def __init__(self, lane: int, transactions: Transactions, written: Iterable[str]) -> None:
        self._lane = lane
        self._transactions = transactions
        self._written = frozenset(written)
        """The topics that the lane may write to."""
        self._told: Told | None = None
        self._ended: bool | None = None
        """Whether the last transaction was committed, as far as it is known; kept until what it left open is ended."""
        self._identity: Identity | None = None
        self._unseen: dict[TopicPartition, bool] = {}
        """Where nobody could be asked, and whether what may be open there was committed."""
        self._looked = 0.0
        self._expected: asyncio.Task[None] | None = None

    async def before_fencing(self) -> None:
        """Ask how the last transaction ended: the fencing makes Kafka forget it."""
        told = await self._transactions.told_of(topics.transactional_id(self._lane))
        if self._told is None or told is None or told.state != _FENCED:
            self._told, self._ended = told, None
        elif self._ended is None:  # a fencing of this lane came through unheard
            self._ended = was_committed(self._told, told)

    async def after_fencing(self, producer: AIOKafkaProducer) -> None:
        """End what is open, everywhere where that can be found out now."""
        held = producer._txn_manager  # noqa: SLF001 - the client tells its identity nowhere else
        self._identity = Identity(topics.transactional_id(self._lane), held.producer_id, held.producer_epoch)
        everywhere = await self._transactions.partitions_of(self._written)
        if self._ended is None:
            self._ended = was_committed(self._told, self._identity)
        ends: dict[TopicPartition, bool | None] = {tp: self._unseen.get(tp, self._ended) for tp in everywhere}
        await self._end(await self._patiently(everywhere), ends)
        self._told = self._ended = None

    # --- after a commit -----------------------------------------------------------------------------------------------

    def expect(self, partitions: Collection[TopicPartition]) -> None:
        """Begin to look, beside the work, for the markers of a commit."""
        self._expected = asyncio.create_task(self._confirm(partitions))

    async def seen(self) -> None:
        """Come back when the markers of the last commit are seen; raises Missing when they stay away."""
        expected, self._expected = self._expected, None
        if expected is not None:
            await expected

    def drop(self) -> None:
        """Look no more: whoever opens the lane next does."""
        expected, self._expected = self._expected, None
        if expected is not None and not expected.cancel() and not expected.cancelled():
            expected.exception()  # seen, and of no interest any more

    async def tend(self) -> None:
        """What is to be done while nothing is written; raises Missing."""
        if self._expected is not None and self._expected.done():
            await self.seen()
        if self._unseen and time.monotonic() - self._looked > _LOOK_AGAIN_SECONDS:
            await self._look_again()

    async def unseen(self, names: Collection[str]) -> set[str]:
        """Those of the topics to which nothing may be written before their leaders can be asked."""
        if any(tp.topic in names for tp in self._unseen):
            await self._look_again()
        return {tp.topic for tp in self._unseen if tp.topic in names}

    async def _confirm(self, partitions: Collection[TopicPartition]) -> None:
        until, pause, gone = time.monotonic() + _PATIENCE_SECONDS, _FIRST_PAUSE_SECONDS, None
        while True:
            look = await self._look(partitions)
            if not look.open and not look.unseen and look.gone in (set(), gone):
                return  # a topic that is gone has nothing open; that it is gone is believed the second time
            if time.monotonic() > until:
                raise Missing(f"the markers of a commit are missing in {len(look.open) + len(look.unseen)} partitions")
            gone = look.gone
            await asyncio.sleep(pause)
            pause *= 2

    async def _look_again(self) -> None:
        await self._end(await self._look(set(self._unseen)), dict(self._unseen))

    # --- looking ------------------------------------------------------------------------------------------------------

    async def _patiently(self, partitions: set[TopicPartition]) -> Look:
        """A look that gives leaders a moment to be found."""
        until, pause = time.monotonic() + _LEADERS_SECONDS, _FIRST_PAUSE_SECONDS
        while True:
            look = await self._look(partitions)
            if not look.unseen or time.monotonic() > until:
                return look
            await asyncio.sleep(pause)
            pause *= 2

    async def _look(self, partitions: Collection[TopicPartition]) -> Look:
        self._looked = time.monotonic()
        return await self._transactions.look(partitions, self._held.producer_id)

    async def _end(self, look: Look, ends: Mapping[TopicPartition, bool | None]) -> None:
        for is_commit in (True, False):
            found = {tp: left for tp, left in look.open.items() if (ends[tp] is not False) is is_commit}
            for tp, left in found.items():
                ended = {True: "commit", False: "abort", None: "unknown"}[ends[tp]]
                told = {"topic": tp.topic, "partition": tp.partition, "offset": left.offset, "ended": ended}
                logger.error("transaction.left-open", lane=self._lane, **told)
            if found:
                await self._transactions.end(self._held, found, is_commit=is_commit)
                logger.warning("transaction.ended", lane=self._lane, partitions=len(found), commit=is_commit)
        self._unseen = {tp: ends[tp] is not False for tp in look.unseen}

    @property
    def _held(self) -> Identity:
        if self._identity is None:
            raise KafkaError("the lane has no producer")
        return self._identity


def was_committed(told: Told | None, fenced: Told | Identity) -> bool | None:
    """Whether the transaction that Kafka told of before a fencing was committed in the end; None where nothing tells.

    Kafka counts the epoch up once at a fencing, and once more where it aborts something for it (InitProducerId).
    """
    if told is None or told.state == _FENCED or told.producer_id != fenced.producer_id:
        return None
    return told.state in ("Ongoing", "PrepareCommit", "CompleteCommit") and fenced.epoch == told.epoch + 1
