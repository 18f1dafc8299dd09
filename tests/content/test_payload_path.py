"""Paths on a payload, written without prefixes."""

from lxml import etree

from broker.content.payload_path import compile_xpath, elements, paths, values, written

ROOT = etree.fromstring(
    '<Declaration xmlns="urn:wco:datamodel:WCO:DEC-DMS:2" xmlns:ds="urn:wco:datamodel:WCO:Declaration_DS:DMS:2">'
    "<IssueDateTime><ds:DateTimeString formatCode='102'>20260102</ds:DateTimeString></IssueDateTime>"
    "<Item><ID> a </ID></Item><Item><ID>b</ID></Item></Declaration>"
)


def test_values_are_found_in_both_namespaces_without_naming_them():
    assert values(ROOT, "Item/ID") == ("a", "b")
    assert values(ROOT, "IssueDateTime/DateTimeString/@formatCode") == ("102",)
    assert values(ROOT, "count(Item)") == ("2.0",)


def test_operators_and_functions_are_no_names():
    assert compile_xpath("Item[2]/ID = 'b' and not(div) and count(Item) mod 2 = 0")(ROOT) is True
    assert compile_xpath('Item/ID = "b\'s and Item"')(ROOT) is False


def test_an_element_is_written_with_a_number_only_among_its_like():
    assert [written(e) for e in elements(ROOT, "Item/ID")] == ["/Declaration/Item[1]/ID", "/Declaration/Item[2]/ID"]
    assert dict(paths(ROOT)) == {e: written(e) for e in ROOT.iter()}
