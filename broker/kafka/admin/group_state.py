"""How the relay's group stands, as anybody may ask Kafka: what waits before it, and who is in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

from broker.kafka.clients import quiet_admin
from broker.model.errors import Failed
from broker.relay import topics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from broker.settings import Settings

_SECONDS = 5


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


def group_state(settings: Settings, participants: Iterable[str]) -> GroupState:
    """The state now; Failed when Kafka does not say."""
    admin = quiet_admin(settings)
    try:
        known = admin.list_topics(timeout=_SECONDS).topics
        wanted = topics.worked_topics(participants)
        places = [TopicPartition(name, number) for name in wanted if name in known for number in known[name].partitions]
        asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(topics.RELAY_GROUP, places)])
        committed = asked[topics.RELAY_GROUP].result(_SECONDS).topic_partitions
        done = {(tp.topic, tp.partition): tp.offset for tp in committed}
        edges = [
            admin.list_offsets(
                dict.fromkeys(places, spec), isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=_SECONDS
            )
            for spec in (OffsetSpec.earliest(), OffsetSpec.latest())
        ]
        waiting: Counter[str] = Counter()
        for tp in places:
            first, end = (edge[tp].result(_SECONDS).offset for edge in edges)
            waiting[tp.topic] += max(0, end - max(done.get((tp.topic, tp.partition), 0), first))
        group = admin.describe_consumer_groups([topics.RELAY_GROUP], request_timeout=_SECONDS)
        members = group[topics.RELAY_GROUP].result(_SECONDS).members
    except KafkaException as error:
        raise Failed(f"Kafka does not say how the group stands: {error.args[0].str()}") from error
    except TimeoutError as error:
        raise Failed("Kafka does not say how the group stands in time") from error
    held = {p.partition for m in members if m.assignment for p in m.assignment.topic_partitions}
    return GroupState(
        workers=len(members),
        lanes_held=len(held),
        lanes=len(known[topics.FACTS].partitions) if topics.FACTS in known else settings.partitions,
        waiting={str(code): waiting[topics.outbox(code)] for code in participants},
        retrying={str(code): waiting[topics.retry(code)] for code in participants},
        missing=tuple(name for name in wanted if name not in known),
    )
