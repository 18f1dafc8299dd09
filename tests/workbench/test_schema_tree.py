"""Which names a path may hold, by an XSD, by a JSON Schema, and in the payload."""

import json

import pytest

from broker.content.conditions import read_path
from broker.workbench.schema_tree import payload_tree, schema_tree
from tests.support.mapping_kit import DECLARATION, mapping

SCHEMA = {
    "properties": {"a": {"$ref": "#/$defs/A"}, "l": {"type": "array", "items": {"enum": [1]}}},
    "$defs": {"A": {"properties": {"b": {"type": "string"}}}},
}


@pytest.fixture
def xsd(toy):
    return schema_tree(toy / "xsd/toy/note.xsd")


def unknown(tree, root, path):
    return tree.follow(tree.root(root), read_path(path, {"n": "urn:toy"}))[1]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("n:Number", []), ("n:Line/@kind", []), ("n:Line[@kind='x']", []), ("n:Lyne/@kind", ["Lyne"]),
        ("n:Line/@sort", ["@sort"]), ("n:Line[n:Why]", ["Why"]), ("(n:Date|n:Dat)", ["Dat"]),
    ],
)  # fmt: skip
def test_a_name_that_the_schema_has_not_is_told(xsd, path, names):
    assert unknown(xsd, "{urn:toy}Note", path) == names


def test_json_has_keys_and_members(tmp_path):
    (tmp_path / "s.json").write_text(json.dumps(SCHEMA))
    tree = schema_tree(tmp_path / "s.json")
    assert [unknown(tree, "json", path) for path in ("a/b", "a/c", "l/_", "x")] == [[], ["c"], [], ["x"]]
    assert tree.is_open


def test_what_no_row_mentions_is_listed(xsd):
    node = mapping('{to = "Exporter/Name", from = "b"}]').plan.scopes[0].node
    assert "/Number" in list(xsd.unmentioned("{urn:toy}Note", node))


def test_the_payload_is_written_without_prefixes():
    tree = payload_tree(DECLARATION)
    assert unknown(tree, "", "Exporter/Name") == []
    assert unknown(tree, "", "Exporter/Nome") == ["Nome"]
