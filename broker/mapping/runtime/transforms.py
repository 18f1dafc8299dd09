"""The named transforms of mapping rows: text to text, exact, or a reason why not. No floats, nothing cut or rounded."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Unfit(Exception):
    """A value that cannot become the target's: finding code and the reason as a sentence."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Lossy(str):
    """A text that carries its source but for one named part."""

    __slots__ = ("code", "reason")
    code: str
    reason: str

    @classmethod
    def of(cls, text: str, code: str, reason: str) -> Lossy:
        value = cls(text)
        value.code = code
        value.reason = reason
        return value


_DECIMAL = re.compile(r"([+-]?)0*(\d*)(?:\.(\d*))?", re.ASCII)
_INTEGER = re.compile(r"([+-]?)0*(\d+)(?:\.0*)?", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:[. '\u00a0]\d{3})+(?:,\d*)?", re.ASCII)
_DATE = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_DATETIME = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)[T ]?(\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?(Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_TARIFF_PREFIX = re.compile(r"\s*(?:H\.?S\.?|HTS|HSN)(?:\s*code)?\s*[:#-]?\s*(?=\d)", re.IGNORECASE)
_TARIFF_NOISE = re.compile(r"[\s.\u00a0\u2010-\u2015-]")
EARLIEST_YEAR = 2000
"""The WCO DateTimeString pattern knows no earlier century."""


def upper(text: str) -> str:
    return text.upper()


def digits(text: str) -> str:
    """Only the digits of it."""
    return "".join(c for c in text if c in "0123456789")


def strip_dots(text: str) -> str:
    """Without the dots and blanks of a printed tariff code: ``8408.90.90`` is ``84089090``."""
    return text.replace(".", "").replace(" ", "")


def tariff_code(text: str) -> str:
    """The digits of a tariff code of the Harmonized System, whatever a list, a printer or a person put among them.

    ``HS 8408.90-90`` is ``84089090``. At least a heading (four digits), at most the fourteen of a national tariff.
    """
    code = _TARIFF_NOISE.sub("", _TARIFF_PREFIX.sub("", text))
    if not code.isascii() or not code.isdigit() or not 4 <= len(code) <= 14:
        raise Unfit("value.tariff-code", f"{text!r} is no code of the Harmonized System")
    return code


def integer(text: str) -> str:
    match = _INTEGER.fullmatch(text)
    if match is None:
        raise Unfit("value.integer", f"{text!r} is not a whole number")
    return ("-" if match[1] == "-" else "") + match[2]


def decimal(text: str) -> str:
    """xs:decimal text: digits as written, without plus sign and leading zeros."""
    match = _DECIMAL.fullmatch(text)
    if match is None or not (match[2] or match[3] or "0" in text):
        raise Unfit("value.decimal", f"{text!r} is not a decimal number")
    sign = "-" if match[1] == "-" else ""
    return f"{sign}{match[2] or '0'}.{match[3]}" if match[3] else f"{sign}{match[2] or '0'}"


def decimal_comma(text: str) -> str:
    """A decimal with comma, as ``1.234.567,89``: dots, blanks and apostrophes only between groups of three."""
    if _GROUPED.fullmatch(text):
        text = re.sub(r"[. '\u00a0]", "", text)
    elif "." in text:
        raise Unfit("value.decimal", f"{text!r} is not a decimal number with comma")
    return decimal(text.replace(",", "."))


def date(text: str) -> str:
    """CCYYMMDD (format 102) of an ISO 8601 date, basic or extended; a date-time gives its date and says so."""
    match = _DATE.fullmatch(text)
    if match is None:
        full = date_time(text)
        return full if len(full) == 8 else Lossy.of(full[:8], "date.time-lost", "the time has no place here")
    return _day(_calendar(int(match[1]), int(match[2]), int(match[3]), text))


def date_time(text: str) -> str:
    """CCYYMMDDhhmmss with Z or ±hh (304); without a zone CCYYMMDD (102), and the time is told as lost.

    The published pattern has no zone minutes: a half-hour zone becomes UTC. Fractions of a second are told as lost.
    """
    day = _DATE.fullmatch(text)
    if day is not None:
        return _day(_calendar(int(day[1]), int(day[2]), int(day[3]), text))
    match = _DATETIME.fullmatch(text)
    if match is None:
        raise Unfit("value.date", f"{text!r} is not a date or date-time of ISO 8601")
    year, month, dayno, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    if hour == 24 and not (minute or second or (match[7] or "").strip("0")):  # the next day's midnight (XSD 3.2.7)
        moment = _midnight_after(_calendar(year, month, dayno, text), text)
    else:
        moment = _calendar(year, month, dayno, text, hour, minute, second)
    fraction, zone = (match[7] or "").rstrip("0"), match[8]
    if zone is None:
        if fraction or moment.hour or moment.minute or moment.second:
            return Lossy.of(_day(moment), "date.time-lost", f"the time of {text!r} has no zone and no place")
        return _day(moment)
    written = _zoned(moment, zone)
    if fraction:
        return Lossy.of(written, "date.fraction-lost", f"the fraction of a second in {text!r} has no place")
    return written


def _midnight_after(day: datetime, text: str) -> datetime:
    following = day + timedelta(days=1)
    return _calendar(following.year, following.month, following.day, text)


def _day(moment: datetime) -> str:
    return f"{moment.year:04d}{moment.month:02d}{moment.day:02d}"


def _time(moment: datetime) -> str:
    return f"{moment.hour:02d}{moment.minute:02d}{moment.second:02d}"


def _calendar(year: int, month: int, day: int, text: str, *time: int) -> datetime:
    try:
        moment = datetime(year, month, day, *time).replace(tzinfo=UTC)  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError as error:
        raise Unfit("value.date", f"{text!r} is no date of the calendar: {error}") from None
    if year < EARLIEST_YEAR or year > 2099:
        raise Unfit("value.date", f"{text!r} lies outside the years 2000 to 2099 that the payload can say")
    return moment


def _zoned(moment: datetime, zone: str) -> str:
    if zone == "Z":
        return f"{_day(moment)}{_time(moment)}Z"
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    if hours > 14 or minutes > 59:
        raise Unfit("value.date", f"{zone!r} is no time zone")
    if minutes == 0:
        return f"{_day(moment)}{_time(moment)}{zone[:3]}"
    offset = timedelta(hours=hours, minutes=minutes)
    moment = moment - offset if zone[0] == "+" else moment + offset
    if not EARLIEST_YEAR <= moment.year <= 2099:
        raise Unfit("value.date", "the time in UTC lies outside the years 2000 to 2099 that the payload can say")
    return f"{_day(moment)}{_time(moment)}Z"


def century(text: str) -> str:
    """A date with a year of two digits (UN/EDIFACT 2379: 101, 201, 202) with the year of this century."""
    if not (text.isascii() and text.isdigit() and len(text) in {6, 10, 12}):
        raise Unfit("value.date", f"{text!r} is no YYMMDD, with or without hours, minutes and seconds")
    return f"20{text}"


def issue_before(text: str) -> str:
    """A number whose last two digits count its issues, with those of the issue before: ``...02`` is ``...01``."""
    issue = text[-2:]
    if not (issue.isascii() and issue.isdigit() and len(issue) == 2) or issue == "00":
        raise Unfit("value.issue", f"{text!r} does not end in the number of an issue that had one before it")
    return f"{text[:-2]}{int(issue) - 1:02d}"


def sha256(text: str) -> str:
    """The SHA-256 digest of the UTF-8 text, in lower-case hexadecimal: for what has no place itself (signatures)."""
    return hashlib.sha256(text.encode()).hexdigest()


def total(texts: Sequence[str]) -> str:
    """The exact sum of decimals."""
    return f"{sum((Decimal(decimal(t)) for t in texts), Decimal(0)):f}"


def fold(text: str, size: int) -> list[str]:
    """Pieces of at most ``size`` characters, cut at blanks where there are any; joined by blanks they are the text."""
    pieces = []
    while len(text) > size:
        cut = text.rfind(" ", 1, size + 1)
        head, text = (text[:cut], text[cut + 1 :]) if cut > 0 else (text[:size], text[size:])
        pieces.append(head)
    return [*pieces, text] if text else pieces


TRANSFORMS: dict[str, Callable[[str], str]] = {
    "upper": upper,
    "digits": digits,
    "strip-dots": strip_dots,
    "tariff-code": tariff_code,
    "integer": integer,
    "decimal": decimal,
    "decimal-comma": decimal_comma,
    "date": date,
    "datetime": date_time,
    "century": century,
    "issue-before": issue_before,
    "sha256": sha256,
}
"""One value to one value. ``text`` (white space collapsed) comes before all of them."""
STRUCTURAL = frozenset({"text", "position", "count", "sum", "fold"})
"""Transforms over several nodes or over the place of a node; the compiler knows them."""
