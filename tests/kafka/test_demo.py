"""``swb demo``: what it shows adds up, and what it starts ends with it."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

SWB = Path(sys.executable).with_name("swb")


def test_the_demo_shows_every_document_and_its_sums_add_up(kafka_bootstrap):
    done = subprocess.run(
        [SWB, "demo", "--bootstrap", kafka_bootstrap], capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = " ".join(done.stdout.split())
    assert "All as expected." in said
    documents, ends = re.search(r"(\d+) documents = ([^;]*);", said).groups()
    deliveries, verdicts = re.search(r"(\d+) deliveries = ([^.]*)\.", said).groups()
    assert int(documents) == sum(map(int, re.findall(r"\d+", ends))) >= 12
    assert int(deliveries) == sum(map(int, re.findall(r"\d+", verdicts)))
    assert "/rsm:SPSCertificate/rsm:SPSConsignment/ram:IncludedSPSConsignmentItem" in said
    assert f"{documents} of {documents} documents decided" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_interrupted_leaves_nothing_running(kafka_bootstrap, number):
    with subprocess.Popen(
        [SWB, "demo", "--bootstrap", kafka_bootstrap], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        for line in process.stderr:
            if line.startswith(b"Starting a worker"):
                break
        until = time.monotonic() + 20
        while len(children := psutil.Process(process.pid).children()) < 2 and time.monotonic() < until:
            time.sleep(0.1)
        process.send_signal(number)
        process.stderr.read()
        assert process.wait(60) == 130
    assert len(children) >= 2
    assert [child for child in children if child.is_running()] == []
