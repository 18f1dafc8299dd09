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

from broker import log
from broker.kafka.lanes.transaction_admin import Identity
from broker.model.errors import Failed
from broker.relay import topics

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from aiokafka import AIOKafkaProducer, TopicPartition

    from broker.kafka.lanes.transaction_admin import Look, Open, TransactionAdmin, TransactionState

logger = log.get(__name__)

_FIRST_PAUSE_SECONDS = 0.004
_PATIENCE_SECONDS = 5.0
_LEADERS_SECONDS = 1.0
_LOOK_AGAIN_SECONDS = 2.0
_FENCED = "Empty"
"""What Kafka calls a transactional id between a fencing and the first transaction after it."""


class MarkerMissing(Failed):
    """Markers of an ended transaction are not seen where they have to be."""


class CommitMarkers:
    """The markers of one lane's transactions."""

    def __init__(self, lane: int, transactions: TransactionAdmin, written: Iterable[str]) -> None:
        self._lane = lane
        self._transactions = transactions
        self._written = frozenset(written)
        """The topics that the lane may write to."""
        self._first: TransactionState | None = None
        """What was told first of all: it speaks of the worker before this one."""
        self._told: TransactionState | None = None
        self._ended: bool | None = None
        """Whether the last transaction was committed, as far as it is known; kept until what it left open is known."""
        self._last: bool | None = None
        """The same, kept for longer: for the offsets."""
        self._identity: Identity | None = None
        self._unsettled: dict[TopicPartition, bool | None] = {}
        """Where something is open or nobody could be asked, and whether it was committed; None where only its epoch
        tells."""
        self._looked = 0.0
        self._expected: asyncio.Task[None] | None = None

    async def before_fencing(self) -> None:
        """Ask how the last transaction ended: the fencing makes Kafka forget it."""
        told = await self._transactions.told_of(topics.transactional_id(self._lane))
        self._first = self._first or told
        if self._told is None or told is None or told.state != _FENCED:
            self._told, self._ended = told, None
        elif self._ended is None:  # a fencing of this lane came through unheard
            self._ended = was_committed(self._told, told)

    async def after_fencing(self, producer: AIOKafkaProducer) -> None:
        """End what is open, everywhere where that can be found out now.

        Raises Missing where it cannot for what the lane reads itself: it would not see all that was committed.
        """
        held = producer._txn_manager  # noqa: SLF001 - the client tells its identity nowhere else
        self._identity = Identity(topics.transactional_id(self._lane), held.producer_id, held.producer_epoch)
        everywhere = await self._transactions.partitions_of(self._written)
        if self._ended is None:
            self._ended = was_committed(self._told, self._identity)
        self._last = self._last if self._ended is None else self._ended
        look = await self._look_until(everywhere, lambda look: not (look.unseen or look.gone), _LEADERS_SECONDS)
        await self._settle(look, {tp: self._unsettled.get(tp, self._ended) for tp in everywhere})
        self._told = self._ended = None
        if mine := [tp for tp in self._unsettled if tp.partition == self._lane and topics.reader_of(tp.topic) is None]:
            raise MarkerMissing(
                f"what the last transaction left in {mine[0].topic}/{mine[0].partition} cannot be seen yet"
            )

    async def end_offsets(self) -> None:
        """End what of the group's offsets is open still: Kafka forgot their marker."""
        is_commit = self._last is not False
        logger.error("offsets.left-open", lane=self._lane, commit=is_commit, known=self._last is not None)
        await self._transactions.end(self._held, (), is_commit=is_commit)

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
        if self._unsettled and time.monotonic() - self._looked > _LOOK_AGAIN_SECONDS:
            await self._look_again()

    async def unsettled(self, names: Collection[str]) -> set[str]:
        """Those of the topics to which nothing may be written before what is open there has ended."""
        if any(tp.topic in names for tp in self._unsettled):
            await self._look_again()
        return {tp.topic for tp in self._unsettled if tp.topic in names}

    async def _confirm(self, partitions: Collection[TopicPartition]) -> None:
        look = await self._look_until(partitions, _is_clear, _PATIENCE_SECONDS)
        if missing := look.open.keys() | look.unseen:
            raise MarkerMissing(f"the markers of a commit are missing in {len(missing)} partitions")

    async def _look_again(self) -> None:
        look = await self._look_until(self._unsettled, lambda look: not look.gone, _LEADERS_SECONDS)
        await self._settle(look, self._unsettled)

    # --- looking ------------------------------------------------------------------------------------------------------

    async def _look_until(
        self, partitions: Collection[TopicPartition], is_enough: Callable[[Look], bool], seconds: float
    ) -> Look:
        """The last look, which is enough or comes after that time."""
        until, pause = time.monotonic() + seconds, _FIRST_PAUSE_SECONDS
        while True:
            look = await self._look(partitions)
            if is_enough(look) or time.monotonic() > until:
                return look
            await asyncio.sleep(pause)
            pause *= 2

    async def _look(self, partitions: Collection[TopicPartition]) -> Look:
        self._looked = time.monotonic()
        return await self._transactions.look(partitions, self._held.producer_id)

    async def _settle(self, look: Look, ends: dict[TopicPartition, bool | None]) -> None:
        """End what is open; what is not seen to be ended stays unsettled, and in what way it has to end is kept."""
        known = {tp: self._was_committed(left) if ends[tp] is None else ends[tp] for tp, left in look.open.items()}
        self._unsettled = {tp: ends[tp] for tp in look.unseen} | known
        for is_commit in (True, False):
            found = {tp: left for tp, left in look.open.items() if known[tp] is is_commit}
            if not found:
                continue
            for tp, left in found.items():
                told = {"topic": tp.topic, "partition": tp.partition, "offset": left.offset, "commit": is_commit}
                logger.error("transaction.left-open", lane=self._lane, **told)
            self._last = is_commit if self._last is None else self._last
            await self._transactions.end(self._held, found, is_commit=is_commit)
            after = await self._look_until(found, _is_clear, _PATIENCE_SECONDS)  # Kafka answers before it writes them
            open_still = after.open.keys() | after.unseen
            self._unsettled = {tp: end for tp, end in self._unsettled.items() if tp in open_still or tp not in found}
            told = {"partitions": len(found), "commit": is_commit, "open": len(open_still)}
            logger.warning("transaction.ended", lane=self._lane, **told)
            if open_still:
                return  # another end would be theirs too

    def _was_committed(self, left: Open) -> bool:
        """How the last transaction of a worker ended after which another died between fencing and look.

        One fencing makes one epoch after a commit and two after what it aborts. Where two workers died in that moment,
        a commit would look like an abort.
        """
        return self._first is not None and self._first.epoch == left.epoch + 1

    @property
    def _held(self) -> Identity:
        if self._identity is None:
            raise KafkaError("the lane has no producer")
        return self._identity


def _is_clear(look: Look) -> bool:
    """Whether all is seen and ended; a topic that is not there may be one that is not known yet."""
    return not (look.open or look.unseen or look.gone)


def was_committed(told: TransactionState | None, fenced: TransactionState | Identity) -> bool | None:
    """Whether the transaction that Kafka told of before a fencing was committed in the end; None where nothing tells.

    Kafka counts the epoch up once at a fencing, and once more where it aborts something for it (InitProducerId).
    """
    if told is None or told.state == _FENCED or told.producer_id != fenced.producer_id:
        return None
    return told.state in ("Ongoing", "PrepareCommit", "CompleteCommit") and fenced.epoch == told.epoch + 1
