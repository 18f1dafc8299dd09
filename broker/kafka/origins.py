"""Documents read again at their origin, for the answers that point into them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from broker import log
from broker.kafka.clients import reader
from broker.kafka.unpack import UnreadableRecord

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

    from broker.relay.records import Place
    from broker.settings import Settings

logger = log.get(__name__)

_ROOM = 64 << 20
_PATIENCE_SECONDS = 10


class OriginReader:
    """Contents by place: those seen lately, else read from Kafka; None for what is gone. One reader for a worker."""

    def __init__(self, settings: Settings, room: int = _ROOM) -> None:
        self._settings = settings
        self._room = room
        self._held = 0
        self._seen: OrderedDict[Place, bytes] = OrderedDict()
        self._consumer: AIOKafkaConsumer | None = None
        self._one_at_a_time = asyncio.Lock()

    def see(self, place: Place, content: bytes) -> None:
        """Keep a content at hand for a while: its answers often come soon."""
        if place in self._seen or len(content) > self._room // 8:
            return
        self._seen[place] = content
        self._held += len(content)
        while self._held > self._room:
            _, oldest = self._seen.popitem(last=False)
            self._held -= len(oldest)

    async def read(self, place: Place) -> bytes | None:
        """The content that lies there; None when it is gone. Raises KafkaError when Kafka cannot be asked."""
        if place in self._seen:
            return self._seen[place]
        async with self._one_at_a_time:
            content = await asyncio.wait_for(self._read(place), _PATIENCE_SECONDS)
        if content is not None:
            self.see(place, content)
        return content

    async def _read(self, place: Place) -> bytes | None:
        if self._consumer is None:
            consumer = reader(self._settings, max_poll_records=1, fetch_max_wait_ms=50)
            try:
                await consumer.start()
            except BaseException:
                await consumer.stop()
                raise
            self._consumer = consumer
        consumer, tp = self._consumer, TopicPartition(place.topic, place.partition)
        consumer.assign([tp])
        first = (await consumer.beginning_offsets([tp]))[tp]
        end = (await consumer.end_offsets([tp]))[tp]
        if not first <= place.offset < end:
            logger.warning("origin.gone", origin=str(place))
            return None
        consumer.seek(tp, place.offset)
        while await consumer.position(tp) <= place.offset:
            for record in (await consumer.getmany(tp, timeout_ms=500)).get(tp, ()):
                is_it = record.offset == place.offset and not isinstance(record, UnreadableRecord)
                return (record.value or b"") if is_it else None
        return None

    async def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            try:
                await consumer.stop()
            except KafkaError as error:
                logger.debug("origin.close", error=str(error))
