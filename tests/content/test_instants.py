"""Dates and times as the span of time that they can mean (XSD part 2, 3.2.7; ISO 8601)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from broker.content.instants import Span, span

pytestmark = pytest.mark.proof


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-02T22:30:00-03:00", utc(2026, 3, 3, 1, 30)),
        ("2026-03-03T01:00:00Z", utc(2026, 3, 3, 1)),
        ("2026-03-02T24:00:00-03:00", utc(2026, 3, 3, 3)),
        ("20260302T080000+1030", utc(2026, 3, 1, 21, 30)),
        ("2026-03-02T08:00:00.1234567Z", utc(2026, 3, 2, 8, 0, 0, 123456)),
        (" 2026-12-31T24:00:00Z ", utc(2027, 1, 1)),
    ],
)
def test_a_time_with_its_zone_is_one_instant(text, instant):
    assert span(text) == Span(instant, instant)


def test_a_day_lasts_from_where_it_begins_first_to_where_it_ends_last():
    assert span("2026-03-02") == Span(utc(2026, 3, 1, 10), utc(2026, 3, 3, 12))
    assert span("2026-03-02T00:00:00") == span("2026-03-02")


def test_a_time_without_zone_may_be_any_of_the_earth():
    assert span("2026-03-02T12:00:00") == Span(utc(2026, 3, 1, 22), utc(2026, 3, 3, 0))


@pytest.mark.parametrize("text", ["", "soon", "2026-02-30", "2026-03-02T24:00:01Z", "2026-03-02T25:00:00Z", "30",
                                  "2026-03-02T10:00:00+15:00", "0000-01-01", "9999-12-31"])  # fmt: skip
def test_what_is_no_date_is_none(text):
    assert span(text) is None


def test_instants_compare_wherever_their_writers_were():
    declared, certified = span("2026-03-03T01:00:00Z"), span("2026-03-02T22:30:00-03:00")
    assert declared.is_before(certified)
    assert not certified.is_before(declared)
    assert not span("2026-03-02").is_before(span("2026-03-02T23:00:00Z"))
