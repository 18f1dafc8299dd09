"""Who works which lane: whole indices, never parts of one, and a lane stays where it is as long as that is fair.

The group's leader divides by what each member says it held. An index belongs to one member over all topics, also of
those that other members know nothing of, so that a catalogue may change worker by worker.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import orjson
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

from broker.relay import topics

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aiokafka.cluster import ClusterMetadata

_VERSION = 0


def divided(count: int, held: Mapping[str, tuple[int, Iterable[int]]]) -> dict[str, list[int]]:
    """The lanes of each member; ``held`` says of each in which round of the group it was told what, and what.

    Nobody has two more than another. A lane moves only where it must, and of two that claim it, the one has it that was
    given it last.
    """
    members = sorted(held)
    owner: dict[int, str] = {}
    for member in sorted(members, key=lambda one: (held[one][0], one)):
        owner |= dict.fromkeys((index for index in held[member][1] if 0 <= index < count), member)
    found: dict[str, list[int]] = {member: [] for member in members}
    for index, member in sorted(owner.items()):
        found[member].append(index)
    free = [index for index in range(count) if index not in owner]
    least, more = divmod(count, len(members))
    for place, member in enumerate(sorted(members, key=lambda one: -len(found[one]))):
        most = least + (place < more)
        free += found[member][most:]
        del found[member][most:]
    for index in sorted(free):
        found[min(members, key=lambda one: (len(found[one]), one))].append(index)
    return {member: sorted(lanes) for member, lanes in found.items()}


class LaneAssignor(AbstractPartitionAssignor):  # type: ignore[misc]  # aiokafka publishes no types
    """The assignor of the relay's group. What this worker holds is kept for the process, as the client wants it."""

    name = "swb-lanes"
    _held: tuple[int, ...] = ()
    _round = 0

    @classmethod
    def assign(
        cls, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """Every partition that a member subscribes to, of the indices that are its own."""
        told = {member: _told(metadata.user_data) for member, metadata in members.items()}
        names = {name for metadata in members.values() for name in metadata.subscription}
        there = {name: cluster.partitions_for_topic(name) or set() for name in names}
        count = 1 + max(there.get(topics.FACTS) or {index for found in there.values() for index in found} or {-1})
        lanes = divided(count, told)
        this_round = orjson.dumps({"round": 1 + max(number for number, _ in told.values())})
        found = {}
        for member, metadata in members.items():
            given: defaultdict[str, list[int]] = defaultdict(list)
            for name in metadata.subscription:
                if mine := [index for index in lanes[member] if index in there[name]]:
                    given[name] = mine
            found[member] = ConsumerProtocolMemberAssignment(_VERSION, sorted(given.items()), this_round)
        return found

    @classmethod
    def metadata(cls, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """What this worker subscribes to, and what it holds."""
        return ConsumerProtocolMemberMetadata(
            _VERSION, list(topics), orjson.dumps({"round": cls._round, "lanes": cls._held})
        )

    @classmethod
    def on_assignment(cls, assignment: ConsumerProtocolMemberAssignment) -> None:
        """What this worker was given."""
        cls._held = tuple(sorted({tp.partition for tp in assignment.partitions()}))
        cls._round = _number(_loaded(assignment.user_data).get("round"))


def _told(data: bytes | None) -> tuple[int, list[int]]:
    """What a member says that it held; nothing where that cannot be read."""
    said = _loaded(data)
    lanes = said.get("lanes")
    return _number(said.get("round")), [_number(lane) for lane in lanes] if isinstance(lanes, list) else []


def _loaded(data: bytes | None) -> dict[str, Any]:
    try:
        found = orjson.loads(data or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _number(given: object) -> int:
    return given if isinstance(given, int) else 0
