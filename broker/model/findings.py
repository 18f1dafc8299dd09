"""Findings: faults in a document, each with its place in the sender's own bytes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault in a document: stable code, path and line in the sender's own bytes, the value, a sentence."""

    code: str
    message: str
    severity: Severity = Severity.ERROR
    pointer: str = ""
    line: int | None = None
    value: str | None = None

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def as_json(self) -> dict[str, str | int | None]:
        """The finding as every output in JSON tells it."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "pointer": self.pointer,
            "line": self.line,
            "value": self.value,
            "message": self.message,
        }
