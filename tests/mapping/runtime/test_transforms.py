"""Laws of the named transforms: exact, never a float, nothing cut or rounded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.mapping.runtime.transforms import (
    Lossy,
    Unfit,
    date,
    date_time,
    decimal,
    decimal_comma,
    fold,
    integer,
    total,
)

decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=6)
moments = st.datetimes(min_value=datetime(2000, 1, 2), max_value=datetime(2099, 12, 30))  # noqa: DTZ001


@given(decimals, st.text("0", max_size=3), st.text("0", max_size=3), st.booleans())
def test_a_decimal_keeps_its_value_whatever_zeros_and_signs_it_has(value: Decimal, before: str, after: str, plus: bool):
    digits = f"{abs(value):f}"
    sign = "-" if value < 0 else "+" if plus else ""
    text = decimal(f"{sign}{before}{digits}{after}")
    assert Decimal(text) == value
    assert not text.startswith(("+", "0")) or text == "0" or text.startswith("0.")


@given(decimals)
def test_a_decimal_with_comma_and_thousands_is_the_same_number(value: Decimal):
    grouped = f"{value:,.6f}".translate(str.maketrans(",.", ".,"))
    assert Decimal(decimal_comma(grouped)) == value


@pytest.mark.parametrize("text", ["1,5", "1.5.2", "1e3", "NaN", "", ".", "--1", "٣", "1 000"])
def test_what_is_no_xsd_decimal_is_refused(text: str):
    with pytest.raises(Unfit):
        decimal(text)


@pytest.mark.parametrize("text", ["1.5", "1.23,4", "1.2345,6", "12.34.567,8", "1,2,3"])
def test_a_decimal_with_comma_is_never_guessed(text: str):
    with pytest.raises(Unfit):
        decimal_comma(text)


def test_a_whole_number_may_have_zero_decimals_and_nothing_else():
    assert integer("007.000") == "7"
    with pytest.raises(Unfit):
        integer("7.5")


@given(st.lists(decimals, min_size=1, max_size=30))
def test_a_sum_is_exact(values: list[Decimal]):
    assert Decimal(total([f"{v:f}" for v in values])) == sum(values)


@given(moments, st.integers(-14, 14), st.integers(0, 9_999_999))
def test_a_date_time_with_whole_hours_keeps_its_zone_and_says_that_a_fraction_is_lost(
    moment: datetime, hours: int, fraction: int
):
    zone = f"{'-' if hours < 0 else '+'}{abs(hours):02d}:00"
    result = date_time(f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction:07d}{zone}")
    assert result == f"{moment:%Y%m%d%H%M%S}{zone[:3]}"
    assert isinstance(result, Lossy) == bool(fraction)


@given(moments, st.integers(-13, 13), st.sampled_from([15, 30, 45]))
def test_a_zone_with_minutes_becomes_the_same_moment_in_utc(moment: datetime, hours: int, minutes: int):
    sign = -1 if hours < 0 else 1
    zone = timezone(sign * timedelta(hours=abs(hours), minutes=minutes))
    text = f"{moment:%Y-%m-%dT%H:%M:%S}{'-' if sign < 0 else '+'}{abs(hours):02d}:{minutes:02d}"
    expected = moment.replace(microsecond=0, tzinfo=zone).astimezone(UTC)
    assert date_time(text) == f"{expected:%Y%m%d%H%M%S}Z"


@given(moments)
def test_a_time_without_zone_is_told_as_lost_and_its_date_carried(moment: datetime):
    result = date_time(f"{moment:%Y-%m-%dT%H:%M:%S}")
    assert result == f"{moment:%Y%m%d}"
    assert isinstance(result, Lossy) == ((moment.hour, moment.minute, moment.second) != (0, 0, 0))
    assert date(f"{moment:%Y-%m-%d}Z") == date(f"{moment:%Y%m%d}") == result


@pytest.mark.parametrize(
    "text", ["2024-02-30", "1999-12-31", "2100-01-01", "24-01-01", "2024-13-01", "2024-01-01T25:00:00Z"]
)
def test_a_day_that_no_calendar_or_payload_has_is_refused(text: str):
    with pytest.raises(Unfit):
        date_time(text)


@given(st.lists(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=40), min_size=1))
def test_a_folded_text_is_whole(words: list[str]):
    text = " ".join(words)
    pieces = fold(text, 60)
    assert " ".join(pieces) == text
    assert all(0 < len(piece) <= 60 for piece in pieces)
