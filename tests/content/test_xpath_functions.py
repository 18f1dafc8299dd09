"""What rules may call besides XPath 1.0: decimals, booleans and times as XML Schema Part 2 reads them."""

import pytest
from lxml import etree

from broker.content.xpath_functions import FUNCTIONS


def ask(expression: str, content: str = "<a/>"):
    return etree.XPath(expression, extensions=FUNCTIONS)(etree.fromstring(content))


def test_a_sum_is_exact() -> None:
    amounts = "<a>" + "<b>0.1</b>" * 3 + "</a>"
    assert ask("exact-sum(b)", amounts) == "0.3"
    assert ask("sum(b) = 0.3", amounts) is False  # what XPath 1.0 says: its numbers are floats (section 3.5)
    assert ask("compare-numbers(exact-sum(b), '0.3') = 0", amounts) is True


def test_a_sum_of_many_digits_loses_none() -> None:
    assert ask("exact-sum(b)", "<a><b>99999999999999999999.01</b><b>0.000001</b></a>") == "99999999999999999999.010001"


@pytest.mark.parametrize("text", ["+5.00", " 5.00\n", "5.", "05.00", "5"])
def test_a_decimal_has_the_forms_of_xsd(text) -> None:  # XSD 3.2.3.1: an optional sign; white space is collapsed
    assert ask(f"compare-numbers('{text}', '5.00')") == 0


@pytest.mark.parametrize("text", ["5e0", "5,00", "NaN", "", "INF", "\u0665"])
def test_what_is_no_decimal_of_xsd_is_equal_to_nothing(text) -> None:
    assert not ask(f"compare-numbers('{text}', '5') = 0")
    assert not ask(f"within('{text}', '5', 100)")


def test_nothing_adds_up_to_nothing_and_a_word_to_no_number() -> None:
    assert ask("exact-sum(b)") == "0"
    assert ask("exact-sum(b)", "<a><b>1</b><b>one</b></a>") == "NaN"
    assert ask("exact-difference(b, c)", "<a><b>1.10</b></a>") == "1.10"
    assert ask("exact-difference(b, c)", "<a><b>1</b><c>x</c></a>") == "NaN"


def test_a_tolerance_includes_its_end() -> None:
    assert ask("within('1.00', '1.01', 0.01)") is True
    assert ask("within('1.00', '1.0100001', 0.01)") is False


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("1", True), (" true ", True), ("false", False), ("0", False)]
)
def test_a_boolean_has_the_four_forms_of_xsd(text, value) -> None:  # XSD 3.2.2.1
    assert ask("is-true(b)", f"<a><b>{text}</b></a>") is value
    assert ask("is-false(b)", f"<a><b>{text}</b></a>") is not value


@pytest.mark.parametrize("text", ["", "TRUE", "yes"])
def test_what_is_no_boolean_is_neither(text) -> None:
    assert ask("is-true(b) or is-false(b)", f"<a><b>{text}</b></a>") is False


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("2026-03-02T10:00:00+05:30", "2026-03-02T04:30:00Z", 0),  # one instant, two zones
        ("2026-03-02T23:30:00-05:00", "2026-03-03T04:00:00Z", 1),
        ("2026-03-02T24:00:00Z", "2026-03-03T00:00:00Z", 0),  # XSD 3.2.7.1
        ("2026-03-02T10:00:00.5Z", "2026-03-02T10:00:00.50Z", 0),
        ("2026-03-02", "2026-03-02T23:59:59Z", 0),  # a day with an instant: as days
        ("2026-03-03", "2026-03-02T23:59:59Z", 1),
        ("20260302103000Z", "2026-03-02T10:30:00Z", 0),  # UNCL 2379 format 304
        ("2026-03-02T10:00:00", "2026-03-02T11:00:00", -1),
        ("2026-03-02T10:00:00", "2026-03-02T04:00:00Z", 0),  # without a zone it is no instant: as days
    ],
)
def test_instants_compare_as_instants_and_days_as_days(first, second, expected) -> None:
    assert ask(f"compare-times('{first}', '{second}')") == expected
    assert ask(f"compare-times('{second}', '{first}')") == -expected


@pytest.mark.parametrize("text", ["", "2026-02-30", "yesterday", "2026-03-02T24:00:01Z"])
def test_what_is_no_time_is_neither_before_nor_after(text) -> None:
    assert not ask(f"compare-times('{text}', '2026-03-02') <= 0 or compare-times('{text}', '2026-03-02') >= 0")
