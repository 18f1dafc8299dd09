"""Why a worker leaves: the world is broken in a way that its supervisor must handle."""

from __future__ import annotations

from enum import IntEnum

from broker.model.errors import BrokerError


class Reason(IntEnum):
    """Exit codes of ``swb worker``, beside 0 (asked to stop) and 2 (could not start)."""

    FENCED = 3
    """Another worker holds a lane of ours; nothing more may be written."""
    BROKEN = 4
    """Kafka said what we do not know how to go on from."""
    STUCK = 5
    """Records wait and none has moved for too long."""


class Leave(BrokerError):
    """The process is to end, with that code."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
