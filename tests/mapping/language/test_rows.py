"""Rows as they are written, read into values; everything that is wrong in a file is told at once."""

import tomllib

import pytest

from broker.mapping import read_rows
from broker.mapping.language.rows import BadRows


def read(text):
    return read_rows(tomllib.loads(text), {"p": "urn:p"}, "toy")


def test_a_row_is_read_with_all_that_it_says():
    rows = read("""version = "3"
    date = "d"
    fields = [{ to = "A", from = ["p:a", "b"], unit = "@u", required = true, label = ["a", "una"], when = "c" }]
    drops = [{ from = "//@id", why = "a mark" }]""")
    (row,) = rows.body.rows
    assert [path.steps[0].names for path in row.sources] == [("{urn:p}a",), ("b",)]
    assert (row.unit[0].attribute, row.required, row.label, row.label_es, row.when_text) == ("u", True, "a", "una", "c")
    assert (rows.version, rows.date.text, rows.body.drops[0].anywhere) == ("3", "d", "id")


def test_rows_of_one_target_are_told_apart_and_groups_lend_their_name():
    rows = read("""fields = [{ to = "A", from = "a" }, { to = "A", from = "b" }]
    [[groups]]
    to = "G"
    each = "n"
    fields = [{ to = "B", transform = "position" }]""")
    assert [row.name for row in rows.body.rows] == ["A", "A#2"]
    assert [row.name for row in rows.body.groups[0].rows] == ["G/B"]


def test_the_digest_is_that_of_what_is_said_and_not_of_how():
    one, same, other = (read(f'fields = [{{ to = "A", from = "{name}" }}]') for name in ("a", "a", "b"))
    assert one.sha256 == same.sha256 != other.sha256


def test_all_that_is_wrong_is_told_at_once_and_the_rest_is_kept():
    text = 'fields = [{ to = "A" }, { to = "B", from = "b" }, { to = "C", from = "q:c" }]\ndrops = [{ from = "x" }]'
    with pytest.raises(BadRows) as bad:
        read(text)
    assert [str(fault).partition(": ")[2].partition(": ")[0] for fault in bad.value.faults] == [
        "row A",
        "row C",
        "drop x",
    ]
    assert [row.name for row in bad.value.others.body.rows] == ["B"]
