"""What rows name that lies outside them."""

import tomllib

from broker.mapping import read_rows
from broker.mapping.language import uses

ROWS = read_rows(
    tomllib.loads("""
    fields = [{ to = "A", from = "a", codes = "one", unit = "@u", unit_map = "two" },
              { to = "B", from = "b", when = "in-list('three', c) or d" }]
    [[groups]]
    to = "G"
    each = "n"
    when = "in-list('four', .)"
    fields = [{ to = "C", from = "c", map = "five", identifier = "ruc" }]"""),
    {},
    "toy",
)


def test_every_list_is_named_whoever_asks_it():
    assert uses.code_lists(ROWS) == {"one", "two", "three", "four", "five"}


def test_rows_of_inner_groups_count():
    assert [row.to for row in uses.every(ROWS.body)] == ["A", "B", "C"]
    assert uses.has_identifiers(ROWS)
    assert not uses.has_identifiers(read_rows({"fields": [{"to": "A", "from": "a"}]}, {}, "toy"))
