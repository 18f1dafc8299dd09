"""Facts between lanes: what a record on ``swb.answers`` means to the lane that owns its key."""

from __future__ import annotations

from enum import StrEnum


class Fact(StrEnum):
    """What a record on ``swb.answers`` tells the lane that owns its key; its ``ce_type`` is ``swb.fact.<fact>``."""

    ACCEPTED = "accepted"
    REPEAT = "repeat"
    DELIVERED = "delivered"
    FAILED = "failed"
    ANSWER = "answer"
    REFERENCE = "reference"
    NO_ANSWER = "no-answer"
    NAMED = "named"
    AMENDS = "amends"
    AMENDED = "amended"
    RELATED = "related"
    GRANTED = "granted"
    WITHDRAWN = "withdrawn"
    WRITEOFF = "writeoff"

    @property
    def ce_type(self) -> str:
        return f"swb.fact.{self.value}"
