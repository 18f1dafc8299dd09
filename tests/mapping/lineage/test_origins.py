"""A leaf is an element's text or an attribute; all that had a part in a value stands behind it."""

from lxml import etree

from broker.mapping.lineage.origins import RANK, Origin, Source, raw, split

ELEMENT = etree.fromstring("<a k='1'> x </a>")


def test_a_leaf_is_told_apart_and_read_as_it_stands():
    assert split(ELEMENT) == (ELEMENT, None)
    assert split((ELEMENT, "k")) == (ELEMENT, "k")
    assert [raw(ELEMENT, a) for a in (None, "k", "none")] == [" x ", "1", ""]


def test_sources_stand_before_deciders():
    one, two = Source("/a", 1, "x"), Source("/b", 2, "y")
    assert Origin("t", "-", "x", "r", (one,), (two,), "", "", "").behind == (one, two)


def test_carried_is_told_before_anything_else():
    assert sorted(RANK, key=RANK.get) == ["carried", "folded", "decided", "dropped", "unmapped"]
