"""Who may do what on the wire: a participant its own two topics, the relay its own business, and nobody else's.

Principals are ``User:<participant>`` and ``User:swb-relay`` unless the setting ``principals`` says otherwise (mutual
TLS: ``User:CN={name}``).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from broker.kafka.clients import quiet_admin
from broker.model.errors import Failed
from broker.relay import topics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confluent_kafka.admin import AdminClient

    from broker.settings import Settings

RELAY = "swb-relay"
"""The name of the worker among the principals."""

_SECONDS = 30
_WAIT_SECONDS = 60
_TWICE = 2
"""So often in a row the rights are asked for, of whichever nodes answer."""
_ON_RELAY_TOPICS = (AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS)


def wanted(settings: Settings, participants: Iterable[str]) -> list[AclBinding]:
    """Every right of an installation."""
    literal, prefixed = ResourcePatternType.LITERAL, ResourcePatternType.PREFIXED
    topic, group, transaction = ResourceType.TOPIC, ResourceType.GROUP, ResourceType.TRANSACTIONAL_ID

    def may(
        name: str, kind: ResourceType, resource: str, pattern: ResourcePatternType, what: AclOperation
    ) -> AclBinding:
        principal = settings.principals.replace("{name}", name)
        return AclBinding(kind, resource, pattern, principal, "*", what, AclPermissionType.ALLOW)

    rights = [may(RELAY, topic, "swb.", prefixed, what) for what in _ON_RELAY_TOPICS]
    rights.append(may(RELAY, group, "swb-", prefixed, AclOperation.READ))
    rights += [
        may(RELAY, transaction, topics.TRANSACTIONAL_PREFIX, prefixed, what)
        for what in (AclOperation.WRITE, AclOperation.DESCRIBE)
    ]
    for code in sorted(participants):
        rights += [
            may(code, topic, topics.outbox(code), literal, AclOperation.WRITE),
            may(code, topic, topics.outbox(code), literal, AclOperation.DESCRIBE),
            may(code, topic, topics.inbox(code), literal, AclOperation.READ),
            may(code, topic, topics.inbox(code), literal, AclOperation.DESCRIBE),
            may(code, group, f"swb.{code}.", prefixed, AclOperation.READ),
        ]
    return rights


def missing(settings: Settings, participants: Iterable[str]) -> list[str]:
    """The rights that are not there, for people."""
    there = _there(quiet_admin(settings))
    return [_told(right) for right in wanted(settings, participants) if _name(right) not in there]


def create(settings: Settings, participants: Iterable[str]) -> list[str]:
    """Write what is missing and wait until Kafka tells all of it; the rights that were written, for people."""
    client, rights = quiet_admin(settings), wanted(settings, participants)
    there = _there(client)
    new = [right for right in rights if _name(right) not in there]
    for future in client.create_acls(new, request_timeout=_SECONDS).values() if new else ():
        try:
            future.result(_SECONDS)
        except KafkaException as error:
            raise _failed("Kafka does not take a right", error) from error
    _wait(client, {_name(right) for right in rights})
    return [_told(right) for right in new]


def _wait(client: AdminClient, names: set[tuple[str, ...]]) -> None:
    until, held = time.monotonic() + _WAIT_SECONDS, 0
    while held < _TWICE:
        held = held + 1 if names <= _there(client) else 0
        if time.monotonic() > until:
            raise Failed(f"Not all rights hold after {_WAIT_SECONDS} s")
        if held < _TWICE:
            time.sleep(0.2)


def _there(client: AdminClient) -> set[tuple[str, ...]]:
    """All rights that Kafka knows; raises Failed where it keeps none."""
    everything = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    try:
        found: list[AclBinding] = client.describe_acls(everything, request_timeout=_SECONDS).result(_SECONDS)
    except KafkaException as error:
        raise _failed("Kafka does not tell its rights", error) from error
    return {_name(right) for right in found}


def _failed(what: str, error: KafkaException) -> Failed:
    if error.args[0].code() == KafkaError.SECURITY_DISABLED:
        return Failed("This Kafka keeps no rights: it needs an authorizer (authorizer.class.name)")
    return Failed(f"{what}: {error.args[0].str()}")


def _name(right: AclBinding) -> tuple[str, ...]:
    kind, pattern, what = right.restype.name, right.resource_pattern_type.name, right.operation.name
    return (kind, right.name, pattern, right.principal, right.host, what, right.permission_type.name)


def _told(right: AclBinding) -> str:
    star = "*" if right.resource_pattern_type is ResourcePatternType.PREFIXED else ""
    return f"{right.principal} may {right.operation.name.lower()} {right.restype.name.lower()} {right.name}{star}"
