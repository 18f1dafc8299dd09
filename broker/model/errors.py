"""What can go wrong on the line: the message is at fault, or the world is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from broker.model.findings import Finding


class Refused(Exception):
    """The message is at fault: answered to its sender with every finding, never retried."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(f"{f.code} {f.pointer}".strip() for f in findings))
        self.findings = tuple(findings)


class Failed(Exception):
    """The world is at fault: retried where ``retriable``, then a dead letter."""

    retriable = True


class Misconfigured(Exception):
    """Our own data or settings are at fault; the text says file, place and what to write instead."""
