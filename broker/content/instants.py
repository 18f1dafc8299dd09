"""Dates and times as ISO 8601 and XSD part 2 (3.2.7, 3.2.9) write them, as the span of time that they can mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_TEXT = re.compile(
    r"(?P<year>\d{4})-?(?P<month>\d\d)-?(?P<day>\d\d)"
    r"(?:[T ](?P<hour>\d\d):?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?)?"
    r"(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_EARLIEST_ZONE, _LATEST_ZONE = timedelta(hours=14), timedelta(hours=-12)
"""Where a day begins first (UTC+14) and ends last (UTC-12)."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """From the first to the last instant that a text can mean: the same one for a time with its zone."""

    first: datetime
    last: datetime

    def is_before(self, other: Span) -> bool:
        """Whether it lies before the other, wherever its writer was."""
        return self.last < other.first

    @classmethod
    def at(cls, moment: datetime) -> Span:
        """A known instant."""
        return cls(moment, moment)


def span(text: str) -> Span | None:
    """What a date or a time can mean; None for what is neither.

    24:00:00 is the beginning of the next day; midnight without a zone is how date-times write a day.
    """
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        return None
    try:
        return _span(match)
    except (ValueError, OverflowError):
        return None


def _span(match: re.Match[str]) -> Span:
    day = datetime(int(match["year"]), int(match["month"]), int(match["day"]), tzinfo=UTC)
    time = timedelta() if match["hour"] is None else _time(match)
    if match["hour"] is None or not (time or match["zone"]):
        begins, ends = day, day + _DAY
    else:
        begins = ends = day + time
    if match["zone"] is None:
        return Span(begins - _EARLIEST_ZONE, ends - _LATEST_ZONE)
    offset = _offset(match["zone"])
    return Span(begins - offset, ends - offset)


def _time(match: re.Match[str]) -> timedelta:
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    fraction = (match["fraction"] or "0")[:6].ljust(6, "0")
    is_midnight = (hour, minute, second, int(fraction)) == (24, 0, 0, 0)
    if not is_midnight and (hour > 23 or minute > 59 or second > 59):
        raise ValueError(match[0])
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=int(fraction))


def _offset(zone: str) -> timedelta:
    if zone == "Z":
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    if hours > 14 or minutes > 59:
        raise ValueError(zone)
    offset = timedelta(hours=hours, minutes=minutes)
    return offset if zone[0] == "+" else -offset
