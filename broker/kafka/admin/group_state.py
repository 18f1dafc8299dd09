"""How the relay's group stands, as anybody may ask Kafka: what waits before it, and who is in it."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import KafkaError

from broker.kafka.clients import reader
from broker.model.errors import Failed
from broker.relay import topics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiokafka import AIOKafkaConsumer

    from broker.settings import Settings

_SECONDS = 8


@dataclass(frozen=True, slots=True)
class GroupState:
    """The relay's group at a moment."""

    workers: int = 0
    lanes_held: int = 0
    lanes: int = 0
    waiting: dict[str, int] = field(default_factory=dict)
    """Records by outbox (the sender's code) that are not done."""
    retrying: dict[str, int] = field(default_factory=dict)
    """Deliveries that wait for a participant's inbox."""
    missing: tuple[str, ...] = ()
    """Topics that are not there."""


class GroupProbe:
    """Asks Kafka, over connections of its own; after a failure it begins anew.

    Not by librdkafka's admin client, which ended the process when a Kafka that was away came back while it was asked.
    """

    def __init__(self, settings: Settings, participants: Iterable[str]) -> None:
        self._settings = settings
        self._participants = sorted(participants)
        self._clients: tuple[AIOKafkaConsumer, AIOKafkaAdminClient] | None = None

    async def state(self) -> GroupState:
        """The state now; Failed when Kafka does not say."""
        try:
            return await asyncio.wait_for(self._state(), _SECONDS)
        except (KafkaError, OSError, TimeoutError) as error:
            await self.close()
            said = "it does not answer in time" if isinstance(error, TimeoutError) else str(error) or repr(error)
            raise Failed(f"Kafka does not say how the group stands: {said}") from error

    async def close(self) -> None:
        """Leave nothing open."""
        clients, self._clients = self._clients, None
        for close in (clients[0].stop, clients[1].close) if clients else ():
            with suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(close(), 1)

    async def _open(self) -> tuple[AIOKafkaConsumer, AIOKafkaAdminClient]:
        if self._clients is None:
            consumer = reader(self._settings, client_id="swb-console")
            admin = AIOKafkaAdminClient(**self._settings.aiokafka(), client_id="swb-console")
            self._clients = consumer, admin
            await consumer.start()
            await admin.start()
        return self._clients

    async def _state(self) -> GroupState:
        consumer, admin = await self._open()
        wanted = topics.worked_topics(self._participants)
        told = await admin.describe_topics(wanted)
        numbers = {t["topic"]: [p["partition"] for p in t["partitions"]] for t in told if not t["error_code"]}
        places = [TopicPartition(name, number) for name in numbers for number in numbers[name]]
        done = await admin.list_consumer_group_offsets(topics.RELAY_GROUP, partitions=places) if places else {}
        firsts = await consumer.beginning_offsets(places) if places else {}
        ends = await consumer.end_offsets(places) if places else {}
        waiting: Counter[str] = Counter()
        for tp in places:
            waiting[tp.topic] += max(0, ends[tp] - max(done[tp].offset if tp in done else 0, firsts[tp]))
        workers, held = _members(await admin.describe_consumer_groups([topics.RELAY_GROUP]))
        return GroupState(
            workers=workers,
            lanes_held=len(held),
            lanes=len(numbers.get(topics.FACTS, ())) or self._settings.partitions,
            waiting={code: waiting[topics.outbox(code)] for code in self._participants},
            retrying={code: waiting[topics.retry(code)] for code in self._participants},
            missing=tuple(name for name in wanted if name not in numbers),
        )


def _members(described: Iterable[Any]) -> tuple[int, set[int]]:
    """How many are in the group, and the indices of the partitions that they hold."""
    members = [member for answer in described for group in answer.groups for member in group[5]]
    held = set()
    for member in members:
        if member[4]:
            assignment = ConsumerProtocolMemberAssignment.decode(member[4])
            held |= {number for _, numbers in assignment.assignment for number in numbers}
    return len(members), held
