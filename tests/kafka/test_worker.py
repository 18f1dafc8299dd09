"""The commands as people use them: a worker, the windows, documents in, answers home."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.paths import ROOT

SWB = Path(sys.executable).with_name("swb")
SAMPLES = ROOT / "mappings" / "documents"


@pytest.fixture
def swb(kafka_bootstrap):
    """Runs a command to its end; its lines of JSON, or its text."""
    env = {**os.environ, "SWB_BOOTSTRAP": kafka_bootstrap, "SWB_PARTITIONS": "4"}

    def run(*arguments, code=0):
        done = subprocess.run([SWB, *arguments], env=env, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == code, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()] if "json" in arguments else done.stdout

    run.env = env
    return run


@pytest.fixture
def running(swb, tmp_path):
    """A worker and the windows, beside each other."""
    swb("topics", "create")
    logs = {name: (tmp_path / f"{name}.log") for name in ("worker", "windows")}
    processes = {}
    for name, path in logs.items():
        with path.open("wb") as out:
            processes[name] = subprocess.Popen([SWB, name], env=swb.env, stdout=out, stderr=out)
    yield processes, logs
    for process in processes.values():
        if process.poll() is None:
            process.kill()
        process.wait()


def until(condition, seconds=40):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.5)
    raise AssertionError(f"not within {seconds} s")


def test_documents_in_answers_home(swb, running):
    processes, logs = running
    assert swb("topics", "check") == "All topics are as they have to be.\n"
    invoice = SAMPLES / "invoice/ubl-2.1/samples/pint-nz-sg.xml"
    name = f"t{os.getpid()}"
    (published,) = swb("publish", str(invoice), "--as", "sg-invoice-hub", "--key", "k", "--id", name, "-o", "json")
    (junk,) = swb("publish", str(Path(__file__)), "--as", "sg-invoice-hub", "--id", f"{name}-junk", "-o", "json")
    message = published["message_id"]

    def mine(wanted):
        return [r for r in swb("inbox", "sg-invoice-hub", "-o", "json") if r["message_id"] == wanted]

    answers = until(lambda: [r for r in mine(message) if r["kind"] == "answer"])
    assert answers[-1]["window"] == "sg-tradenet"
    assert answers[-1]["state"] in ("accepted", "rejected")
    assert next(r["kind"] for r in mine(message)) == "receipt"
    (refusal,) = mine(junk["message_id"])
    assert (refusal["kind"], refusal["findings"][0]["code"]) == ("refusal", "content.not-xml")
    (payload,) = [r for r in swb("inbox", "sg-tradenet", "-o", "json") if r["message_id"] == message]
    assert f"<FunctionalReferenceID>{message}</FunctionalReferenceID>" in payload["content"]
    assert payload["key"] == "k"

    (rubbish,) = swb("publish", str(Path(__file__)), "--as", "sg-tradenet", "--type", "swb.answer", "-o", "json")
    origin = f"{rubbish['topic']}/{rubbish['partition']}/{rubbish['offset']}"

    def buried():
        return [
            r for r in swb("deadletter", "list", "--participant", "sg-tradenet", "-o", "json") if r["origin"] == origin
        ]

    (letter,) = until(buried)
    assert letter["reason"] == "answer-unreadable"
    assert swb("deadletter", "show", letter["id"]).rstrip().endswith(Path(__file__).read_text().rstrip())
    (planned,) = swb("deadletter", "redrive", letter["id"], "-o", "json")
    assert planned == {"id": letter["id"], "to": "swb.intake", "written": False}
    until(lambda: f'"id":"{letter["id"]}"' in logs["worker"].read_text())

    (told,) = swb("track", message, "-o", "json")
    (delivery,) = told["deliveries"]
    assert told["received"]["at"] <= delivery["delivered"]["at"] <= delivery["decided"]["at"]
    assert delivery["decided"]["state"] == answers[-1]["state"]
    assert "decided" in swb("track", message)
    swb("track", "0" * 32, code=1)

    for process in processes.values():
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    for path in logs.values():
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        assert lines
        ours = [line for line in lines if line["logger"].startswith("broker")]
        assert ours
        assert not [line for line in ours if line["level"] in ("error", "critical")], lines
        assert "FunctionalReferenceID" not in path.read_text()


def test_what_a_user_can_mend_is_said_in_a_sentence(swb):
    swb("publish", str(Path(__file__)), "--as", "nobody", code=2)
    swb("topics", "check", "--bootstrap", "127.0.0.1:1", code=2)
