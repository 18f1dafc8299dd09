"""What rows name that lies outside them: code lists and numberings of identifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from broker.mapping.language.rows import Group, Row, Rows
    from broker.model.conditions import Condition


def code_lists(rows: Rows) -> frozenset[str]:
    """Every list and translation table that a row or a condition of a mapping asks."""
    return frozenset(_lists(rows.body))


def has_identifiers(rows: Rows) -> bool:
    """Whether a row holds a value against the check digits of its numbering."""
    return any(row.identifier or row.scheme_list for row in every(rows.body))


def every(group: Group) -> Iterator[Row]:
    """The rows of a group and of all groups in it."""
    yield from group.rows
    for inner in group.groups:
        yield from every(inner)


def _lists(group: Group) -> Iterator[str]:
    yield from _asked(group.when)
    for row in group.rows:
        yield from (name for name in (row.map, row.codes, row.unit_map, row.unit_codes) if name)
        yield from _asked(row.when)
    for inner in group.groups:
        yield from _lists(inner)


def _asked(condition: Condition | None) -> Iterator[str]:
    if condition is not None:
        yield from (test.value for test in condition.tests() if test.operator == "in-list")
