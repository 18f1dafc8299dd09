"""The one form in which findings leave the broker, and how many of them a header holds."""

import json

import pytest

from broker.model.findings import Finding, Severity, as_header, finding_of, of_header

OF_THE_LINE = Finding("schema.missing", "It is missing.", Severity.WARNING, "/a/b", 3, "x")
AT_HOME = Finding(
    "E2001", "No code.", pointer="/a/b", line=3, rule="SG-TARIFF", messages={"en": "No code.", "es": "Sin."},
    text="bad code", label="b", payload_pointer="42A/67A",
)  # fmt: skip


def test_what_only_a_sender_reads_is_there_once_it_is_known():
    base = {"code", "severity", "pointer", "line", "value", "message"}
    assert set(OF_THE_LINE.as_json()) == base
    assert set(AT_HOME.as_json()) == base | {"rule", "messages", "text", "label", "payload_pointer"}
    assert OF_THE_LINE.as_json()["severity"] == "warning"


@pytest.mark.parametrize("finding", [OF_THE_LINE, AT_HOME])
def test_a_finding_is_read_from_a_header_as_it_was_written(finding):
    assert finding_of(json.loads(json.dumps(finding.as_json()))) == finding
    assert of_header(as_header([finding, finding], 10_000)) == (finding, finding)


def test_a_header_holds_the_first_findings_and_never_more_bytes_than_it_may():
    many = [Finding(f"c{n}", "ñ" * n) for n in range(100)]
    text = as_header(many, 4000)
    kept = of_header(text)
    assert kept == tuple(many[: len(kept)])
    assert 0 < len(kept) < 100
    assert len(text.encode()) <= 4000 + 2
    assert as_header([], 4000) == as_header(many, 10) == ""


def test_tracking_gets_the_place_and_no_value():
    assert OF_THE_LINE.as_place() == {"code": "schema.missing", "severity": "warning", "pointer": "/a/b", "line": 3}
