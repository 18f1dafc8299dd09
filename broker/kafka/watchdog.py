"""The watchdog: reads the conversations that are committed, and asks their owners to look when a limit has passed.

It decides nothing and remembers nothing that is not in Kafka; that two watch the same conversation does no harm.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from broker import log
from broker.kafka.clients import plain_producer, reader
from broker.kafka.unpack import UnreadableRecord
from broker.model.ids import MessageId
from broker.relay import topics
from broker.relay.facts import AnswerAwaited, to_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

    from broker.relay.watchdog.schedule import WatchdogSchedule
    from broker.settings import Settings

logger = log.get(__name__)

_CLIENT = "swb-watchdog"
_POLL_MS = 1000
_AGAIN_SECONDS = 5.0


class Watchdog:
    """Watches the conversations of this worker's lanes, each partition from its beginning."""

    def __init__(self, settings: Settings, schedule: WatchdogSchedule, lanes: Callable[[], frozenset[int]]) -> None:
        self._settings = settings
        self._vigil = schedule
        self._lanes = lanes
        self._unread: dict[TopicPartition, int] = {}
        """Where what was there at the beginning ends, of each partition that is not read so far yet."""

    async def run(self) -> None:
        """Watch until cancelled; a Kafka that is away is waited for."""
        while True:
            try:
                await self._watch()
            except (KafkaError, OSError) as error:
                logger.warning("watchdog.waits", error=repr(error)[:200])
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _watch(self) -> None:
        consumer = reader(self._settings, client_id=_CLIENT, auto_offset_reset="earliest")
        producer = plain_producer(self._settings, _CLIENT)
        watched: frozenset[int] = frozenset()
        try:
            await consumer.start()
            await producer.start()
            while True:
                if self._lanes() != watched:
                    watched = await self._turn_to(consumer, self._lanes())
                if watched:
                    await self._read(consumer)
                    if await self._has_read_all(consumer):
                        await self._ask(producer)
                else:
                    await asyncio.sleep(_POLL_MS / 1000)
        finally:
            await consumer.stop()
            await producer.stop()

    async def _turn_to(self, consumer: AIOKafkaConsumer, lanes: frozenset[int]) -> frozenset[int]:
        """Other lanes than before: all that is known is read again."""
        self._vigil.clear()
        places = [TopicPartition(topics.CONVERSATIONS, lane) for lane in sorted(lanes)]
        consumer.assign(places)
        if places:
            await consumer.seek_to_beginning(*places)
        self._unread = await consumer.end_offsets(places) if places else {}
        return lanes

    async def _has_read_all(self, consumer: AIOKafkaConsumer) -> bool:
        """Whether all that was there at the beginning is known: before, nearly all that seems open has ended since."""
        while self._unread:
            place, end = next(iter(self._unread.items()))
            if await consumer.position(place) < end:
                return False
            del self._unread[place]
        return True

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
            for record in records:
                if isinstance(record, UnreadableRecord):
                    continue  # it was said where it lies
                self._vigil.note(record.key, record.value, record.timestamp)

    async def _ask(self, producer: AIOKafkaProducer) -> None:
        """One record to the owner of each conversation that is due."""
        now = int(time.time() * 1000)
        futures = []
        for message in self._vigil.due(now):
            record = to_record(AnswerAwaited(at=now, message_id=MessageId(message)), now)
            futures.append(
                await producer.send(record.topic, record.value, key=record.key, headers=list(record.headers))
            )
            logger.info("watchdog.asks", message_id=message, conversation_id=message)
        await asyncio.gather(*futures)
