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

from broker.kafka.clients import quiet_admin
from broker.model.errors import Failed
from broker.relay import topics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from broker.settings import Settings

_SECONDS = 15
_MOMENT_SECONDS = 3


class Offsets:
    """First and next offset of partitions, as they are at the moment of asking."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = quiet_admin(self._settings)
        """Whoever asks holds it until it is answered: another lane may meanwhile put a new one in its place."""

    async def of(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
        """The first offset of each partition and the one after its last committed record; Failed without an answer."""
        return await asyncio.to_thread(self._ask, list(partitions))

    async def can_be_asked(self) -> bool:
        """Whether Kafka answers."""
        try:
            await asyncio.to_thread(self._client.list_topics, topics.FACTS, _MOMENT_SECONDS)
        except KafkaException:
            return False
        return True

    def _ask(self, partitions: list[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
        first, last = (self._offsets(partitions, spec) for spec in (OffsetSpec.earliest(), OffsetSpec.latest()))
        return {tp: (first[tp], last[tp]) for tp in partitions}

    def _offsets(self, partitions: list[TopicPartition], spec: OffsetSpec) -> dict[TopicPartition, int]:
        client = self._client
        asked = client.list_offsets(
            {RdTopicPartition(tp.topic, tp.partition): spec for tp in partitions},
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=_SECONDS,
        )
        try:
            found = {TopicPartition(tp.topic, tp.partition): future.result().offset for tp, future in asked.items()}
        except KafkaException as error:
            raise self._failed(error.args[0].str()) from error
        if unknown := [tp for tp, offset in found.items() if offset < 0]:
            raise self._failed(f"no leader of {unknown[0].topic}/{unknown[0].partition} is known")
        return found

    def _failed(self, why: str) -> Failed:
        self._client = quiet_admin(self._settings)  # the old one would ask the leaders of before for ever
        return Failed(f"Kafka does not say where the work goes on: {why}")
