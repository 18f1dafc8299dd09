"""A document becomes a payload; what does not reach it is told, what must be there and is not refuses."""

from __future__ import annotations

import pytest

from broker.mapping import translate
from broker.model.errors import Refused
from tests.support.mapping_kit import document, mapping, texts, translated


def test_what_does_not_fit_is_never_cut() -> None:
    long = "x" * 71
    payload, explanation = translated(f"<a><b>{long}</b></a>", '{to = "Exporter/Name", from = "b"}]')
    assert texts(payload, "Exporter/Name") == []
    assert [(f.code, f.severity) for f in explanation.findings] == [("value.too-long", "warning")]
    assert [loss.state for loss in explanation.loss] == ["unmapped"]


def test_a_missing_required_value_refuses_and_points_at_the_place() -> None:
    rows = mapping('{to = "Exporter/Name", from = "p:b/p:c", required = true}]')
    with pytest.raises(Refused) as refused:
        translate(document('<a xmlns:p="urn:p">\n<p:b/></a>', rows), "a" * 32)
    (finding,) = refused.value.findings
    assert (finding.code, finding.pointer, finding.line) == ("mapping.required", "/a/p:b/p:c", 2)


def test_what_no_row_takes_is_a_warning_at_its_place() -> None:
    _, findings = translate(document("<a>\n<b>x</b><c k='1'/></a>", mapping("]")), "a" * 32)
    assert [(f.code, f.pointer, f.line, f.severity) for f in findings] == [
        ("mapping.unmapped", "/a/b", 2, "warning"), ("mapping.unmapped", "/a/c/@k", 2, "warning"),
    ]  # fmt: skip
