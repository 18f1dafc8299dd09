"""The steps between a source text and a target value: transforms, tables, lists, limits, in this order."""

from __future__ import annotations

from datetime import date

import pytest

from broker.mapping.compiler.conversions import converter, unit_converter
from broker.mapping.compiler.target import Simple
from broker.mapping.language.rows import Row
from broker.mapping.runtime.transforms import Unfit
from broker.model.errors import Misconfigured
from tests.support.mapping_kit import CODES

TEXT, NUMBER = Simple("t", "token", max_length=3), Simple("n", "decimal", total_digits=5, fraction_digits=2)
ON = date(2026, 1, 1)


def refusal(convert, text):
    with pytest.raises(Unfit) as unfit:
        convert(text, ON)
    return unfit.value.code


def test_a_number_is_one_without_being_told_and_has_the_limits_of_its_element():
    convert = converter(Row("r", "r"), NUMBER, {})
    assert convert("+01.50", ON) == "1.50"
    assert [refusal(convert, text) for text in ("x", "1.234", "123456")] == [
        "value.decimal", "value.too-precise", "value.too-long",
    ]  # fmt: skip


def test_a_code_is_held_against_its_list():
    convert = converter(Row("r", "r", codes="iso-3166-1"), TEXT, CODES)
    assert convert("PE", ON) == "PE"
    assert refusal(convert, "XQ").startswith("codes.")


def test_a_unit_is_translated_and_what_has_no_counterpart_is_kept_only_where_a_row_says_so():
    table = "cod-unit-to-rec-20"
    assert unit_converter(Row("r", "r", unit_map=table), TEXT, CODES)("UNIDADES", ON) == "C62"
    assert refusal(unit_converter(Row("r", "r", unit_map=table), TEXT, CODES), "??") == "codes.untranslated"
    assert unit_converter(Row("r", "r", unit_map=table, map_else="keep"), TEXT, CODES)("??", ON) == "??"


def test_a_transform_or_a_list_that_there_is_not_is_told_with_its_row():
    for row in (Row("r", "r", transforms=("magic",)), Row("r", "r", codes="nowhere")):
        with pytest.raises(Misconfigured, match=r"row r: .*(magic|nowhere)"):
            converter(row, TEXT, CODES)
