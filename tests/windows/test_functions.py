"""What a profile's tests may call besides XPath 1.0: false, or no number, where the value is absent."""

import math
from datetime import date

import pytest
from lxml import etree

from broker.content.payload_path import compile_xpath
from broker.model.outcomes import Catalogue
from broker.windows.functions import days, functions

PAYLOAD = etree.fromstring(
    "<Declaration xmlns='urn:wco:datamodel:WCO:DEC-DMS:2'><ID>12</ID><Code>B</Code><Day>20260309</Day></Declaration>"
)


class Letters:
    """A code list of one letter, and a numbering whose ids have two signs."""

    def reason_against(self, text, _on):
        return None if text == "A" else ("codes.unknown", text)

    def check(self, _scheme, text):
        return "" if len(text) == 2 else "has not two signs"


CALLS = functions(Catalogue({}, (), {}, {"letters": Letters()}, None, identifiers=Letters()))


@pytest.mark.parametrize(
    ("test", "holds"),
    [
        ("matches(ID, '[0-9]+')", True), ("matches(ID, '[0-9]')", False), ("matches(None, '.*')", False),
        ("in-list('letters', Code)", False), ("in-list('letters', 'A')", True), ("in-list('letters', None)", False),
        ("valid-id('any', ID)", True), ("valid-id('any', Code)", False), ("valid-id('any', None)", False),
        ("days(Day) = days('2026-03-09')", True), ("days(None) <= days(Day)", False),
    ],
)  # fmt: skip
def test_a_function_in_a_rule(test, holds):
    assert compile_xpath(test, CALLS)(PAYLOAD) is holds


def test_a_day_is_its_ordinal_and_what_is_none_is_no_number():
    assert days("20260309120000Z") == date(2026, 3, 9).toordinal()
    assert math.isnan(days("20260230"))
    assert math.isnan(days(None))
