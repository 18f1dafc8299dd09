"""A mock's fault script: which share of its answers is late, lost, doubled, out of order or rubbish.

Chance is derived from the answered message, so the same script does the same to the same message in every run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from broker.model.errors import Misconfigured
from broker.model.ids import ParticipantCode
from broker.windows.respond import derived

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.windows.respond import WindowReply

RUBBISH = b"<Response><FunctionCode>03</FunctionCode"
_SHARES = frozenset({"fail", "late", "twice", "disorder", "rubbish"})


@dataclass(frozen=True, slots=True)
class Faults:
    """Seconds added to every answer, and shares (0 to 1) of the messages whose answers go wrong in a certain way."""

    delay: float = 0.0
    fail: float = 0.0
    """It never answers."""
    late: float = 0.0
    late_by: float = 30.0
    twice: float = 0.0
    """Every record comes a second time."""
    disorder: float = 0.0
    """The last step comes first."""
    rubbish: float = 0.0
    """Something unreadable comes before the answer."""


NONE = Faults()


def read_faults(text: str) -> Mapping[ParticipantCode, Faults]:
    """The scripts by window: ``{"pe-vuce": {"twice": 0.5, "late": 0.1, "late_by": 20}}``; raises Misconfigured."""
    try:
        scripts = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise Misconfigured(f"the windows' fault script is not JSON: {error}") from error
    if not isinstance(scripts, dict):
        raise Misconfigured("the windows' fault script must be an object: window code to faults")
    return {ParticipantCode(code): _faults(code, entry) for code, entry in scripts.items()}


def _faults(code: str, entry: object) -> Faults:
    known = {field.name for field in fields(Faults)}
    if not isinstance(entry, dict) or not set(entry) <= known:
        raise Misconfigured(f"faults of {code}: {entry!r}; known are {', '.join(sorted(known))}")
    for name, value in entry.items():
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or value < 0 or (name in _SHARES and value > 1):
            raise Misconfigured(f"faults of {code}: {name} = {value!r} must be {_expected(name)}")
    return Faults(**{name: float(value) for name, value in entry.items()})


def _expected(name: str) -> str:
    return "a share from 0 to 1" if name in _SHARES else "seconds, 0 or more"


def play(faults: Faults, message: str, replies: tuple[WindowReply, ...]) -> tuple[WindowReply, ...]:
    """The replies as the script lets them out, soonest first."""

    def hits(share: float, name: str) -> bool:
        return int(derived(message, name)[:8], 16) < share * 0x1_0000_0000

    if not replies or hits(faults.fail, "fail"):
        return ()
    wait = faults.delay + (faults.late_by if hits(faults.late, "late") else 0)
    out = [replace(reply, delay=reply.delay + wait) for reply in replies]
    if hits(faults.disorder, "disorder"):
        delays = [reply.delay for reply in out]
        out = [replace(reply, delay=delay) for reply, delay in zip(reversed(out), delays, strict=True)]
    if hits(faults.twice, "twice"):
        out += [replace(reply, delay=reply.delay + 0.1) for reply in out]
    if hits(faults.rubbish, "rubbish"):
        junk = derived(out[0].id, "rubbish")
        out.append(replace(out[0], id=junk, content=RUBBISH))
    return tuple(sorted(out, key=lambda reply: reply.delay))
