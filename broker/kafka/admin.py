"""The topics of an installation: made, and checked, by confluent-kafka's admin client."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from broker import topics
from broker.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from broker.settings import Settings

_SECONDS = 30
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A topic as it has to be."""

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)


def wanted(settings: Settings, participants: Iterable[str]) -> list[Wanted]:
    """Every topic with its partitions and how long it keeps what."""
    boxes = _kept(settings.kept_boxes_days)
    compacted = {"cleanup.policy": "compact"}
    special = {
        topics.INTAKE: _kept(settings.kept_intake_days),
        topics.TRACKING: _kept(settings.kept_tracking_days),
        topics.DEADLETTER: _kept(settings.kept_deadletter_days),
        **dict.fromkeys(topics.STATE, compacted),
    }
    size = {"max.message.bytes": str(settings.max_record_bytes)}
    found = []
    for name in topics.all_topics(participants):
        kept = {"retention.ms": "-1"} if topics.waiting_for(name) else special.get(name, boxes)
        found.append(Wanted(name, settings.partitions, {**kept, **size}))
    return found


def create(settings: Settings, participants: Iterable[str]) -> list[str]:
    """Make what is missing and wait until it can be written; the names that were made."""
    client = _client(settings)
    there = _partitions(client)
    missing = [topic for topic in wanted(settings, participants) if topic.name not in there]
    new = [NewTopic(t.name, t.partitions, settings.replication, config=dict(t.config)) for t in missing]
    for future in client.create_topics(new, request_timeout=_SECONDS).values() if new else ():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise Failed(f"Kafka does not make a topic: {error.args[0].str()}") from error
    _wait_for_leaders(client, {t.name for t in missing})
    return [t.name for t in missing]


def check(settings: Settings, participants: Iterable[str]) -> list[str]:
    """What is wrong with the topics, one sentence each; empty when all is well. Unequal partitions break the lanes."""
    client = _client(settings)
    there = _partitions(client)
    wants = wanted(settings, participants)
    faults = [f"{t.name} is missing: swb topics create makes it" for t in wants if t.name not in there]
    known = [t for t in wants if t.name in there]
    counts = {there[t.name] for t in known}
    if len(counts) > 1:
        faults += [
            f"{t.name} has {there[t.name]} partitions, not {settings.partitions}: all topics need the same number"
            for t in known
            if there[t.name] != settings.partitions
        ]
    configs = _configs(client, [t.name for t in known])
    for topic in known:
        for name, value in topic.config.items():
            found = configs[topic.name].get(name)
            if found != value:
                faults.append(f"{topic.name}: {name} is {found}, not {value}")
    return faults


def _kept(days: int) -> dict[str, str]:
    return {"retention.ms": str(days * _DAY_MS)}


def _client(settings: Settings) -> AdminClient:
    return AdminClient({**settings.librdkafka(), "log_level": 0, "socket.timeout.ms": _SECONDS * 1000})


def _partitions(client: AdminClient) -> dict[str, int]:
    try:
        found = client.list_topics(timeout=_SECONDS).topics
    except KafkaException as error:
        raise Failed(f"Kafka does not answer: {error.args[0].str()}") from error
    return {name: len(topic.partitions) for name, topic in found.items()}


def _configs(client: AdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    asked = client.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in names])
    return {
        resource.name: {name: entry.value for name, entry in future.result().items()}
        for resource, future in asked.items()
    }


def _wait_for_leaders(client: AdminClient, names: set[str]) -> None:
    until = time.monotonic() + _SECONDS
    while names:
        found = client.list_topics(timeout=_SECONDS).topics
        names = {n for n in names if n not in found or any(p.leader < 0 for p in found[n].partitions.values())}
        if names and time.monotonic() > until:
            raise Failed(f"Without a leader after {_SECONDS} s: {', '.join(sorted(names)[:5])}")
        if names:
            time.sleep(0.1)
