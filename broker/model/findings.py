"""Findings: one type for every fault, from the rule that finds it to the inbox of the sender who reads it.

The line makes findings of the sender's document, a window makes findings of the payload; on the way back those get
their place in the sender's document and their sentences in the sender's languages. ``as_json`` is the one form in which
findings leave the broker: in output of commands, in headers and in answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from broker.model.answers import Chain


LONGEST = 2000
"""Characters of a pointer, a value or a sentence that a notification carries."""
_HALF = LONGEST // 2 - 1


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: stable code, path and line in the sender's own bytes, the value, a sentence."""

    code: str
    """Of the line, or the window's own ValidationCode (377)."""
    message: str = ""
    severity: Severity = Severity.ERROR
    pointer: str = ""
    line: int | None = None
    value: str | None = None
    rule: str = ""
    """The id of the rule that does not hold."""
    messages: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Language to sentence, the wanted ones first; the sender reads these."""
    text: str = ""
    """The window's own words."""
    label: str = ""
    """The plain name of what ``pointer`` points at."""
    payload_pointer: str = ""
    """The place in the payload: a path, or a chain of class ids as the window sent it."""
    chain: Chain = ()
    """That chain, read."""

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def shortened(self) -> Finding:
        """The same without texts that no reader reads to their end: of a long one the beginning and the end stay."""
        if len(self.pointer) <= LONGEST and len(self.message) <= LONGEST and len(self.value or "") <= LONGEST:
            return self
        value = None if self.value is None else short(self.value)
        return replace(
            self, pointer=short(self.pointer), message=short(self.message), value=value, label=short(self.label)
        )

    def as_json(self) -> dict[str, Any]:
        """The finding as every output in JSON has it; what only its sender reads is left out before it is known."""
        found: dict[str, Any] = {
            "code": self.code,
            "severity": self.severity.value,
            "pointer": self.pointer,
            "line": self.line,
            "value": self.value,
            "message": self.message,
        }
        if self.messages:
            found |= {
                "rule": self.rule,
                "messages": dict(self.messages),
                "text": self.text,
                "label": self.label,
                "payload_pointer": self.payload_pointer,
            }
        return found

    def as_place(self) -> dict[str, Any]:
        """The finding as tracking may hold it: code and place, never a value."""
        pointer = short(self.pointer)
        return {"code": self.code, "severity": self.severity.value, "pointer": pointer, "line": self.line}


def short(text: str) -> str:
    """The text, or the beginning and the end of one that no reader reads whole."""
    return text if len(text) <= LONGEST else f"{text[:_HALF]}…{text[-_HALF:]}"


def finding_of(data: Mapping[str, Any]) -> Finding:
    """The finding that ``as_json`` wrote."""
    return Finding(**{**data, "severity": Severity(data["severity"])})


def as_header(findings: Iterable[Finding], room: int) -> str:
    """As many findings as a header of so many bytes may hold, the first ones first; empty for none."""
    kept: list[orjson.Fragment] = []
    for finding in findings:
        text = orjson.dumps(finding.as_json())
        room -= len(text) + 1
        if room < 0:
            break
        kept.append(orjson.Fragment(text))
    return orjson.dumps(kept).decode() if kept else ""


def of_header(text: str) -> tuple[Finding, ...]:
    """The findings that ``as_header`` wrote; ValueError for anything else."""
    return tuple(finding_of(one) for one in orjson.loads(text or "[]"))
