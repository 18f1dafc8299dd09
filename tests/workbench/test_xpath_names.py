"""XPath of rules held against a schema: libxml2 finds nothing for a misspelt name, in silence."""

import pytest

from broker.workbench.schema_tree import payload_tree, schema_tree
from broker.workbench.xpath_names import XPathNames, literals
from tests.support.mapping_kit import DECLARATION


@pytest.fixture
def names(toy):
    return XPathNames(next(iter(schema_tree(toy / "xsd/toy/note.xsd").root("{urn:toy}Note"))), {"n": "urn:toy"})


@pytest.mark.parametrize(
    ("expression", "unknown"),
    [
        ("n:Line/@kind = 'x'", []), ("count(n:Lime)", ["n:Lime"]), ("//n:Totl", ["n:Totl"]),
        ("n:Line/@rate", ["@rate"]), ("n:Line/../n:Date", []), ("n:Date | n:Dat", []),
        ("n:Line/preceding-sibling::n:Date", []),
    ],
)  # fmt: skip
def test_a_name_that_the_schema_has_not_is_told(names, expression, unknown):
    assert names.follow(expression, names.start)[1] == unknown


def test_what_is_no_xpath_is_told(names):
    (told,) = names.follow("n:Line[", names.start)[1]
    assert "is not XPath 1.0" in told


def test_in_a_payload_names_have_no_prefix():
    payload = XPathNames(next(iter(payload_tree(DECLARATION).root(""))), bare=True, over="MetaData")
    assert payload.follow("GoodsShipment/Exporter/Nome | Exporter/Name", payload.start)[1] == []
    assert payload.follow("Exporter/Nome", payload.start)[1] == ["Nome"]


def test_the_texts_that_functions_are_called_with_are_found():
    expression = "in-list('iso-3166-1', A) and matches(B, '[0-9]+') and in-list($x, C)"
    assert list(literals(expression, "in-list", {}, bare=True)) == ["iso-3166-1"]
    assert list(literals(expression, "matches", {}, bare=True, argument=1)) == ["[0-9]+"]
