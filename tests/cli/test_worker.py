"""``swb worker`` starts and leaves as it is asked to."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.proof
def test_a_worker_that_waits_for_kafka_leaves_when_asked():
    swb_file = Path(sys.executable).with_name("swb")
    running = subprocess.Popen([swb_file, "worker", "--bootstrap", "127.0.0.1:1"], stderr=subprocess.PIPE, text=True)
    assert running.stderr
    assert "worker.starting" in running.stderr.readline()
    running.send_signal(signal.SIGTERM)
    assert running.wait(20) == 0
    assert "Traceback" not in running.stderr.read()
    running.stderr.close()


def test_settings_that_cannot_be_are_told_before_anything_starts(swb):
    code, _, err = swb("worker", "--bootstrap", "nowhere")
    assert code == 2
    assert "nowhere" in err
