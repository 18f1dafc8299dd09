"""What became of every leaf of the source."""

from __future__ import annotations

from tests.support.mapping_kit import translated


def test_drops_need_no_finding_and_keep_their_reason() -> None:
    rows = """]
    drops = [{from = "b", why = "not for customs"}, {from = "//@id", why = "a mark"}]"""
    _, explanation = translated('<a id="1"><b><c>1</c><d>2</d></b></a>', rows)
    assert explanation.findings == ()
    assert {loss.why for loss in explanation.loss} == {"not for customs", "a mark"}
    assert explanation.counts["dropped"] == 3


def test_a_marker_of_absence_and_what_speaks_to_the_parser_are_dropped() -> None:
    xsi = "http://www.w3.org/2001/XMLSchema-instance"
    _, explanation = translated(f'<a xmlns:i="{xsi}" i:type="t"><b>NULL</b></a>', "]")
    assert {loss.path: (loss.state, loss.row) for loss in explanation.loss} == {
        "/a/@i:type": ("dropped", "xsi"), "/a/b": ("dropped", "absent"),
    }  # fmt: skip


def test_what_only_decides_is_not_carried() -> None:
    _, explanation = translated("<a><b>x</b><c>y</c></a>", '{to = "Exporter/Name", from = "b", when = "c = \'y\'"}]')
    assert [(loss.path, loss.state, loss.row) for loss in explanation.loss] == [
        ("/a/b", "carried", "Exporter/Name"), ("/a/c", "decided", "Exporter/Name"),
    ]  # fmt: skip
