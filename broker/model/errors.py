"""What can go wrong: the message is at fault, the world is, or our own data and settings are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from broker.model.findings import Finding


class BrokerError(Exception):
    """Above every error that the broker raises on purpose: who catches this catches them all."""


class Refused(BrokerError):
    """The message is at fault: answered to its sender with every finding, never retried."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(f"{f.code} {f.pointer}".strip() for f in findings))
        self.findings = tuple(findings)


class Failed(BrokerError):
    """The world is at fault: retried where ``retriable``, then a dead letter."""

    retriable = True


class Misconfigured(BrokerError):
    """Our own data or settings are at fault; the text says file, place and what to write instead."""

    faults: tuple[Misconfigured, ...]
    """Each by itself, where several were found at once."""

    def __init__(self, *said: str, faults: Sequence[Misconfigured] = ()) -> None:
        super().__init__(*(said or ["\n".join(map(str, faults))]))
        self.faults = tuple(one for fault in faults for one in fault.faults) or (self,)
