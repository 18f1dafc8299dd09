"""Rules as data: one gate for all, uniqueness in one pass; both say what each rule asked by itself would say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from broker.model.documents import Rule, Tolerance
from broker.model.errors import Misconfigured, Refused
from broker.model.findings import Severity
from broker.registry.rules import rules_of
from broker.toml_table import Table
from broker.validate import validate
from broker.validate.rules import broken, check
from tests.support.note_kit import GOOD, IGNORE, PREFIXES, TRIM, document, refused, rule

MESSAGE = {"en": "It holds."}
NUMBERS = st.lists(st.sampled_from(["1", "01", "1.0", "+1", "2", " 2 ", "x", "", "NaN", "3"]), max_size=12)


def lines(values):
    root = etree.Element("doc")
    for value in values:
        etree.SubElement(etree.SubElement(root, "line"), "id").text = value
    return root


def found(root, *rules):
    return [(rule.id, node) for rule, node, _ in broken(root, rules, {})]


@given(NUMBERS)
def test_a_repeated_text_is_what_stands_in_an_earlier_line(values):
    root = lines(values)
    unique = Rule("U", "line/id", "", ".", MESSAGE, unique="text")
    asked = Rule("U", "line/id", "not(. = ../preceding-sibling::line/id)", ".", MESSAGE)
    assert found(root, unique) == found(root, asked)


def test_a_repeated_number_is_exact_and_what_is_no_number_repeats_nothing():
    root = lines(["1", "01", "x", "x", "10000000000000000", "10000000000000001", "+1.00"])
    unique = Rule("U", "line/id", "", ".", MESSAGE, unique="number")
    assert [node.text for _, node in found(root, unique)] == ["01", "+1.00"]


@given(NUMBERS)
def test_the_gate_lets_through_only_what_breaks_no_rule(values):
    root = lines(values)
    rules = tuple(Rule(f"R-{word}", "line/id", f". != '{word}'", ".", MESSAGE) for word in ("x", "2", "NaN"))
    assert found(root, *rules) == [pair for rule in rules for pair in found(root, rule)]


def test_a_thousand_lines_cost_a_thousand_looks():
    root = lines(str(n) for n in range(5_000))
    assert found(root, Rule("U", "line/id", "", ".", MESSAGE, unique="text")) == []


@pytest.mark.parametrize("keys", ['test = "a"\nunique = "text"', "", 'unique = "both"'])
def test_a_rule_has_a_test_or_is_unique(tmp_path, keys):
    file = tmp_path / "rules.toml"
    file.write_text(f'[[rules]]\nid = "X-1"\n{keys}\nmessage.en = "No."\n', encoding="utf-8")
    with pytest.raises(Misconfigured, match=r"rules\.toml"):
        rules_of(Table.read(file))


def test_what_is_no_xpath_is_found_before_a_document_comes():
    with pytest.raises(Misconfigured, match="X-1"):
        check((Rule("X-1", "line[", "", ".", MESSAGE, unique="text"),), {})


@pytest.mark.parametrize(
    ("given", "places"),
    [
        (rule(test="n:Number = 'A-1'"), []),
        (rule(test="n:Number = 'B'", at="n:Number"), [("/n:Note/n:Number", 2, "A-1")]),
        (rule("n:Line", "n:Count > 1", "n:Count"), [("/n:Note/n:Line[1]/n:Count", 5, "1")]),
        (rule("n:Line", "n:Count > 9"), [("/n:Note/n:Line[1]", 5, None), ("/n:Note/n:Line[2]", 6, None)]),
        (rule("n:Line", "n:Count > 1", when="n:What = 'Rice'"), []),
        (rule("n:Line", "false()", "n:Note/n:Deep/@x", when="n:What = 'Rice'"), [("/n:Note/n:Line[2]", 6, None)]),
        (rule(test="n:Total/@currency = 'PEN'", at="n:Total/@currency"), [("/n:Note/n:Total/@currency", 4, "USD")]),
        (rule(test="false()", at="n:Total/@rate"), [("/n:Note/n:Total", 4, "10.50")]),
        (rule("//@*", ". = 'PEN'"), [("/n:Note/n:Total/@currency", 4, "USD")]),
        (rule("n:Line[n:Count = 5]", "false()"), []),
        (rule(when="n:Year", test="false()"), []),
    ],
)
def test_rules(schema, given, places):
    text = document(schema, GOOD, [given])
    if not places:
        assert validate(text) == ()
        return
    with pytest.raises(Refused) as caught:
        validate(text)
    assert [(f.pointer, f.line, f.value) for f in caught.value.findings] == places
    assert {(f.code, f.message) for f in caught.value.findings} == {("T-1", "Not so.")}


def test_a_rule_that_warns_does_not_refuse(schema):
    (warning,) = validate(document(schema, GOOD, [rule(test="false()", severity=Severity.WARNING)]))
    assert (warning.code, warning.severity) == ("T-1", Severity.WARNING)


def test_schema_and_rules_are_told_together(schema):
    findings = refused(schema, GOOD.replace("10.50", "x"), [rule("n:Line", "n:Count > 1", "n:Count")])
    assert [f.code for f in findings] == ["schema.type", "T-1"]


@pytest.mark.parametrize(
    "wrong", [rule(test="n:Number ="), rule("q:Line", "true()"), rule(test="nosuch(1)"), rule(test="true()", at="((")]
)
def test_a_rule_that_is_no_xpath_is_found_before_it_is_used(wrong):
    with pytest.raises(Misconfigured, match="T-1"):
        check([wrong], PREFIXES)
    check([rule()], PREFIXES, [IGNORE, TRIM])
    with pytest.raises(Misconfigured, match=r"test\.q"):
        check([], PREFIXES, [Tolerance("test.q", "why", ignore="q:Stray")])
