"""From a place of the payload to the places of the document behind it."""

import pytest

from tests.support.mapping_kit import translated

GROUP = """]
[[groups]]
to = "GoodsShipment/GovernmentAgencyGoodsItem"
each = "n"
fields = [{to = "SequenceNumeric", transform = "position"}, {to = "Commodity/Description", from = "d"},
          {to = "Commodity/Classification/ID", from = "h"}]
"""
_, FOUND = translated("<a>\n<n><d>x</d></n>\n<n><d>y</d><h>0806</h></n></a>", GROUP)
ITEM = "GoodsShipment/GovernmentAgencyGoodsItem"


@pytest.mark.parametrize(
    ("target", "path", "line"),
    [
        (f"{ITEM}[2]/Commodity/Description", "/a/n[2]/d", 3),
        (f"/MetaData/Declaration/{ITEM}[1]/Commodity/Description", "/a/n[1]/d", 2),
        (f"{ITEM}[2]/Commodity", "/a/n[2]", 3),
        (f"{ITEM}[2]", "/a/n[2]", 3),
        (f"{ITEM}[1]/Commodity/Classification/ID", "/a/n[1]/h", 2),
    ],
)
def test_a_leaf_a_class_and_what_is_absent_have_their_place(target, path, line):
    (source,) = FOUND.locate(target)
    assert (source.path, source.line) == (path, line)


def test_of_all_occurrences_the_element_that_holds_them():
    assert [s.path for s in FOUND.holding(f"/MetaData/Declaration/{ITEM}")] == ["/a"]


def test_a_place_that_no_row_fills_leads_to_what_is_around_it():
    assert [s.path for s in FOUND.locate(f"{ITEM}[2]/Origin/CountryCode")] == ["/a/n[2]"]
