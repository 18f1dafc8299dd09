"""What makes a certificate one that may be lodged: states, periods and marks, as its document type's table says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class StateMark:
    """Where a document says in which state it is, and what its words mean."""

    at: str
    """XPath 1.0 from the root."""
    issued: frozenset[str]
    """Words of a certificate that may be lodged, in small letters."""
    ended: frozenset[str]
    """Words of one that is lodged to end what was lodged before: withdrawn, replaced."""
    refused: Mapping[str, str]
    """Words that are known and never lodged, with what they mean."""
    is_required: bool
    """Whether a document that does not say its state is refused."""


@dataclass(frozen=True, slots=True)
class Period:
    """When a certificate holds: XPaths of its first and of its last day or instant; either may be empty."""

    begins: str
    until: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A place that means something as soon as it says anything: revoked, or something unchecked."""

    at: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Issuance:
    """The table of one document type, or of one envelope."""

    states: tuple[StateMark, ...] = ()
    periods: tuple[Period, ...] = ()
    revoked: tuple[Mark, ...] = ()
    unchecked: tuple[Mark, ...] = ()

    def expressions(self) -> tuple[str, ...]:
        """Every XPath in it."""
        periods = [expression for period in self.periods for expression in (period.begins, period.until) if expression]
        return (*(s.at for s in self.states), *periods, *(m.at for m in (*self.revoked, *self.unchecked)))
