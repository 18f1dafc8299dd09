"""What tests of windows on the real Kafka share: their samples, and an installation to publish them to."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from broker import settings
from broker.cli import _kafka
from broker.cli._scene import Ears, Sent
from broker.cli._stage import Stage
from broker.kafka.admin import topics as admin
from broker.kafka.reading import read, watch, write
from broker.paths import data_root
from broker.registry.statuses import load
from broker.workbench.samples import read_sample

MAPPINGS = data_root() / "mappings"
STATES = load(MAPPINGS / "statuses").states
PARTICIPANTS = _kafka.participants()
WINDOWS = {code: window for code, window in PARTICIPANTS.items() if window.kind == "window"}
SWB = Path(sys.executable).with_name("swb")


def sample(window, name):
    (file,) = (MAPPINGS / "participants" / window / "samples").glob(f"{name}.*")
    return read_sample(file, MAPPINGS)


def document(window, name, unique):
    """The sample of a window's rule, to be published under an id that nobody used."""
    return sent(f"{window} {name}", sample(window, name).content, unique)


def sent(name, content, unique):
    return Sent(name, "pe-sunat", content, "accepted", unique("document"))


def verdict(state):
    return STATES[state].verdict if state in STATES else ""


class House(Stage):
    """A worker and mock windows on a Kafka; all that it starts ends with it."""

    def __init__(self, bootstrap):
        super().__init__()
        self.settings = settings.load(bootstrap=bootstrap, partitions=4)
        admin.create(self.settings, PARTICIPANTS)

    def windows(self, *codes, faults=""):
        """Run these windows, all when none is named."""
        self.run("windows", ["windows", *codes, *(["--faults", faults] if faults else [])], self.settings.bootstrap)

    def worker(self):
        self.run("worker", ["worker"], self.settings.bootstrap)

    def publish(self, *documents):
        for one in documents:
            one.at = time.time_ns() // 1_000_000
        write(self.settings, [one.record for one in documents])

    def hear(self, documents, is_done, seconds=120):
        """Note all that is said of the documents until that holds of every one, or the patience is over."""
        ears, until = Ears(documents), time.monotonic() + seconds
        for record in watch(self.settings, ears.topics, min(one.at for one in documents)):
            if record is not None:
                ears.hear(record)
            else:
                self.check()
                if all(is_done(one) for one in documents) or time.monotonic() > until:
                    return

    def until(self, look, seconds=60):
        """The first true value of a look; fails with the last words of all processes."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.check()
            if found := look():
                return found
            time.sleep(0.3)
        raise AssertionError(self.tails())

    def at_window(self, one, window):
        """What ``swb track`` says of a document at a window."""
        deliveries = json.loads(self.swb("track", one.message_id, "-o", "json"))["deliveries"]
        return next(d for d in deliveries if d["window"] == window)

    def swb(self, *arguments):
        """A command that must do well; what it prints."""
        environment = {**os.environ, "SWB_BOOTSTRAP": self.settings.bootstrap}
        return subprocess.run([SWB, *arguments], env=environment, capture_output=True, text=True, check=True).stdout

    def records(self, topic, **headers):
        """What lies on a topic under these headers."""
        return [r for r in read(self.settings, topic) if all(r.header(name) == v for name, v in headers.items())]
