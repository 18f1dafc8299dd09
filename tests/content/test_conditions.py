"""Paths and conditions as rows and routes write them, read into values; what cannot be read is told to its author."""

import pytest

from broker.content.conditions import BadPath, read_condition, read_path
from broker.model.conditions import Predicate

NAMES = {"p": "urn:p"}


def test_a_path_is_read_step_by_step():
    path = read_path("../p:a[@x='1'][b]/(c|p:d)[2]/@e", NAMES)
    first, second = path.steps
    assert (path.up, path.attribute, path.text) == (1, "e", "../p:a[@x='1'][b]/(c|p:d)[2]/@e")
    assert (first.names, second.names) == (("{urn:p}a",), ("c", "{urn:p}d"))
    assert first.predicates == (Predicate(attribute="x", value="1"), Predicate(steps=("b",)))
    assert second.predicates == (Predicate(position=2),)


def test_the_root_and_the_context_are_paths_too():
    assert (read_path("/a", {}).up, read_path(".", {}).steps) == (-1, ())
    assert read_path("a", {"": "urn:own"}).steps[0].names == ("{urn:own}a",)


def test_and_binds_closer_than_or_and_not_takes_brackets():
    found = read_condition("a or b = 'x' and not(c != d)", {})
    assert found.operator == "or"
    exists, both = found.parts
    assert (exists.test.operator, both.operator, both.parts[1].operator) == ("exists", "and", "not")
    assert [(t.path.text, t.operator, t.value) for t in found.tests()] == [
        ("a", "exists", ""), ("b", "=", "x"), ("c", "!=", ""),
    ]  # fmt: skip
    assert list(found.tests())[2].other.text == "d"


def test_lists_and_patterns_are_asked_as_rules_ask_them():
    listed, matched = read_condition("in-list('iso-3166-1', a) and matches(b, '[0-9]+')", {}).tests()
    assert (listed.operator, listed.value, listed.path.text) == ("in-list", "iso-3166-1", "a")
    assert (matched.operator, matched.value, matched.path.text) == ("matches", "[0-9]+", "b")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("q:a", "prefix 'q' in 'q:a' is not among the namespaces"),
        ("a[", "expected more after 'a[' in 'a['"),
        ("a b", "'b' is left over"),
        ("a = ", "expected more"),
        ("matches(a, '[')", "is no pattern"),
        ("a[../b]", "may only hold a plain path"),
        ("a ~ b", "is left over"),
    ],
)
def test_what_cannot_be_read_is_told_to_its_author(text, sentence):
    with pytest.raises(BadPath) as told:
        read_condition(text, {})
    assert sentence in str(told.value)
