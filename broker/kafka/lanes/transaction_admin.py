"""What Kafka knows of a lane's transactions: how the last one ended, what it left open where, up to where all is done.

Asked by aiokafka: librdkafka's admin client dies (SIGSEGV) of an offset answer from a node that is no longer the
group's coordinator (librdkafka issue 5040, open in 2.16).
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.errors import KafkaError, ProducerFenced, for_code
from aiokafka.protocol.transaction import AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, EndTxnRequest

from broker.kafka.lanes.protocol import DescribeProducers, DescribeTransactions, StableOffsets
from broker.model.errors import Failed
from broker.relay.topics import RELAY_GROUP

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from broker.settings import Settings

_METADATA_MS = 10_000
_LANE, _GROUP = CoordinationType.TRANSACTION, CoordinationType.GROUP
_CONCURRENT = 51
_ID_NOT_FOUND = 105
_FENCED = {47, 90}
"""INVALID_PRODUCER_EPOCH and PRODUCER_FENCED."""
_NOT_ATTEMPTED = 55
"""Of the partitions beside the one that is at fault."""
_UNSTABLE = 88
"""Of offsets over which a transaction is open."""
_OF_ITS_TOPIC = {3, 29}
"""UNKNOWN_TOPIC_OR_PARTITION and TOPIC_AUTHORIZATION_FAILED: trouble of that topic, and of no other."""
_PAUSE_SECONDS = 0.02


class Unstable(Failed):
    """Offsets of a transaction that has not ended, or of which Kafka forgot the end."""


@dataclass(frozen=True, slots=True)
class TransactionState:
    """What the coordinator says of a transactional id."""

    state: str
    """As Kafka names it: Empty, Ongoing, PrepareCommit, PrepareAbort, CompleteCommit, CompleteAbort, ..."""
    producer_id: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Identity:
    """Who ends a transaction: the producer that fenced all before it."""

    transactional_id: str
    producer_id: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Open:
    """Records of a transaction that has not ended."""

    offset: int
    """Of the first of them; nobody sees it or what comes after it."""
    written: int
    """When the last of them was, in milliseconds since 1970."""
    epoch: int
    """That of the producer that wrote them."""


@dataclass(slots=True)
class Look:
    """What was found open, where nobody could be asked, and what is not there at all."""

    open: dict[TopicPartition, Open] = field(default_factory=dict)
    unseen: set[TopicPartition] = field(default_factory=set)
    gone: set[TopicPartition] = field(default_factory=set)


class TransactionAdmin:
    """Questions to Kafka about transactions, on connections of its own. All raise KafkaError without an answer."""

    def __init__(self, settings: Settings) -> None:
        self._seconds = settings.transaction_seconds
        self._client = AIOKafkaClient(
            **settings.aiokafka(), client_id="swb-relay-transactions", metadata_max_age_ms=_METADATA_MS
        )

    async def start(self) -> None:
        await self._client.bootstrap()

    async def close(self) -> None:
        await self._client.close()

    async def told_of(self, transactional_id: str) -> TransactionState | None:
        """What the coordinator knows of it; None when it never heard of it."""
        answer = await self._insist(_LANE, transactional_id, DescribeTransactions([transactional_id]))
        ((code, _, state, _, _, producer_id, epoch, _, _),) = answer.transaction_states
        return None if code == _ID_NOT_FOUND else TransactionState(state, producer_id, epoch)

    async def committed(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The relay's committed offset of each partition, -1 for none; without those of which Kafka may not tell it.

        Offsets of a transaction that has not ended are not passed over: it would be done again, and count twice. They
        are Unstable.
        """
        answer = await self._insist(_GROUP, RELAY_GROUP, StableOffsets(RELAY_GROUP, _by_topic(partitions)))
        found = {}
        for name, told, _ in answer.topics:
            for number, offset, _, _, code, _ in told:
                if code == _UNSTABLE:
                    raise Unstable("Kafka does not say where the work goes on: a transaction has not ended")
                if code not in _OF_ITS_TOPIC:
                    found[TopicPartition(name, number)] = max(offset, -1)
        return found

    async def partitions_of(self, names: Iterable[str]) -> set[TopicPartition]:
        """Every partition there is of those topics."""
        names = set(names)
        await self._client.set_topics(names)
        cluster = self._client.cluster
        return {TopicPartition(name, number) for name in names for number in cluster.partitions_for_topic(name) or ()}

    async def look(self, partitions: Iterable[TopicPartition], producer_id: int | None = None) -> Look:
        """Where records of the producer, or of any, lie in a transaction that has not ended; the first in each."""
        look, cluster = Look(), self._client.cluster
        asked: defaultdict[int, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for tp in partitions:
            leader = cluster.leader_for_partition(tp)
            if cluster.partitions_for_topic(tp.topic) is None:
                look.gone.add(tp)
            elif leader in (None, -1):
                look.unseen.add(tp)
            else:
                asked[leader][tp.topic].append(tp.partition)
        await asyncio.gather(*(self._ask(leader, names, producer_id, look) for leader, names in asked.items()))
        if look.unseen or look.gone:
            await self._client.force_metadata_update()
        return look

    async def _ask(self, leader: int, names: Mapping[str, list[int]], producer_id: int | None, look: Look) -> None:
        try:
            answer = await self._client.send(leader, DescribeProducers(names))
        except KafkaError:
            look.unseen |= {TopicPartition(name, number) for name, numbers in names.items() for number in numbers}
            return
        for name, told, _ in answer.topics:
            for number, code, _, producers, _ in told:
                tp = TopicPartition(name, number)
                if code:
                    look.unseen.add(tp)
                starts = [
                    Open(start, written, epoch)
                    for writer, epoch, _, written, _, start, _ in producers or ()
                    if start >= 0 and producer_id in (None, writer)
                ]
                if starts:
                    look.open[tp] = min(starts, key=lambda one: one.offset)

    async def end(self, identity: Identity, partitions: Iterable[TopicPartition], *, is_commit: bool) -> None:
        """A transaction of nothing but its markers: it ends, in those partitions and for the group, what is open there.

        Raises ProducerFenced when another has taken the lane.
        """
        by_topic = _by_topic(partitions)
        who = identity.transactional_id, identity.producer_id, identity.epoch
        if by_topic:
            await self._insist(_LANE, who[0], AddPartitionsToTxnRequest(*who, list(by_topic.items())))
        await self._insist(_LANE, who[0], AddOffsetsToTxnRequest(*who, RELAY_GROUP))
        await self._insist(_LANE, who[0], EndTxnRequest(*who, is_commit))

    async def _insist(self, kind: int, name: str, request: Any) -> Any:  # noqa: ANN401 - any that a coordinator takes
        """The coordinator's answer, asked for until it is one or time is up."""
        until = time.monotonic() + self._seconds
        while True:
            try:
                node = await self._client.coordinator_lookup(kind, name)
                answer = await self._client.send(node, request, group=ConnectionGroup.COORDINATION)
                _raise_for(answer)
            except KafkaError as error:
                if (not error.retriable and getattr(error, "errno", None) != _CONCURRENT) or time.monotonic() > until:
                    raise
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                return answer


def _by_topic(partitions: Iterable[TopicPartition]) -> dict[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for tp in partitions:
        found[tp.topic].append(tp.partition)
    return found


def _raise_for(answer: Any) -> None:  # noqa: ANN401 - an answer of aiokafka's
    if hasattr(answer, "transaction_states"):
        codes = {told[0] for told in answer.transaction_states} - {_ID_NOT_FOUND}
    elif hasattr(answer, "errors"):
        codes = {code for _, told in answer.errors for _, code in told}
    elif hasattr(answer, "topics"):
        codes = {answer.error_code, *(part[4] for _, parts, _ in answer.topics for part in parts)}
        codes -= {_UNSTABLE, *_OF_ITS_TOPIC}
    else:
        codes = {answer.error_code}
    if codes & _FENCED:
        raise ProducerFenced
    if wrong := codes - {0, _NOT_ATTEMPTED}:
        raise for_code(max(wrong))
