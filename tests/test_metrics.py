"""What is counted is declared, and dashboards and alert rules speak of nothing else."""

import ast
import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from broker import metrics
from broker.metrics import Meter, Metric
from tests.support.paths import ROOT

UNITS = ("_seconds", "_seconds_total", "_total", "_records", "_timestamp_seconds")
STATES = {metrics.READY, metrics.ALIVE, metrics.LANES, metrics.LANES_EXPECTED, metrics.CIRCUIT, metrics.MAPPING_INFO,
          metrics.OUTSTANDING, metrics.DEADLETTERS_OPEN}  # fmt: skip
"""What is counted in things, or is 0 or 1, and so has no unit."""


def test_every_metric_of_the_module_is_served_by_somebody():
    declared = {value for value in vars(metrics).values() if isinstance(value, Metric)}
    assert declared == set(metrics.ALL)
    assert len({metric.name for metric in metrics.ALL}) == len(metrics.ALL)


@pytest.mark.parametrize("metric", metrics.ALL, ids=lambda metric: metric.name)
def test_names_follow_the_conventions_of_prometheus(metric):
    assert re.fullmatch(r"swb_[a-z][a-z_]*[a-z]", metric.name)
    assert metric.help.endswith(".")
    assert (metric.kind == "counter") == metric.name.endswith("_total")
    assert metric.name.endswith(UNITS) or metric in STATES
    assert bool(metric.buckets) == (metric.kind == "histogram")
    assert list(metric.buckets) == sorted(set(metric.buckets))


def test_what_prometheus_reads_is_what_was_counted():
    meter = Meter()
    meter.add(metrics.DOCUMENTS, sender="pe-sunat", document_type="invoice/ubl-2.1", outcome="accepted")
    meter.add(metrics.DOCUMENTS, 2, sender="pe-sunat", document_type="invoice/ubl-2.1", outcome="accepted")
    meter.set(metrics.LAG, 7, sender="pe-sunat")
    for seconds in (0.004, 0.005, 0.3, 99.0):
        meter.observe(metrics.COMMIT_SECONDS, seconds)
    text = metrics.exposition(meter, metrics.WORKER).decode()
    families = {f.name: f for f in text_string_to_metric_families(text)}
    assert set(families) == {m.name.removesuffix("_total") for m in metrics.WORKER}
    assert {f.documentation for f in families.values()} == {m.help for m in metrics.WORKER}
    (documents,) = families["swb_documents"].samples
    assert documents.labels == {"sender": "pe-sunat", "document_type": "invoice/ubl-2.1", "outcome": "accepted"}
    assert documents.value == 3
    assert families["swb_lag_records"].samples[0].value == 7
    seen = {s.labels.get("le", s.name): s.value for s in families["swb_commit_seconds"].samples}
    assert (seen["0.005"], seen["0.25"], seen["0.5"], seen["10.0"], seen["+Inf"]) == (2, 2, 3, 3, 4)
    assert seen["swb_commit_seconds_sum"] == pytest.approx(99.309)


def test_a_label_that_is_not_declared_is_a_fault_of_ours():
    meter = Meter()
    with pytest.raises(ValueError, match="swb_lag_records has the labels"):
        meter.add(metrics.LAG, sender="pe-sunat", colour="red")
    with pytest.raises(KeyError):
        meter.add(metrics.LAG, window="pe-vuce")


def named_in(text: str) -> set[str]:
    """Names of ours in a query, without those of the recording rules (``swb:``)."""
    return set(re.findall(r"(?<![:\w])swb_[a-z_]+", text))


FILES_OF_CODE = [f for f in (ROOT / "broker").rglob("*.py") if f.name != "metrics.py"]
FILES = sorted(f for f in (ROOT / "docker").rglob("*") if f.suffix in {".yml", ".yaml", ".json"})


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_panels_and_rules_name_what_exists(file):
    known = {series for metric in metrics.ALL for series in metric.series}
    labels = {f"swb_{label}" for metric in metrics.ALL for label in metric.labels}
    assert named_in(file.read_text(encoding="utf-8")) - known - labels == set()


def test_every_metric_is_told_on_a_panel_or_in_a_rule():
    said = "".join(f.read_text(encoding="utf-8") for f in FILES)
    untold = [m.name for m in metrics.ALL if not any(re.search(rf"\b{series}\b", said) for series in m.series)]
    assert untold == []


def test_every_metric_is_counted_somewhere():
    used = set()
    for file in FILES_OF_CODE:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "metrics":
                used.add(node.attr)
    names = {name for name, value in vars(metrics).items() if isinstance(value, Metric)}
    assert names - used == set()


RULES = ROOT / "docker" / "prometheus" / "rules.yml"


def test_every_alert_has_a_runbook_in_the_readme():
    alerts = re.findall(r"- alert: (\w+)", RULES.read_text(encoding="utf-8"))
    told = re.findall(r"^\| `(Swb\w+)`", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(alerts) == len(set(alerts)) > 15
    assert sorted(told) == sorted(alerts)
