"""Texts read as XML Schema reads them (XSD 1.0 part 2): exactly, and nothing guessed."""

from datetime import timedelta
from decimal import Decimal

import pytest

from broker.content.xsd_values import boolean_of, decimal_of, moment_of, offset_of, order, total


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" +1.50\n", Decimal("1.50")),
        (".5", Decimal("0.5")),
        ("1.", Decimal(1)),
        ("1e3", None),
        ("1,5", None),
        ("", None),
    ],
)
def test_a_decimal_has_no_exponent(text, value):
    assert decimal_of(text) == value


def test_a_boolean_is_one_of_four_words():
    assert [boolean_of(t) for t in ("true", " 1 ", "false", "0", "TRUE", "")] == [True, True, False, False, None, None]


def test_a_moment_is_read_with_its_zone_and_24_is_the_next_midnight():
    found = moment_of("2026-01-31T24:00:00-05:00")
    assert (found.local.isoformat()[:19], found.offset, found.has_time) == (
        "2026-02-01T00:00:00", timedelta(hours=-5), True,
    )  # fmt: skip
    assert moment_of("20260131").has_time is False
    for text in ("2026-02-30", "2026-01-31T24:00:01", "31/01/2026", ""):
        assert moment_of(text) is None


def test_offsets_lie_east_or_west():
    assert [offset_of(z) for z in (None, "Z", "+0530", "-03")] == [
        None, timedelta(0), timedelta(hours=5, minutes=30), timedelta(hours=-3),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("2026-01-01T10:00:00Z", "2026-01-01T08:00:00-05:00", -1),
        ("2026-01-01T10:00:00Z", "2026-01-01T05:00:00-05:00", 0),
        ("2026-01-01T23:00:00Z", "2026-01-01", 0),
        ("2026-01-02", "2026-01-01T23:00:00", 1),
        ("2026-01-01T10:00:00.2Z", "2026-01-01T10:00:00.10Z", 1),
    ],
)
def test_instants_compare_as_instants_and_days_as_days(first, second, expected):
    assert order(moment_of(first), moment_of(second)) == expected


def test_a_sum_rounds_nothing_away():
    assert total([Decimal("0.1")] * 3 + [Decimal(10) ** 40]) == Decimal("1" + "0" * 40 + ".3")
