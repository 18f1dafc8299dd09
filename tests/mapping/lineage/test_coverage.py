"""What samples exercise of a mapping, and what the mapping leaves open."""

from broker.mapping import explain
from broker.mapping.lineage.coverage import cover
from tests.support.mapping_kit import document, mapping

ROWS = """{to = "Exporter/Name", from = "b"}, {to = "Exporter/ID", from = "c"}]
drops = [{from = "d", why = "x"}, {from = "e", why = "y"}]"""


def test_rows_and_drops_without_a_sample_are_named():
    rows = mapping(ROWS)
    found = cover(rows, [explain(document("<a><b>1</b><d>2</d></a>", rows), "a" * 32)])
    assert (found.unexercised, found.undropped) == (("Exporter/ID",), ("drop e",))
    assert (found.rows, found.drops) == (5, 2)


def test_a_mandatory_element_without_a_row_is_named():
    found = cover(mapping('{to = "Exporter/Name", from = "b"}]'), [])
    assert found.unfilled == ("Declaration/IssueDateTime",)
