"""What a window says: frozen values of a WCO Response (WCO DM 3.6, class 07B), free of XML and of national meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass

from broker.model.ids import ParticipantCode  # noqa: TC001 - pydantic reads the annotations

_STEP = re.compile(r"(?P<section>[^#:/]+)(?:#(?P<sequence>\d+))?(?::(?P<tag>[^#:/]+))?")


@dataclass(frozen=True, slots=True)
class PointerStep:
    """One step towards an element of the payload: class id (375), occurrence (006), data element id (381)."""

    section: str
    sequence: int | None = None
    tag: str = ""

    def __str__(self) -> str:
        sequence = "" if self.sequence is None else f"#{self.sequence}"
        return f"{self.section}{sequence}{f':{self.tag}' if self.tag else ''}"


Chain = tuple[PointerStep, ...]
"""Class 97A as it is really used: 42A, 67A, 68A#1, 02A#1:D005."""


def chain_text(chain: Chain) -> str:
    """The chain as one word: ``42A/67A/68A#1/02A#1:D005``."""
    return "/".join(str(step) for step in chain)


def chain_of(text: str) -> Chain:
    """The chain that chain_text wrote; ValueError when the text is no chain."""
    matches = [_STEP.fullmatch(step.strip()) for step in text.split("/")] if text else []
    if None in matches:
        raise ValueError(f"not a pointer chain: {text!r} (expected like 42A/67A/68A#1/02A#1:D005)")
    return tuple(
        PointerStep(match["section"], int(match["sequence"]) if match["sequence"] else None, match["tag"] or "")
        for match in matches
        if match is not None
    )


@dataclass(frozen=True, slots=True)
class AnswerError:
    """Class 53A: what a window holds against a payload, and where."""

    code: str
    """ValidationCode (377), of the window's own list."""
    text: str = ""
    """Description (488): the window's own words."""
    pointer: Chain = ()


@dataclass(frozen=True, slots=True)
class AnswerStatus:
    """Class 12B: a status (379, list UN 4405) and since when; times are RFC 3339 in UTC, or empty."""

    code: str
    effective: str = ""
    released: str = ""
    pointer: Chain = ()


@dataclass(frozen=True, slots=True)
class Remark:
    """Class 03A: an additional statement of the window, with the time by which it wants something."""

    code: str = ""
    text: str = ""
    type_code: str = ""
    limit: str = ""
    pointer: Chain = ()


@dataclass(frozen=True, slots=True)
class Change:
    """Class 06A: an element that the window changed, and its reason code (099)."""

    reason: str
    pointer: Chain = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One Response of one window: ``(window, answer_id)`` names it, ``digest`` tells whether another says the same."""

    window: ParticipantCode
    answer_id: str
    function_code: str
    reference: str = ""
    """Our own reference as the window echoes it: the payload's FunctionalReferenceID (D026)."""
    is_own_reference: bool = False
    """Whether that stood where the window puts its own reference, so that it may be the window's after all."""
    mrn: str = ""
    """The window's own reference to the declaration (D014)."""
    issued: str = ""
    """When the window wrote it: RFC 3339 in UTC, or empty."""
    errors: tuple[AnswerError, ...] = ()
    statuses: tuple[AnswerStatus, ...] = ()
    remarks: tuple[Remark, ...] = ()
    changes: tuple[Change, ...] = ()
    version: str = ""
    accepted: str = ""
    rejected: str = ""
    cancelled: str = ""
    details: tuple[tuple[str, str], ...] = ()
    """Whatever else the Response holds, as (path, text): duties, payments, corrected elements."""
    tolerated: tuple[str, ...] = ()
    """Names of the departures from the schema that were read all the same."""
    position: int = 1
    """Which Response of its record it was."""
    digest: str = ""
