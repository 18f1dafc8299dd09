"""What rows read, as one tree: equal paths share a capture, repeating elements open a scope."""

from itertools import count

import pytest

from broker.content.conditions import read_path
from broker.mapping.compiler.source_tree import Scope


def scope():
    numbers = count()
    return Scope(lambda prefix: f"{prefix}{next(numbers)}")


def path(text):
    return read_path(text, {})


def test_equal_paths_share_a_capture_whatever_attribute_is_read():
    document = scope()
    assert document.capture(path("a/b"), "first") is document.capture(path("a/b/@k"), "first")
    assert document.capture(path("a/b"), "first") is not document.capture(path("a/b"), "all")
    assert set(document.node.children["a"].children) == {"b"}


def test_a_repeating_element_opens_one_scope():
    document = scope()
    inner = document.open(path("a/n"))
    assert document.open(path("a/n")) is inner
    assert inner.node is document.node.children["a"].children["n"]
    assert inner.node.opens
    assert not document.node.children["a"].opens


def test_alternatives_share_a_node_and_a_predicate_is_a_flag():
    document = scope()
    document.capture(path("(f|g)[@x='1']/n"), "first")
    assert document.node.children["f"] is document.node.children["g"]
    ((capture, flags),) = document.node.children["f"].children["n"].captures
    assert [predicate.value for _, predicate in capture.predicates] == ["1"]
    assert list(flags) == list(document.node.children["f"].flags.values())


def test_places_that_different_groups_have_taken_are_told():
    document = scope()
    for name in ("a", "b"):
        document.open(path(f"{name}/n")).capture(path("x"), "first")
    with pytest.raises(ValueError, match="already taken by different groups"):
        document.open(path("(a|b)/n"))
