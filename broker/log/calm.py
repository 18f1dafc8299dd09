"""A log that stays calm: a line that comes again and again is said once in a while, with how often it came.

A client library whose server is away says the same sentence thousands of times a minute. What is repeated is counted,
never dropped in silence: the next line of its kind carries the count, and where none follows, a line of its own does.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from broker.log.events import EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable

REPEATED = "log.repeated"
_WINDOW_SECONDS = 60.0
_SAID = 3
"""Lines of one kind that are said within a window before they are counted."""
_KINDS = 2000
"""Remembered at once; beyond, the oldest are told and forgotten."""
_APART = ("lane", "window", "participant", "topic")
"""Fields of ours by which lines of one event are of different kinds."""


@dataclass(slots=True)
class _Kind:
    since: float
    said: int = 0
    counted: int = 0
    logger: str = ""
    line: str = ""


class CalmHandler(logging.StreamHandler[TextIO]):
    """Writes to a stream; repeated warnings and errors of libraries, and those of ours that are declared to repeat, are
    counted. Nothing else is held back.
    """

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream)
        self._clock = clock
        self._kinds: dict[object, _Kind] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write it, or count it. (The caller holds the handler's lock.)"""
        now = self._clock()
        self._tell_ended(now)
        if not _repeats(record):
            super().emit(record)
            return
        name, line = _named(record)
        kind = self._kinds.setdefault(name, _Kind(now))
        kind.logger, kind.line = record.name, line
        if kind.said >= _SAID:
            kind.counted += 1
            return
        kind.said += 1
        super().emit(record)

    def flush_counts(self) -> None:
        """Say what is still only counted."""
        self._tell_ended(float("inf"))

    def close(self) -> None:
        """The last counts are said before the end."""
        self.acquire()
        try:
            self.flush_counts()
        except ValueError:  # the stream is closed already
            pass
        finally:
            self.release()
        super().close()

    def _tell_ended(self, now: float) -> None:
        for name, kind in list(self._kinds.items()):  # in the order in which they began
            if now - kind.since < _WINDOW_SECONDS and len(self._kinds) <= _KINDS:
                break
            del self._kinds[name]
            if kind.counted:
                super().emit(_summary(kind))


def _repeats(record: logging.LogRecord) -> bool:
    if isinstance(record.msg, dict):
        declared = EVENTS.get(str(record.msg.get("event")))
        return declared is not None and declared.repeats
    return logging.WARNING <= record.levelno < logging.CRITICAL


def _named(record: logging.LogRecord) -> tuple[object, str]:
    """What makes a line one of its kind, and its words: the event with its place, or a library's sentence unfilled."""
    if isinstance(record.msg, dict):  # an event of ours, on its way through structlog
        event: dict[str, Any] = record.msg
        return (record.name, event.get("event"), *(str(event.get(field, "")) for field in _APART)), str(event["event"])
    template = str(record.msg)
    return (record.name, record.levelno, template.partition("\n")[0][:80]), template.partition("\n")[0][:200]


def _summary(kind: _Kind) -> logging.LogRecord:
    record = logging.LogRecord("broker.log", logging.WARNING, "", 0, REPEATED, None, None)
    record.__dict__.update(of=kind.logger, line=kind.line, times=kind.counted, seconds=_WINDOW_SECONDS)
    return record
