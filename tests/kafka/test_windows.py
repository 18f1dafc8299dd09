"""Every sample of every window, on the real Kafka: published by an agency, decided by the window, brought home."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from broker import settings
from broker.cli import _kafka
from broker.cli._scene import Ears, Sent
from broker.cli._stage import Stage
from broker.folders import data_root
from broker.kafka import admin
from broker.kafka.reading import watch, write
from broker.samples import read_sample
from broker.statuses import load

MAPPINGS = data_root() / "mappings"
STATES = load(MAPPINGS / "statuses").states
PARTICIPANTS = _kafka.participants()
WINDOWS = {code: window for code, window in PARTICIPANTS.items() if window.kind == "window"}
SWB = Path(sys.executable).with_name("swb")


@pytest.fixture
def kafka(fresh_kafka, monkeypatch):
    monkeypatch.delenv("SWB_WINDOW_FAULTS", raising=False)
    return settings.load(bootstrap=fresh_kafka, partitions=4)


def sample(window, name):
    (file,) = (MAPPINGS / "participants" / window / "samples").glob(f"{name}.*")
    return read_sample(file, MAPPINGS)


def document(window, name, unique):
    content = sample(window, name).content
    return Sent(f"{window} {name}", "pe-sunat", content, "accepted", unique("document"))


def play(stage, kafka, sent, is_done, *, faults="", seconds=120):
    """Publish, and hear until every document is done; how long that took at most is the test's patience."""
    admin.create(kafka, PARTICIPANTS)
    stage.run("windows", ["windows", *(["--faults", faults] if faults else [])], kafka.bootstrap)
    stage.run("worker", ["worker"], kafka.bootstrap)
    for one in sent:
        one.at = time.time_ns() // 1_000_000
    write(kafka, [one.record for one in sent])
    ears = Ears(sent)
    until = time.monotonic() + seconds
    for record in watch(kafka, ears.topics, min(one.at for one in sent)):
        if record is not None:
            ears.hear(record)
        else:
            stage.check()
            if all(is_done(one) for one in sent) or time.monotonic() > until:
                return


def test_every_rule_of_every_window_comes_home_over_kafka(kafka, unique):
    accepting = {(w, r.id): document(w, r.id, unique) for w, window in WINDOWS.items() for r in window.accepts}
    rejecting = {(w, r.id): document(w, r.id, unique) for w, window in WINDOWS.items() for r in window.rules}
    sent = [*accepting.values(), *rejecting.values()]
    with Stage() as stage:
        play(stage, kafka, sent, lambda one: one.is_done(STATES))
        assert [one.name for one in sent if not one.is_done(STATES)] == [], stage.tails()
    for (window, _), one in accepting.items():
        assert STATES[one.windows[window]].verdict == "accepted", one.name
    for (window, name), one in rejecting.items():
        rule = next(r for r in WINDOWS[window].rules if r.id == name)
        assert STATES[one.windows[window]].verdict == ("rejected" if rule.severity == "error" else "accepted"), one.name
        if rule.severity == "error":
            (finding,) = [f for by, f in one.findings if by == window]
            assert (finding["rule"], finding["code"]) == (name, rule.code)
            assert finding["pointer"] == sample(window, name).points
            assert finding["line"]


FAULTS = {
    "pe-vuce": {"twice": 1},
    "sg-tradenet": {"disorder": 1},
    "au-ics": {"rubbish": 1},
    "us-ace": {"fail": 1},
    "mx-vucem": {"disorder": 1},
    "kr-unipass": {"late": 1, "late_by": 6},
    "jp-naccs": {"disorder": 1, "twice": 1, "delay": 1},
}


def test_whatever_goes_wrong_with_answers_the_state_is_that_of_the_whole_history(kafka, unique):
    told = {window: document(window, WINDOWS[window].accepts[0].id, unique) for window in FAULTS}
    wrong = {window: document(window, WINDOWS[window].rules[0].id, unique) for window in FAULTS}
    sent = [*told.values(), *wrong.values()]

    def is_done(one):
        heard = {w: s for w, s in one.windows.items() if w != "us-ace"}
        return one.receipt is not None and all(STATES[s].verdict if s else "" for s in heard.values())

    with Stage() as stage:
        play(stage, kafka, sent, is_done, faults=json.dumps(FAULTS), seconds=60)
        time.sleep(3)  # what comes late or twice, comes now
        for window in FAULTS:
            for one, verdict in ((told[window], "accepted"), (wrong[window], "rejected")):
                state = standing(kafka, one, window)
                assert (STATES[state].verdict if state in STATES else "") == ("" if window == "us-ace" else verdict)
                assert one.windows[window] == ("" if window == "us-ace" else state), "the sender's last word"


def standing(kafka, one, window):
    """What ``swb track`` says of the document at a window: the last word of its whole history."""
    done = subprocess.run(
        [SWB, "track", one.message_id, "-o", "json"],
        env={**os.environ, "SWB_BOOTSTRAP": kafka.bootstrap},
        capture_output=True,
        text=True,
        check=True,
    )
    delivery = next(d for d in json.loads(done.stdout)["deliveries"] if d["window"] == window)
    assert delivery["delivered"]
    return delivery["state"] or ""
