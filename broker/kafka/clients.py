"""aiokafka's clients with the settings that the guarantees rest on."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka.admin import AdminClient

from broker.kafka import unpack
from broker.kafka.lanes.assignor import LaneAssignor
from broker.relay.topics import RELAY_GROUP, UNDER_WAY, transactional_id

if TYPE_CHECKING:
    from broker.settings import Settings

_BATCH = 256 * 1024
"""Of a producer; at most the smallest ``max.message.bytes`` of any topic, which limits the batch."""
_METADATA_MS = 10_000
_POLL_MS = (50, 200)
_POLL_MS_PER_PARTITION = 0.125
_MANY_PARTITIONS = 500
_GATHERED_BYTES = 64 * 1024
_STOP_SECONDS = 5


class _RelayConsumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka publishes no types
    """The client's consumer, which starts by itself only when every topic is there and may be read."""

    async def _wait_topics(self) -> None:
        for topic in UNDER_WAY:
            await self._client._wait_on_metadata(topic)  # noqa: SLF001 - as its parent does for all


def lane_producer(settings: Settings, lane: int) -> AIOKafkaProducer:
    """The one transactional producer of a lane; starting it fences whoever held the lane before."""
    return AIOKafkaProducer(
        **settings.aiokafka(),
        client_id=f"swb-lane-{lane}",
        transactional_id=transactional_id(lane),
        transaction_timeout_ms=int(settings.transaction_seconds * 1000),
        acks="all",
        linger_ms=5,
        max_batch_size=_BATCH,
        max_request_size=settings.max_record_bytes,
        metadata_max_age_ms=_METADATA_MS,
    )


def plain_producer(settings: Settings, client_id: str) -> AIOKafkaProducer:
    """An idempotent producer, for who publishes without a transaction."""
    return AIOKafkaProducer(
        **settings.aiokafka(),
        client_id=client_id,
        enable_idempotence=True,
        acks="all",
        linger_ms=5,
        max_batch_size=_BATCH,
        max_request_size=settings.max_record_bytes,
        metadata_max_age_ms=_METADATA_MS,
    )


def relay_consumer(settings: Settings, instance: str | None, partitions: int) -> AIOKafkaConsumer:
    """The consumer of a worker; ``instance`` names a static member, whose restart moves no partition.

    A partition whose records were in hand when a fetch set out waits for the end of that fetch. So it lasts as short as
    its cost allows, and that is by the number of partitions, since it names them all. Where they are many, it gathers
    what comes for that moment instead of coming back with the first record; where they are few, that would cost more
    than it saves as soon as there is much to do.
    """
    shortest, longest = _POLL_MS
    unpack.install(_unpacked_bytes(settings))
    return _RelayConsumer(
        **settings.aiokafka(),
        client_id="swb-relay",
        group_id=RELAY_GROUP,
        group_instance_id=instance,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        partition_assignment_strategy=(LaneAssignor,),
        session_timeout_ms=int(settings.session_seconds * 1000),
        heartbeat_interval_ms=int(settings.heartbeat_seconds * 1000),
        rebalance_timeout_ms=int(settings.rebalance_seconds * 1000),
        max_poll_interval_ms=int(max(300.0, settings.transaction_seconds * 2) * 1000),
        max_poll_records=settings.batch_records,
        fetch_max_bytes=settings.max_record_bytes * 3,
        fetch_min_bytes=_GATHERED_BYTES if partitions > _MANY_PARTITIONS else 1,
        fetch_max_wait_ms=int(min(longest, max(shortest, partitions * _POLL_MS_PER_PARTITION))),
        metadata_max_age_ms=_METADATA_MS,
    )


def reader(settings: Settings, **options: Any) -> AIOKafkaConsumer:  # noqa: ANN401 - aiokafka's own options
    """A consumer without a group, for who reads what is committed and leaves no trace."""
    unpack.install(_unpacked_bytes(settings))
    return AIOKafkaConsumer(
        **settings.aiokafka(),
        **{
            "client_id": "swb-reader",
            "group_id": None,
            "enable_auto_commit": False,
            "isolation_level": "read_committed",
            "fetch_max_bytes": settings.max_record_bytes * 3,
            **options,
        },
    )


def _unpacked_bytes(settings: Settings) -> int:
    """To so much a batch may unpack: the largest record, and what was gathered with it."""
    return settings.max_record_bytes * 3 // 2


def quiet_admin(settings: Settings) -> AdminClient:
    """Librdkafka's admin client, which says nothing by itself: who asks hears what went wrong."""
    return AdminClient({**settings.librdkafka(), "log_level": 0, "error_cb": lambda _: None})


async def discard(producer: AIOKafkaProducer) -> None:
    """Throw a producer away with whatever it has not sent; its transaction ends when its successor starts.

    ``stop`` would wait for batches that may never be taken, so the sender is cancelled and the connections are cut.
    """
    producer._closed = True  # noqa: SLF001 - see above
    sender = producer._sender.sender_task  # noqa: SLF001
    if sender is not None:
        sender.cancel()
    with suppress(Exception):
        await asyncio.wait_for(producer.client.close(), _STOP_SECONDS)
    if sender is not None:
        await asyncio.wait([sender], timeout=_STOP_SECONDS)
        if sender.done() and not sender.cancelled():
            sender.exception()  # seen, and of no interest any more
