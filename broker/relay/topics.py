"""Names of topics, groups and transactional ids."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from broker.model.ids import ParticipantCode

if TYPE_CHECKING:
    from collections.abc import Iterable

INTAKE = "swb.intake"
FACTS = "swb.facts"
FACTS_OF_0_1 = "swb.answers"
"""What release 0.1.0 called it; ``swb topics upgrade`` moves what still lies there."""
DUPLICATES = "swb.duplicates"
CONVERSATIONS = "swb.conversations"
REFERENCES = "swb.references"
WRITEOFF = "swb.writeoff"
TRACKING = "swb.tracking"
DEADLETTER = "swb.deadletter"
STATE = (DUPLICATES, CONVERSATIONS, REFERENCES, WRITEOFF)
"""What a lane remembers; partition k belongs to lane k."""
UNDER_WAY = (INTAKE, FACTS)
"""What the relay has taken in and is not done with; all of it came from an outbox."""
OWN = (*UNDER_WAY, *STATE, TRACKING, DEADLETTER)
RELAY_GROUP = "swb-relay"
TRANSACTIONAL_PREFIX = "swb-relay."
_OUTBOX = re.compile(r"swb\.([a-z0-9-]+)\.outbox")
_INBOX = re.compile(r"swb\.([a-z0-9-]+)\.inbox")
_RETRY = re.compile(r"swb\.retry\.([a-z0-9-]+)")


def outbox(participant: str) -> str:
    return f"swb.{participant}.outbox"


def inbox(participant: str) -> str:
    return f"swb.{participant}.inbox"


def retry(participant: str) -> str:
    return f"swb.retry.{participant}"


def transactional_id(lane: int) -> str:
    """The identity that fences: it belongs to the lane, whichever worker holds it."""
    return f"{TRANSACTIONAL_PREFIX}{lane}"


def writer_of(topic: str) -> ParticipantCode | None:
    """Whose outbox a topic is; None for every other topic."""
    match = _OUTBOX.fullmatch(topic)
    return ParticipantCode(match[1]) if match else None


def reader_of(topic: str) -> ParticipantCode | None:
    """Whose inbox a topic is; None for every other topic."""
    match = _INBOX.fullmatch(topic)
    return ParticipantCode(match[1]) if match else None


def waiting_for(topic: str) -> ParticipantCode | None:
    """For whom the deliveries of a retry topic wait; None for every other topic."""
    match = _RETRY.fullmatch(topic)
    return ParticipantCode(match[1]) if match else None


Role = Literal["outbox", "intake", "facts", "retry"]


def role_of(topic: str) -> Role:
    """What a topic that the relay works on is for."""
    if topic == FACTS:
        return "facts"
    if topic == INTAKE:
        return "intake"
    return "retry" if waiting_for(topic) else "outbox"


def worked_topics(participants: Iterable[str]) -> list[str]:
    """What the relay's group subscribes to: all outboxes, the intake, facts and all retry topics."""
    codes = sorted(participants)
    return [*map(outbox, codes), *UNDER_WAY, *map(retry, codes)]


def written_topics(participants: Iterable[str]) -> list[str]:
    """What the relay may write to: all but the outboxes."""
    codes = sorted(participants)
    return [*map(inbox, codes), *map(retry, codes), *OWN]


def all_topics(participants: Iterable[str]) -> list[str]:
    """Every topic of an installation."""
    codes = sorted(participants)
    return [*(name for code in codes for name in (outbox(code), inbox(code), retry(code))), *OWN]
