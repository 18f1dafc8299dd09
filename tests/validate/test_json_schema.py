"""A JSON Schema judges in the words and at the places of an XSD."""

import json

import pytest

from broker.content.json_tree import json_pointer, parse_json
from broker.model.errors import Misconfigured
from broker.validate import json_schema
from broker.validate.json_schema import JsonSchema

SCHEMA = {
    "type": "object",
    "required": ["id"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "maxLength": 3},
        "day": {"type": "string", "format": "date"},
        "lines": {"type": "array", "items": {"enum": ["a", "b"]}},
    },
}


@pytest.fixture
def schema(tmp_path):
    file = tmp_path / "toy.json"
    file.write_text(json.dumps(SCHEMA))
    return JsonSchema(file)


def told(schema, value):
    faults = schema.judge(parse_json(json.dumps(value).encode())).faults
    return [(f.code, json_pointer(f.node)) for f in faults]


@pytest.mark.parametrize(
    ("value", "faults"),
    [
        ({"id": "1", "day": "2026-01-02", "lines": ["a"]}, []),
        ({}, [("schema.missing", "")]),
        ({"id": 1}, [("schema.type", "/id")]),
        ({"id": "1234"}, [("schema.length", "/id")]),
        ({"id": "1", "day": "2026-02-30"}, [("schema.value", "/day")]),
        ({"id": "1", "lines": ["a", "c"]}, [("schema.value", "/lines/1")]),
        ({"id": "1", "x": 1}, [("schema.unexpected", "")]),
        ({"id": "1234", "lines": ["c"]}, [("schema.length", "/id"), ("schema.value", "/lines/0")]),
    ],
)
def test_every_fault_has_its_code_and_place(schema, value, faults):
    assert sorted(told(schema, value)) == faults


def test_what_is_missing_is_named(schema):
    (fault,) = schema.judge(parse_json(b"{}")).faults
    assert (fault.sentence, fault.missing[1]) == ("id is missing here.", "id")


def test_of_a_huge_document_the_first_fault_is_told(schema, monkeypatch):
    monkeypatch.setattr(json_schema, "MAX_NODES", 2)
    assert len(told(schema, {"id": "1234", "lines": ["c", "d"]})) == 1
    assert told(schema, {"id": "1", "lines": ["a", "b"]}) == []


def test_a_file_that_is_no_schema_is_the_fault_of_the_data(tmp_path):
    (tmp_path / "bad.json").write_text('{"type": "nothing"}')
    for name in ("bad.json", "absent.json"):
        with pytest.raises(Misconfigured, match=name):
            JsonSchema(tmp_path / name).warm()
