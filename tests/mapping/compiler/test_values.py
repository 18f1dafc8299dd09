"""What gives a row its value: the first source that has one, its unit, and where it goes that does not fit."""

from __future__ import annotations

from broker.mapping.compiler.values import bars, target_size, variable
from tests.support.mapping_kit import mapping, texts, translated


def test_the_first_present_source_wins_and_the_other_is_told() -> None:
    rows = '{to = "Exporter/Name", from = ["b", "c"]}]'
    payload, explanation = translated("<a><b>1</b><c>2</c></a>", rows)
    assert texts(payload, "Exporter/Name") == ["1"]
    assert [(f.code, f.pointer) for f in explanation.findings] == [("mapping.unmapped", "/a/c")]
    payload, explanation = translated("<a><b>NULL</b><c>2</c></a>", rows)
    assert texts(payload, "Exporter/Name") == ["2"]
    assert [(loss.path, loss.state) for loss in explanation.loss] == [("/a/b", "dropped"), ("/a/c", "carried")]


def test_what_does_not_fit_goes_where_the_row_says_otherwise() -> None:
    rows = """{to = "Exporter/Name", from = "b", otherwise = "AdditionalInformation[name]/StatementDescription"},
    {to = "AdditionalInformation[name]/StatementCode", value = "NAME", why = "says what the text is"}]"""
    payload, explanation = translated(f"<a><b>{'x' * 71}</b></a>", rows)
    assert texts(payload, "AdditionalInformation/StatementDescription") == ["x" * 71]
    assert texts(payload, "AdditionalInformation/StatementCode") == ["NAME"]
    assert [f.code for f in explanation.findings] == ["mapping.moved"]
    assert [loss.state for loss in explanation.loss] == ["carried"]
    payload, _ = translated("<a><b>short</b></a>", rows)
    assert texts(payload, "AdditionalInformation/StatementCode") == []


def test_units_travel_with_their_value() -> None:
    rows = '{to = "InvoiceAmount", id = "109", from = "b", unit = "@cur"}]'
    payload, explanation = translated('<a><b cur="PEN">1.50</b></a>', rows)
    (amount,) = payload.root.iter("{*}InvoiceAmount")
    assert (amount.text, amount.get("currencyID")) == ("1.50", "PEN")
    assert {o.target.rpartition("/")[2]: o.sources[0].path for o in explanation.lineage if "Amount" in o.target} == {
        "InvoiceAmount": "/a/b",
        "@currencyID": "/a/b/@cur",
    }
    payload, explanation = translated("<a><b>1.50</b></a>", rows)
    assert not list(payload.root.iter("{*}InvoiceAmount"))
    assert [(f.code, f.pointer) for f in explanation.findings] == [("mapping.incomplete", "/a/b")]


def test_a_value_that_was_not_understood_keeps_another_from_taking_its_place() -> None:
    first, second, shared = mapping("""{to = "Exporter/Name", from = "b"}, {to = "Exporter/Name", from = "c"},
    {to = "Exporter/ID", from = ["b", "c"]}]""").plan.body.rows[-3:]
    assert bars(first, second)
    assert not bars(first, shared)
    assert variable(first.target) == f"(t{first.number} or t{second.number})"
    assert target_size(first) == 70
