"""Rows bound to the payload and to the source; mistakes are told with file and row."""

from __future__ import annotations

import pytest

from broker.mapping.compiler.bind import shares
from broker.model.errors import Misconfigured
from tests.support.mapping_kit import DECLARATION, mapping


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ('{to = "Exporter/Nome", from = "b"}]', "Exporter has no element Nome"),
        ('{to = "Exporter/Name", id = "R032", from = "b"}]', "the WCO id of Name is R031, not R032"),
        ('{to = "Exporter", from = "b"}]', "Exporter is a class, not a value"),
        ('{to = "Exporter/Name", from = "q:b"}]', "prefix 'q'"),
        ('{to = "Exporter/Name", from = "b["}]', "expected more"),
        ('{to = "Exporter/Name"}]', "say where the value comes from"),
        ('{to = "Exporter/Name", value = "x"}]', "a constant needs its reason"),
        ('{to = "Exporter/Name", from = "b", typo = 1}]', "unknown key typo; known are codes, default"),
        ('{to = "Exporter/Name", from = "../b"}]', "climbs out of the document"),
        ('{to = "Exporter/Name", from = "b", transform = "magic"}]', "no transform 'magic'"),
        ('{to = "Exporter/Name", from = "b", codes = "nowhere"}]', "no code list 'nowhere'"),
        ('{to = "IssueDateTime", from = "b", unit = "@u"}]', "not measured in anything"),
        (']\ndrops = [{from = "b"}]', "nothing is left out without a reason"),
        (']\n[[groups]]\nto = "Exporter"\nfields = []', "`each` is missing"),
    ],
)
def test_mistakes_are_told_with_file_row_and_a_sentence(rows: str, sentence: str) -> None:
    with pytest.raises(Misconfigured) as wrong:
        mapping(rows).warm()
    assert sentence in str(wrong.value)


def test_a_plan_knows_what_no_payload_is_without_and_how_often_a_group_may_stand() -> None:
    rows = mapping("""]
    [[groups]]
    to = "GoodsShipment/GovernmentAgencyGoodsItem"
    each = "n"
    fields = [{to = "SequenceNumeric", transform = "position"}]""")
    names = [entry.name for entry in rows.entries]
    assert {"FunctionalReferenceID", "FunctionCode", "TypeCode"} <= {names[number] for number in rows.mandatory}
    group = names.index("GoodsShipment/GovernmentAgencyGoodsItem")
    item = DECLARATION.child("GoodsShipment").child("GovernmentAgencyGoodsItem")
    assert rows.maximum(group) == item.maximum == 999


def test_rows_that_read_the_same_place_share_it() -> None:
    *_, one, two, other = mapping("""{to = "Exporter/Name", from = "b"}, {to = "Exporter/ID", from = "b"},
    {to = "Declarant/Name", from = "c"}]""").plan.body.rows
    assert (shares(one, two), shares(one, other)) == (True, False)
