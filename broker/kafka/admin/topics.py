"""The topics of an installation: made, and checked, by confluent-kafka's admin client."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from broker import log
from broker.model.errors import Failed, Misconfigured
from broker.model.participants import Participant
from broker.relay import topics

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from broker.settings import Settings

logger = log.get(__name__)

_SECONDS = 30
_ANSWER_SECONDS = 5
_ALL_DOWN = "1/1 brokers are down"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0
_DAY_MS = 86_400_000
_BY_THE_BROKER = {"message.timestamp.type": "LogAppendTime"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A topic as it has to be."""

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)


def wanted(settings: Settings, participants: Iterable[str]) -> list[Wanted]:
    """Every topic with its partitions and how long it keeps what."""
    boxes = _kept(settings.kept_boxes_days)
    agreed = _agreed(participants)
    compacted = {"cleanup.policy": "compact", "delete.retention.ms": str(_DAY_MS)}
    special = {
        topics.INTAKE: _kept(settings.kept_intake_days),
        topics.TRACKING: _kept(settings.kept_tracking_days),
        topics.DEADLETTER: _kept(settings.kept_deadletter_days),
        **dict.fromkeys(topics.STATE, compacted),
    }
    # A record that is larger than a whole segment is refused, whatever its topic allows.
    size = {"max.message.bytes": str(settings.max_record_bytes)}
    roomy = {**size, "segment.bytes": str(4 * settings.max_record_bytes)}
    found = []
    for name in topics.all_topics(participants):
        # By the sender's own clock a record may be older than its retention when it comes, and is gone unread.
        timed = _BY_THE_BROKER if topics.writer_of(name) else {}
        kept = {"retention.ms": "-1"} if topics.waiting_for(name) else special.get(name) or agreed.get(name, boxes)
        found.append(Wanted(name, settings.partitions, {**kept, **timed, **(size if name in topics.STATE else roomy)}))
    return found


def create(settings: Settings, participants: Iterable[str]) -> list[str]:
    """Make what is missing and wait until it can be written; the names that were made.

    Outboxes that are there and keep their senders' time get the broker's.
    """
    client = _Client(settings)
    there = client.partitions()
    wants = wanted(settings, participants)
    missing = [topic for topic in wants if topic.name not in there]
    _keep_time(client.admin, [topic.name for topic in wants if topic.name in there and topics.writer_of(topic.name)])
    new = [NewTopic(t.name, t.partitions, settings.replication, config=dict(t.config)) for t in missing]
    for future in client.admin.create_topics(new, request_timeout=_SECONDS).values() if new else ():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise Failed(f"Kafka does not make a topic: {error.args[0].str()}") from error
    if late := unled(client.admin, {t.name: t.partitions for t in missing}, _SECONDS):
        raise Failed(f"Without a leader after {_SECONDS} s: {', '.join(late[:5])}")
    return [t.name for t in missing]


@dataclass(frozen=True, slots=True)
class TopicFault:
    """What is wrong with a topic."""

    topic: str
    kind: Literal["missing", "partitions", "config"]
    sentence: str


def check(settings: Settings, participants: Iterable[str]) -> list[TopicFault]:
    """What is wrong with the topics; empty when all is well. Unequal numbers of partitions break the lanes."""
    client = _Client(settings)
    there = client.partitions()
    wants = wanted(settings, participants)
    faults = [
        TopicFault(t.name, "missing", "is missing: swb topics create makes it") for t in wants if t.name not in there
    ]
    known = [t for t in wants if t.name in there]
    faults += _unequal([t.name for t in known], there)
    configs = _configs(client.admin, [t.name for t in known])
    faults += [
        TopicFault(topic.name, "config", f"{name} is {configs[topic.name].get(name)}, not {value}")
        for topic in known
        for name, value in topic.config.items()
        if configs[topic.name].get(name) != value
    ]
    return faults


def _unequal(names: Iterable[str], there: Mapping[str, int]) -> list[TopicFault]:
    usual = Counter(there[name] for name in names).most_common(1)
    return [
        TopicFault(
            name,
            "partitions",
            f"has {there[name]} partitions and others have {usual[0][0]}: all need the same number",
        )
        for name in names
        if there[name] != usual[0][0]
    ]


def greet(settings: Settings) -> None:
    """Raises Failed, with the cause, when Kafka does not answer."""
    _Client(settings).partitions()


def wait(settings: Settings, participants: Iterable[str]) -> None:
    """Return when Kafka answers and every topic of the relay's own is there; says meanwhile what it waits for.

    A participant's topic that is missing or has other partitions is its own trouble: it is told by its name, and no
    reason to wait. Raises Misconfigured where the relay's own topics have unequal partitions.
    """
    there = wait_for(settings, topics.OWN)
    unequal = [f"{f.topic} {f.sentence}" for f in _unequal(topics.OWN, there)]
    if unequal:
        raise Misconfigured("; ".join(unequal))
    usual = there[topics.FACTS]
    for name in topics.all_topics(participants):
        if name not in there:
            logger.error("topic.wrong", topic=name, reason="is missing: swb topics create makes it")
        elif there[name] != usual:
            logger.error("topic.wrong", topic=name, reason=f"has {there[name]} partitions, the relay's own {usual}")


def tell_faults(settings: Settings, participants: Iterable[str]) -> None:
    """Say what is wrong with the topics; that Kafka cannot be asked just now is said too, and is no fault of theirs."""
    try:
        faults = check(settings, participants)
    except (Failed, KafkaException) as error:
        logger.warning("topics.unchecked", reason=str(error))
        return
    for fault in faults:
        logger.warning("topic.wrong", topic=fault.topic, reason=fault.sentence)


def wait_for(settings: Settings, needed: Collection[str]) -> dict[str, int]:
    """All topics and their partitions, when Kafka answers and these are there; says meanwhile what it waits for."""
    pause = _FIRST_PAUSE
    client = _Client(settings)
    while True:
        try:
            there = client.partitions()
        except Failed as error:
            logger.warning("kafka.waiting", bootstrap=settings.bootstrap, reason=str(error))
        else:
            missing = sorted(set(needed) - there.keys())
            if not missing:
                return there
            logger.warning("topics.waiting", missing=missing[:5], count=len(missing), remedy="swb topics create")
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _keep_time(client: AdminClient, outboxes: list[str]) -> None:
    """The broker's time for what comes from now on."""
    ((name, value),) = _BY_THE_BROKER.items()
    other = [topic for topic, config in _configs(client, outboxes).items() if config.get(name) != value]
    change = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)]
    wanted = [ConfigResource(ResourceType.TOPIC, topic, incremental_configs=change) for topic in other]
    for resource, future in client.incremental_alter_configs(wanted).items() if wanted else ():
        try:
            future.result()
        except KafkaException as error:
            raise Failed(f"{resource.name} cannot be given {name}={value}: {error.args[0].str()}") from error
        logger.info("topic.changed", topic=resource.name, reason=f"{name}={value}")


def _agreed(participants: Iterable[str]) -> dict[str, dict[str, str]]:
    """The outboxes and inboxes that keep records for the time their participant agreed on."""
    found: dict[str, dict[str, str]] = {}
    for one in participants.values() if isinstance(participants, Mapping) else ():
        if isinstance(one, Participant) and one.policy.retention_days:
            kept = _kept(one.policy.retention_days)
            found |= {topics.outbox(one.code): kept, topics.inbox(one.code): kept}
    return found


def _kept(days: int) -> dict[str, str]:
    return {"retention.ms": str(days * _DAY_MS)}


class _Client:
    """The admin client, with what its connection last complained of."""

    def __init__(self, settings: Settings) -> None:
        self._said = ""
        given = {**settings.librdkafka(), "log_level": 0, "error_cb": self._hear}
        self.admin = AdminClient(given)

    def partitions(self) -> dict[str, int]:
        """Topics and their numbers of partitions; Failed, with the cause, when Kafka does not answer."""
        try:
            found = self.admin.list_topics(timeout=_ANSWER_SECONDS).topics
        except KafkaException as error:
            self.admin.poll(0)
            raise Failed(f"Kafka does not answer: {self._said or error.args[0].str()}") from error
        return {name: len(topic.partitions) for name, topic in found.items()}

    def _hear(self, error: KafkaError) -> None:
        if not error.str().startswith(_ALL_DOWN):
            self._said = error.str()


def _configs(client: AdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    asked = client.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in names])
    return {
        resource.name: {name: entry.value for name, entry in future.result().items()}
        for resource, future in asked.items()
    }


def unled(client: AdminClient, new: Mapping[str, int], seconds: float) -> list[str]:
    """Wait until every partition of new topics takes records; those that do not after that time.

    The metadata names a leader before it takes anything. A producer that keeps several requests under way loses a
    record then, and hears that all is well: Kafka refuses the first request, takes the second, and librdkafka holds
    the first for done by that.
    """
    until = time.monotonic() + seconds
    waiting = {TopicPartition(name, number) for name, partitions in new.items() for number in range(partitions)}
    while waiting and time.monotonic() < until:
        told = client.list_topics(timeout=seconds).topics  # asked too early, list_offsets never learns of them
        led = {
            TopicPartition(n, p) for n, topic in told.items() for p, of in topic.partitions.items() if of.leader >= 0
        }
        if waiting <= led:
            asked = client.list_offsets(dict.fromkeys(waiting, OffsetSpec.latest()), request_timeout=_ANSWER_SECONDS)
            waiting = {tp for tp, future in asked.items() if future.exception() is not None}
        if waiting:
            time.sleep(0.1)
    return sorted({tp.topic for tp in waiting})
