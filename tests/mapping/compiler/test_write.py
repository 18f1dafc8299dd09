"""A plan becomes one function; its values are exact, and the traced twin writes the same text."""

from __future__ import annotations

import re

from broker.mapping.lineage.annotations import without_marks
from tests.support.mapping_kit import document, mapping, texts, translated


def test_a_row_carries_a_value_and_its_lineage_names_path_line_and_value() -> None:
    payload, explanation = translated(
        "<a>\n  <b>x &amp; y</b>\n</a>", '{to = "Exporter/Name", id = "R031", from = "b"}]'
    )
    assert texts(payload, "Exporter/Name") == ["x & y"]
    (origin,) = [o for o in explanation.lineage if o.target.endswith("Exporter/Name")]
    assert [(s.path, s.line, s.value) for s in origin.sources] == [("/a/b", 2, "x & y")]
    assert (origin.wco_id, origin.row) == ("R031", "Exporter/Name")


def test_sums_counts_and_positions_are_exact() -> None:
    rows = """{to = "InvoiceAmount", from = "l/v", transform = "sum", unit = "cur"},
    {to = "GoodsItemQuantity", from = "l", transform = "count"}]
    [[groups]]
    to = "GoodsShipment/GovernmentAgencyGoodsItem"
    each = "l"
    fields = [{to = "SequenceNumeric", transform = "position"}, {to = "Commodity/Description", from = "d"}]
    drops = [{from = "v", why = "summed"}]"""
    items = "".join(f"<l><v>{v}</v><d>{v}</d></l>" for v in ("0.1", "0.2", "10000000000.03"))
    payload, _ = translated(f"<a>{items}<cur>PEN</cur></a>", rows)
    assert texts(payload, "InvoiceAmount") == ["10000000000.33"]
    assert texts(payload, "GoodsItemQuantity") == ["3"]
    assert texts(payload, "GoodsShipment/GovernmentAgencyGoodsItem/SequenceNumeric") == ["1", "2", "3"]


def test_the_generated_function_is_python_that_a_person_may_read() -> None:
    rows = mapping('{to = "Exporter/Name", from = "b"}]')
    compile(rows.fast.source, "generated", "exec")
    assert "# Exporter/Name" in rows.fast.source
    root = document("<a><b>x</b></a>", rows).root
    plain, _ = rows.run(root, "a" * 32)
    traced, _ = rows.run(root, "a" * 32, traced=True)
    assert "<?swb" not in plain
    assert without_marks(traced) == plain


def test_a_legend_above_the_code_says_what_its_names_stand_for() -> None:
    rows = mapping('{to = "Exporter/Name", id = "R031", from = "b"}]')
    source = rows.fast.source
    legend = source.partition("\n\n")[0]
    names = set(re.findall(r"\b([a-z]+)\d+\b", source.partition("def translate")[2]))
    assert names, "the code has numbered names"
    assert [name for name in names if f"{name}N" not in legend] in ([], ["e"])
