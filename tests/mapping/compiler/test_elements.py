"""The text of the payload: classes whole or not at all, long texts in pieces, no text out of its element."""

from __future__ import annotations

from lxml import etree

from tests.support.mapping_kit import texts, translated


def test_a_long_text_folds_over_several_statements() -> None:
    text = " ".join(["word"] * 300)
    rows = '{to = "AdditionalInformation[t]/StatementDescription", from = "b", transform = "fold"}]'
    payload, explanation = translated(f"<a><b>{text}</b></a>", rows)
    pieces = texts(payload, "AdditionalInformation/StatementDescription")
    assert " ".join(pieces) == text
    assert all(len(piece) <= 512 for piece in pieces)
    assert explanation.counts["carried"] == 1


def test_an_incomplete_class_is_left_out_and_told() -> None:
    rows = """{to = "Amendment[d]/Pointer/TagID", from = "b"}, {to = "Amendment[d]/ChangeReasonCode", from = "c"}]
    [[groups]]
    to = "Amendment[d]/Pointer"
    each = "p"
    fields = [{to = "TagID", from = "t"}]"""
    payload, explanation = translated("<a><b>C</b><p><t>D</t></p></a>", rows)
    assert texts(payload, "Amendment") == []
    lost = [(f.code, f.pointer) for f in explanation.findings]
    assert lost == [("mapping.incomplete", "/a/b"), ("mapping.incomplete", "/a/p/t")]


def test_hostile_text_cannot_leave_its_element() -> None:
    rows = """{to = "Exporter/Name", from = "b"}, {to = "Exporter/ID", from = "c"},
    {to = "Exporter/ID/@schemeID", from = "c/@s"}]"""
    payload, explanation = translated(
        "<a><b>&lt;/Name&gt;&lt;?swb 0 ?&gt;]]&gt;</b><c s='&quot;&gt;&lt;x'>1</c></a>", rows
    )
    assert texts(payload, "Exporter/Name") == ["</Name><?swb 0 ?>]]>"]
    assert etree.fromstring(payload.content) is not None
    assert explanation.counts["carried"] == 3
