"""``swb kafka``, where nothing runs; and what the verbs that speak to Kafka share."""

import json
import time

import click
import pytest

from broker.cli import _kafka
from broker.embedded import jars


@pytest.fixture
def java(monkeypatch, tmp_path):
    monkeypatch.setattr(jars, "java", lambda: tmp_path / "java")


def test_nothing_runs_on_a_new_folder(java, swb, tmp_path):
    code, out, _ = swb("kafka", "status", "--data", tmp_path, "-o", "json")
    assert (code, json.loads(out)) == (1, {"running": False, "pid": None, "bootstrap": None, "data": str(tmp_path)})
    code, _, err = swb("kafka", "stop", "--data", tmp_path)
    assert (code, err) == (2, f"Error: Nothing runs on {tmp_path}.\n")


def test_a_note_of_a_process_that_is_not_ours_counts_as_none(java, swb, tmp_path):
    (tmp_path / "running.json").write_text(json.dumps({"pid": 1, "bootstrap": "127.0.0.1:1"}))
    assert swb("kafka", "status", "--data", tmp_path)[0] == 1


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86_400)])
def test_a_while_ago_is_a_moment(text, seconds):
    ago = time.time() - _kafka.moment(None, None, text) / 1000  # whole milliseconds
    assert seconds - 0.001 <= ago < seconds + 5


def test_a_date_time_is_a_moment_and_anything_else_is_told():
    assert _kafka.moment(None, None, "1970-01-02T00:00:00Z") == 86_400_000
    assert _kafka.moment(None, None, None) is None
    for text in ("soon", "10", "10y"):
        with pytest.raises(click.BadParameter, match="10m, 2h, 1d"):
            _kafka.moment(None, None, text)


def test_nobody_else_is_a_participant():
    assert _kafka.known(None, None, "pe-vuce") == "pe-vuce"
    with pytest.raises(click.BadParameter, match="nobody is not a participant; there are "):
        _kafka.known(None, None, "nobody")
