"""One walk of the source captures what rows read, and tells equal names apart."""

from __future__ import annotations

from broker.mapping.compiler.walk import WalkWriter
from tests.support.mapping_kit import mapping, texts, translated


def test_predicates_tell_equal_names_apart() -> None:
    rows = """{to = "Exporter/ID", from = "i[@s='6']"}, {to = "Submitter/ID", from = "i[s/t='7']/v"},
    {to = "Declarant/ID", from = "i[3]"}]"""
    payload, _ = translated('<a><i s="6">A</i><i><s><t>7</t></s><v>B</v></i><i>C</i></a>', rows)
    assert texts(payload, "Exporter/ID") + texts(payload, "Submitter/ID") + texts(payload, "Declarant/ID") == list(
        "ABC"
    )


def test_alternatives_of_a_step_share_their_rows() -> None:
    rows = """{to = "Exporter/Name", from = "(f|g)/n"}, {to = "Submitter/Name", from = "g/m"}]
    drops = [{from = "f/m", why = "only the other form means it"}]"""
    for form, expected in (("f", []), ("g", ["2"])):
        payload, _ = translated(f"<a><{form}><n>1</n><m>2</m></{form}></a>", rows)
        assert texts(payload, "Exporter/Name") == ["1"]
        assert texts(payload, "Submitter/Name") == expected


def test_the_walk_is_one_function_that_returns_its_captures() -> None:
    plan = mapping('{to = "Exporter/Name", from = "b/c"}]').plan
    lines = WalkWriter(plan.scopes[0], {}, lambda prefix, _: prefix).write()
    (capture,) = plan.scopes[0].captures.values()
    assert lines[0] == f"def {plan.scopes[0].walk}(e, run):"
    assert lines[-1].strip() == f"return ({capture.variable},)"
    compile("\n".join(lines), "walk", "exec")
