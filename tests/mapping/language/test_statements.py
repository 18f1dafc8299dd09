"""The short forms of mapping.toml: a statement as one row, and drops grouped by their reason."""

from __future__ import annotations

import tomllib

import pytest

from broker.mapping import merge, read_rows
from broker.mapping.language.statements import WHY, written_out
from broker.model.errors import Misconfigured


def rows(text: str) -> list[dict[str, object]]:
    return [dict(row) for row in written_out(tomllib.loads(text))["fields"]]


def code(label: str, value: str) -> dict[str, object]:
    return {"to": f"AdditionalInformation[{label}]/StatementCode", "id": "226", "value": value, "why": WHY}


def test_a_statement_is_its_code_and_its_text() -> None:
    """WCO DM 3.6, class 03A: 226 says what the statement is, 225 holds it."""
    assert rows('fields = [{ statement = "TIME", from = "t", label = ["time", "hora"] }]') == [
        code("TIME", "TIME"),
        {
            "to": "AdditionalInformation[TIME]/StatementDescription",
            "id": "225",
            "from": "t",
            "label": ["time", "hora"],
        },
    ]


def test_two_statements_of_one_code_are_told_apart_by_a_label_and_alternatives_share_theirs() -> None:
    found = rows('fields = [{ statement = "OP[2]", from = "a", when = "b" }, { statement = "OP[2]", from = "c" }]')
    assert found[0] == code("OP 2", "OP")
    assert [row["to"] for row in found[1:]] == ["AdditionalInformation[OP 2]/StatementDescription"] * 2


def test_what_does_not_fit_goes_to_a_statement() -> None:
    found = rows('fields = [{ to = "Exporter/Name", from = "n", otherwise = { statement = "NAME" } }]')
    assert found == [
        code("NAME", "NAME"),
        {"to": "Exporter/Name", "from": "n", "otherwise": "AdditionalInformation[NAME]/StatementDescription"},
    ]


def test_a_statement_alone_keeps_its_place_in_the_order() -> None:
    found = rows("""fields = [
      { to = "Exporter/Name", from = "n", otherwise = { statement = "NAME" } },
      { statement = "FIRST", from = "f" },
      { statement = ["NAME", "LAST"] },
    ]""")
    assert [row["to"] for row in found if row.get("id") == "226"] == [
        f"AdditionalInformation[{name}]/StatementCode" for name in ("FIRST", "NAME", "LAST")
    ]


def test_a_statement_points_at_the_element_that_it_belongs_to() -> None:
    """WCO DM 3.6: Pointer (97A) with one DocumentSectionCode (375) a class, TagID (381) at the last."""
    found = rows(
        'fields = [{ to = "Exporter/ID", from = "n", otherwise = { statement = "S", points = "42A/57A/R032" } }]'
    )
    at = "AdditionalInformation[S]/Pointer"
    assert found[0] == code("S", "S")
    assert [(row["to"], row["id"], row["value"]) for row in found[1:-1]] == [
        (f"{at}[42A]/DocumentSectionCode", "375", "42A"),
        (f"{at}[57A]/DocumentSectionCode", "375", "57A"),
        (f"{at}[57A]/TagID", "381", "R032"),
    ]
    assert found[-1]["otherwise"] == "AdditionalInformation[S]/StatementDescription"


def test_in_a_group_that_makes_statements_a_statement_fills_the_groups_own_element() -> None:
    plain = written_out(
        tomllib.loads("""
        [[groups]]
        to = "GoodsShipment/AdditionalInformation"
        each = "n"
        fields = [{ statement = "NOTE", from = "." }]
        """)
    )
    assert [row["to"] for row in plain["groups"][0]["fields"]] == ["StatementCode", "StatementDescription"]


def test_one_reason_may_drop_many_paths() -> None:
    plain = written_out({"drops": [{"why": "no tax here", "from": ["a", "b"]}, {"why": "other", "from": "c"}]})
    assert plain["drops"] == [
        {"why": "no tax here", "from": "a"},
        {"why": "no tax here", "from": "b"},
        {"why": "other", "from": "c"},
    ]


def test_what_is_plain_stays_as_it_is() -> None:
    plain = written_out(
        tomllib.loads('fields = [{ statement = "T", from = "t" }]\ndrops = [{ why = "w", from = ["x"] }]')
    )
    assert written_out(plain) == plain


def test_a_version_changes_the_text_of_a_statement_and_its_code_keeps_its_place() -> None:
    base = {"fields": [{"statement": "A", "from": "a"}, {"statement": "B", "from": "b"}]}
    merged = merge(base, {"fields": [{"statement": "A", "from": "new"}]})
    assert [(row["to"], row.get("from")) for row in merged["fields"]] == [
        ("AdditionalInformation[A]/StatementCode", None),
        ("AdditionalInformation[B]/StatementCode", None),
        ("AdditionalInformation[B]/StatementDescription", "b"),
        ("AdditionalInformation[A]/StatementDescription", "new"),
    ]


def test_a_version_removes_a_statement_and_one_path_of_a_reason() -> None:
    base = {"fields": [{"statement": "A", "from": "a"}], "drops": [{"why": "w", "from": ["x", "y"]}]}
    merged = merge(base, {"fields": [{"statement": "A", "remove": True}], "drops": [{"from": ["x"], "remove": True}]})
    assert merged["fields"] == []
    assert merged["drops"] == [{"why": "w", "from": "y"}]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ('{ statement = "A", to = "TypeCode", from = "x" }', "without `to` and `id`"),
        ('{ statement = "A]", from = "x" }', "a text like 'CODE' or 'CODE"),
        ('{ statement = 7, from = "x" }', "a text like 'CODE' or 'CODE"),
        ('{ statement = ["A", "B"], from = "x" }', "a text like 'CODE' or 'CODE"),
        ('{ to = "TypeCode", from = "x", otherwise = { statment = "A" } }', "`otherwise` is a path, or"),
        ('{ statement = "A", points = "exporter", from = "x" }', "`points` at WCO classes"),
        ('{ to = "TypeCode", from = "x", label = ["a", "b", "c"] }', "`label` is a text, or two"),
    ],
)
def test_what_is_no_statement_is_told_with_file_and_row(row: str, sentence: str) -> None:
    with pytest.raises(Misconfigured, match=r"^toy: row .*") as told:
        read_rows(tomllib.loads(f"fields = [{row}]"), {}, "toy")
    assert sentence in str(told.value)


def test_names_of_paths_may_stand_in_each_other_in_any_order() -> None:
    text = 'fields = [{ to = "TypeCode", from = "{b}/x", when = "{b}" }]\npaths.a = "r"\npaths.b = "{a}/s"'
    row = read_rows(tomllib.loads(text), {}, "toy").body.rows[0]
    assert [step.names for step in row.sources[0].steps] == [("r",), ("s",), ("x",)]


@pytest.mark.parametrize(
    ("paths", "sentence"),
    [('paths.a = "x"', "{b} in '{b}' is not among paths: a"), ('paths.b = "{b}/y"', "lead in a circle")],
)
def test_a_name_that_leads_nowhere_is_told_with_file_and_row(paths: str, sentence: str) -> None:
    with pytest.raises(Misconfigured, match=r"^toy: row TypeCode: ") as told:
        read_rows(tomllib.loads(f'fields = [{{ to = "TypeCode", from = "{{b}}" }}]\n{paths}'), {}, "toy")
    assert sentence in str(told.value)
