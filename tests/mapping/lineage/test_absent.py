"""Where in the document a value would have to stand that the payload lacks."""

from __future__ import annotations

from lxml import etree

from broker.mapping.lineage.absent import expected
from tests.support.mapping_kit import mapping, translated


def test_a_place_that_is_not_there_leads_to_where_it_would_be() -> None:
    rows = """]
    [[groups]]
    to = "GoodsShipment/GovernmentAgencyGoodsItem"
    each = "l"
    fields = [{to = "SequenceNumeric", transform = "position"}, {to = "Commodity/Description", from = "d"},
              {to = "Commodity/Classification/ID", from = "hs", label = "tariff code"}]"""
    _, explanation = translated("<a>\n<l><d>1</d></l>\n<l><d>2</d></l></a>", rows)
    (source,) = explanation.locate(
        "/MetaData/Declaration/GoodsShipment/GovernmentAgencyGoodsItem[2]/Commodity/Classification/ID"
    )
    assert (source.path, source.line, source.label) == ("/a/l[2]/hs", 3, "tariff code")


def test_the_constant_of_a_child_says_which_of_several_is_meant() -> None:
    body = mapping("""{to = "AdditionalInformation[x]/StatementCode", value = "X", why = "one"},
    {to = "AdditionalInformation[x]/StatementDescription", from = "x/t"},
    {to = "AdditionalInformation[y]/StatementCode", value = "Y", why = "other"},
    {to = "AdditionalInformation[y]/StatementDescription", from = "y/t"}]""").rows.body
    root = etree.fromstring("<a><y/></a>")
    for code, nearest, path in (("X", "a", "/a/x/t"), ("Y", "y", "/a/y/t")):
        target = f"AdditionalInformation[StatementCode='{code}']/StatementDescription"
        element, place, _ = expected(body, target, {}, root)
        assert (element.tag, place) == (nearest, path)
    assert expected(body, "Exporter/Name", {}, root) is None
