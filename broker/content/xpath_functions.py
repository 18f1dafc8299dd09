"""What a rule may call besides the functions of XPath 1.0, whose numbers are floats and whose dates are texts.

Each reads a node as XML Schema reads its text. What is no such value makes a comparison NaN and a test false.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

from broker.content.xsd_values import EXACT, boolean_of, decimal_of, moment_of, order, total

if TYPE_CHECKING:
    from collections.abc import Callable

NAN = float("nan")


def exact_sum(_context: object, nodes: object) -> str:
    """``exact-sum(nodes)``: the sum of decimals as a text, ``NaN`` where one of them is none."""
    numbers = [decimal_of(text) for text in _texts(nodes)]
    known = [number for number in numbers if number is not None]
    return f"{total(known):f}" if len(known) == len(numbers) else "NaN"


def exact_difference(_context: object, first: object, second: object) -> str:
    """``exact-difference(a, b)``: a less b as a text; what is absent is 0."""
    one, other = (exact_sum(None, value) for value in (first, second))
    if "NaN" in {one, other}:
        return "NaN"
    with localcontext(EXACT):
        return f"{Decimal(one) - Decimal(other):f}"


def within(_context: object, first: object, second: object, tolerance: object) -> bool:
    """``within(a, b, 0.01)``: a and b differ by no more than that."""
    one, other, most = (_number(value) for value in (first, second, tolerance))
    if one is None or other is None or most is None:
        return False
    with localcontext(EXACT):
        return abs(one - other) <= most


def compare_numbers(_context: object, first: object, second: object) -> float:
    """``compare-numbers(a, b)``: -1, 0 or 1 as decimals."""
    one, other = _number(first), _number(second)
    return NAN if one is None or other is None else float((one > other) - (one < other))


def compare_times(_context: object, first: object, second: object) -> float:
    """``compare-times(a, b)``: -1, 0 or 1; instants as instants, a day with anything as days."""
    one, other = (moment_of(_text(value)) for value in (first, second))
    return NAN if one is None or other is None else float(order(one, other))


def is_true(_context: object, value: object) -> bool:
    """``is-true(node)``: xs:boolean true."""
    return boolean_of(_text(value)) is True


def is_false(_context: object, value: object) -> bool:
    """``is-false(node)``: xs:boolean false."""
    return boolean_of(_text(value)) is False


FUNCTIONS: dict[tuple[None, str], Callable[..., Any]] = {
    (None, "exact-sum"): exact_sum,
    (None, "exact-difference"): exact_difference,
    (None, "within"): within,
    (None, "compare-numbers"): compare_numbers,
    (None, "compare-times"): compare_times,
    (None, "is-true"): is_true,
    (None, "is-false"): is_false,
}


def _texts(value: object) -> list[str]:
    """The texts of a node-set, or the one text."""
    if isinstance(value, list):
        return [one if isinstance(one, str) else (one.text or "") for one in value]
    return [str(value)]


def _text(value: object) -> str:
    return next(iter(_texts(value)), "")


def _number(value: object) -> Decimal | None:
    if isinstance(value, float):  # a number in the rule itself: 0.01 is written so, and meant so
        return decimal_of(f"{Decimal(repr(value)):f}") if value == value else None  # noqa: PLR0124  (not NaN)
    return decimal_of(_text(value))
