"""The OpenLineage form of a lineage: what core 2-0-2 and column lineage facet 1-2-0 demand, in our own words."""

from __future__ import annotations

import json

import jsonschema_rs
import pytest
from click.testing import CliRunner

from broker import catalogue
from broker.cli import explain
from broker.line import process
from broker.mapping.lineage.openlineage import openlineage
from broker.model.documents import Message
from broker.model.ids import NO_MESSAGE_ID

pytestmark = pytest.mark.proof

NAMED = {
    "type": "object",
    "required": ["namespace", "name"],
    "properties": {"namespace": {"type": "string"}, "name": {"type": "string"}},
}
URI = {"type": "string", "format": "uri"}
TRANSFORMATION = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"enum": ["DIRECT", "INDIRECT"]},
        "subtype": {"type": "string"},
        "description": {"type": "string"},
        "masking": {"type": "boolean"},
    },
}
INPUT_FIELD = {
    "type": "object",
    "required": ["namespace", "name", "field"],
    "properties": {
        "namespace": {"type": "string"},
        "name": {"type": "string"},
        "field": {"type": "string"},
        "transformations": {"type": "array", "items": TRANSFORMATION},
    },
}
FACET = {
    "type": "object",
    "required": ["_producer", "_schemaURL", "fields"],
    "properties": {
        "_producer": URI,
        "_schemaURL": URI,
        "fields": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["inputFields"],
                "properties": {"inputFields": {"type": "array", "items": INPUT_FIELD}},
            },
        },
    },
}
EVENT = {
    "type": "object",
    "required": ["eventTime", "producer", "schemaURL", "run", "job"],
    "properties": {
        "eventType": {"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
        "eventTime": {"type": "string", "format": "date-time"},
        "producer": URI,
        "schemaURL": URI,
        "run": {"type": "object", "required": ["runId"], "properties": {"runId": {"type": "string", "format": "uuid"}}},
        "job": NAMED,
        "inputs": {"type": "array", "items": NAMED},
        "outputs": {
            "type": "array",
            "items": {
                "allOf": [NAMED],
                "properties": {"facets": {"type": "object", "properties": {"columnLineage": FACET}}},
            },
        },
    },
}
VALIDATOR = jsonschema_rs.validator_for(EVENT, validate_formats=True)
SAMPLES = catalogue.data_root() / "mappings" / "documents"


def test_every_sourced_leaf_is_a_field_with_its_inputs():
    loaded = catalogue.load()
    for file in sorted(SAMPLES.glob("*/*/samples/*.xml"))[::5]:
        if "refused" in file.name or ".payload" in file.name:
            continue
        found = process.explain(Message(NO_MESSAGE_ID, file.read_bytes()), loaded)
        event = openlineage(found, file.name, "2026-01-02T03:04:05.678Z")
        assert [error.message for error in VALIDATOR.iter_errors(event)] == []
        fields = event["outputs"][0]["facets"]["columnLineage"]["fields"]
        assert set(fields) == {origin.target for origin in found.lineage if origin.behind}
        assert event["run"]["runId"] == openlineage(found, file.name, "2027-01-01T00:00:00Z")["run"]["runId"]


def test_the_command_writes_one_event_a_file():
    file = SAMPLES / "invoice/ubl-2.1/samples/peppol-be-nl.xml"
    shown = CliRunner().invoke(explain.command, [str(file), "-o", "openlineage"])
    assert shown.exit_code == 0
    assert VALIDATOR.is_valid(json.loads(shown.stdout))
