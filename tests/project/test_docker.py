"""What docker/ gives to others, as far as it can be held to something without an engine."""

import json
import re
import shutil
import subprocess

import pytest
import yaml

from broker.settings import Settings
from tests.support.paths import ROOT

DOCKER = ROOT / "docker"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
DASHBOARD = json.loads((DOCKER / "grafana/dashboards/operations.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", sorted(DOCKER.rglob("*.y*ml")), ids=lambda file: file.name)
def test_every_file_is_yaml(file):
    assert yaml.safe_load(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_held_small_and_reachable_from_this_machine_alone(name):
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["cpus"]
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:")
    if "build" not in service:
        assert re.search(r":v?\d+\.\d+\.\d+$", service["image"]), "an image has its full version"


def test_settings_are_those_there_are_and_volumes_are_declared():
    given = {key for service in SERVICES.values() for key in service.get("environment", {}) if key.startswith("SWB_")}
    known = {f"SWB_{name.upper()}" for name in Settings.model_fields} | {"SWB_CACHE"}
    assert given <= known
    named = {v.split(":")[0] for s in SERVICES.values() for v in s.get("volumes", []) if not v.startswith(".")}
    assert named == set(COMPOSE["volumes"])
    for place in [v.split(":")[0] for s in SERVICES.values() for v in s.get("volumes", []) if v.startswith(".")]:
        assert (DOCKER / place).is_dir()


def test_prometheus_scrapes_what_is_served():
    scraped = yaml.safe_load((DOCKER / "prometheus/prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    by_job = {job["job_name"]: job for job in scraped}
    worker = by_job["worker"]["dns_sd_configs"][0]
    assert worker["names"] == ["worker"]
    assert worker["port"] == int(SERVICES["worker"]["environment"]["SWB_HEALTH_PORT"])
    assert by_job["console"]["static_configs"][0]["targets"] == [f"console:{Settings().console_port}"]


def test_panels_have_names_of_their_own_and_ask_for_something():
    panels = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert len({panel["title"] for panel in panels}) == len(panels) > 20
    for panel in panels:
        assert all(target["expr"] for target in panel["targets"])
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not on this machine")
@pytest.mark.parametrize("command", [["check", "config", "--syntax-only", "prometheus/prometheus.yml"],
                                     ["check", "rules", "prometheus/rules.yml"]])  # fmt: skip
def test_prometheus_takes_its_files(command):
    done = subprocess.run(["promtool", *command], cwd=DOCKER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not on this machine")
def test_alerts_are_raised_when_they_should_be(tmp_path):
    cases = (ROOT / "tests/project/alerts.yml").read_text(encoding="utf-8")
    file = tmp_path / "alerts.yml"
    file.write_text(cases.replace("[RULES]", f"[{DOCKER / 'prometheus/rules.yml'}]"), encoding="utf-8")
    done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
