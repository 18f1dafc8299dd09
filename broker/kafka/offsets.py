"""Where partitions begin and end, asked on a connection of its own.

On the consumer's connection the question would stand behind a fetch that waits for records.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from confluent_kafka import IsolationLevel, KafkaException
from confluent_kafka import TopicPartition as RdTopicPartition
from confluent_kafka.admin import OffsetSpec

from broker import log
from broker.kafka.clients import quiet_admin
from broker.model.errors import Failed
from broker.relay import topics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from broker.settings import Settings

logger = log.get(__name__)

_SECONDS = 15
_OTHERS_SECONDS = 5
_MOMENT_SECONDS = 3


class Offsets:
    """First and next offset of partitions, as they are at the moment of asking."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = quiet_admin(self._settings)
        """Whoever asks holds it until it is answered: another lane may meanwhile put a new one in its place."""

    async def of(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
        """The first offset of each partition and the one after its last committed record; Failed without an answer.

        A participant's topic that is gone, without a leader or not to be read is left out.
        """
        given = list(partitions)
        own = [tp for tp in given if tp.topic in topics.OWN]
        others = [tp for tp in given if tp.topic not in topics.OWN]
        found, more = await asyncio.gather(
            asyncio.to_thread(self._ask, own, _SECONDS), asyncio.to_thread(self._ask, others, _OTHERS_SECONDS)
        )
        if missing := [tp for tp in own if tp not in found]:
            raise self._failed(f"nothing is known of {missing[0].topic}/{missing[0].partition}")
        if len(more) < len(others):
            self._client = quiet_admin(self._settings)  # it would ask the leaders of before for ever
        return found | more

    async def can_be_asked(self) -> bool:
        """Whether Kafka answers."""
        try:
            await asyncio.to_thread(self._client.list_topics, topics.FACTS, _MOMENT_SECONDS)
        except KafkaException:
            return False
        return True

    def _ask(self, partitions: list[TopicPartition], seconds: float) -> dict[TopicPartition, tuple[int, int]]:
        if not partitions:
            return {}
        first = self._offsets(partitions, OffsetSpec.earliest(), seconds)
        last = self._offsets(list(first), OffsetSpec.latest(), seconds) if first else {}
        return {tp: (first[tp], last[tp]) for tp in partitions if tp in first and tp in last}

    def _offsets(self, partitions: list[TopicPartition], spec: OffsetSpec, seconds: float) -> dict[TopicPartition, int]:
        client = self._client
        asked = client.list_offsets(
            {RdTopicPartition(tp.topic, tp.partition): spec for tp in partitions},
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=seconds,
        )
        found = {}
        for tp, future in asked.items():
            try:
                offset = future.result().offset
            except KafkaException as error:
                logger.warning("offsets.unknown", topic=tp.topic, partition=tp.partition, reason=error.args[0].str())
                continue
            if offset >= 0:
                found[TopicPartition(tp.topic, tp.partition)] = offset
        return found

    def _failed(self, why: str) -> Failed:
        self._client = quiet_admin(self._settings)  # as above
        return Failed(f"Kafka does not say where the work goes on: {why}")
