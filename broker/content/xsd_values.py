"""Texts read as XML Schema reads them: decimals, booleans, dates and instants, exactly (XSD 1.0 part 2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, localcontext

_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ]?(\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)?(Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
EXACT = Context(prec=10_000)
"""Sums of whatever a document may hold: no digit is rounded away."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A day, or a time of day on it; with a zone it is an instant."""

    local: datetime
    """As written, without its zone."""
    fraction: Decimal
    offset: timedelta | None
    has_time: bool

    @property
    def instant(self) -> tuple[datetime, Decimal]:
        """The same in UTC; what has no zone is read as if it were written there."""
        return self.local - (self.offset or timedelta(0)), self.fraction


def decimal_of(text: str) -> Decimal | None:
    """xs:decimal: a sign and blanks around it are allowed, an exponent is not. None for any other text."""
    text = text.strip(" \t\r\n")
    return EXACT.create_decimal(text) if _DECIMAL.fullmatch(text) else None


def boolean_of(text: str) -> bool | None:
    """xs:boolean: true or 1, false or 0, blanks around them. None for any other text."""
    return {"true": True, "1": True, "false": False, "0": False}.get(text.strip(" \t\r\n"))


def moment_of(text: str) -> Moment | None:
    """xs:date or xs:dateTime, also in the basic form of ISO 8601; 24:00:00 is the next day's midnight (3.2.7)."""
    match = _MOMENT.fullmatch(text.strip(" \t\r\n"))
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    fraction = Decimal(f"0.{match[7]}") if match[7] else Decimal(0)
    if hour == 24 and (minute or second or fraction):
        return None
    try:
        local = datetime(year, month, day, hour % 24, minute, second, tzinfo=UTC) + timedelta(days=hour // 24)
    except (ValueError, OverflowError):
        return None
    return Moment(local, fraction, offset_of(match[8]), match[4] is not None)


def offset_of(zone: str | None) -> timedelta | None:
    """How far a zone lies east of UTC; None where none is written."""
    if zone is None:
        return None
    if zone == "Z":
        return timedelta(0)
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:].lstrip(":") or 0))
    return offset if zone[0] == "+" else -offset


def order(first: Moment, second: Moment) -> int:
    """-1, 0 or 1. Instants compare as instants; where one of them is a day, or has no zone, the days as written do."""
    if first.has_time and second.has_time and (first.offset is None) == (second.offset is None):
        a, b = first.instant, second.instant
        return (a > b) - (a < b)
    one, other = first.local.date(), second.local.date()
    return (one > other) - (one < other)


def total(numbers: list[Decimal]) -> Decimal:
    """The exact sum."""
    with localcontext(EXACT):
        return sum(numbers, Decimal(0))
