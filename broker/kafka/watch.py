"""The watchdog: reads the conversations that are committed, and asks their owners to look when a limit has passed.

It decides nothing and remembers nothing that is not in Kafka; that two watch the same conversation does no harm.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.errors import KafkaError

from broker import log, topics
from broker.kafka.clients import plain_producer
from broker.topics import Fact, headers, moment

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer, TopicPartition

    from broker.kafka.vigil import Vigil
    from broker.settings import Settings

logger = log.get(__name__)

GROUP = "swb-watchdog"
_POLL_MS = 1000
_AGAIN_SECONDS = 5.0


class Watch(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka publishes no types
    """The watchdogs of all workers share the partitions; each reads its own from the beginning, and commits nothing."""

    def __init__(self, settings: Settings, vigil: Vigil) -> None:
        self._settings = settings
        self._vigil = vigil

    async def run(self) -> None:
        """Watch until cancelled; a Kafka that is away is waited for."""
        while True:
            try:
                await self._watch()
            except KafkaError as error:
                logger.warning("watchdog.waits", error=repr(error)[:200])
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _watch(self) -> None:
        self._consumer = AIOKafkaConsumer(
            **self._settings.aiokafka(),
            client_id=GROUP,
            group_id=GROUP,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            fetch_max_bytes=self._settings.max_record_bytes * 3,
        )
        producer = plain_producer(self._settings, GROUP)
        try:
            await self._consumer.start()
            self._consumer.subscribe([topics.CONVERSATIONS], listener=self)
            await producer.start()
            while True:
                await self._read()
                await self._ask(producer)
        finally:
            await self._consumer.stop()
            await producer.stop()

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:  # noqa: ARG002
        """Who watches is settled anew; what this one knew of is read again."""
        self._vigil.clear()

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Each partition from its beginning."""
        if assigned:
            await self._consumer.seek_to_beginning(*assigned)

    async def _read(self) -> None:
        for records in (await self._consumer.getmany(timeout_ms=_POLL_MS)).values():
            for record in records:
                self._vigil.heard(record.key, record.value, record.timestamp)

    async def _ask(self, producer: AIOKafkaProducer) -> None:
        """One record to the owner of each conversation that is due."""
        now = int(time.time() * 1000)
        values = {topics.CE_TYPE: Fact.NO_ANSWER.ce_type, topics.CE_SOURCE: topics.SOURCE, topics.CE_TIME: moment(now)}
        futures = []
        for message in self._vigil.due(now):
            content = orjson.dumps({"v": 1, "at": now, "message_id": message})
            sent = await producer.send(topics.ANSWERS, content, key=message.encode(), headers=list(headers(values)))
            futures.append(sent)
            logger.info("watchdog.asks", message_id=message, conversation_id=message)
        await asyncio.gather(*futures)
