"""What the relay costs and how it bears trouble, on the real Kafka; figures, never verdicts.

    python -m tests.benchmarks.bench_relay [--only recovery,cost,...] [--scale 1.0] [--json FILE]

``cost`` and ``recovery`` run ``swb worker``; the others run the relay with a toy for a line (support/toy_worker.py),
so that what they show is the relay's own. All times are seen by a read_committed reader that is not ours. Where others
use the machine too, absolutes move: the ratios are the part to trust.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orjson
from confluent_kafka import Consumer, Producer, TopicPartition

from broker import catalogue as catalogues
from broker.embedded.node import EmbeddedKafka
from broker.kafka.admin import topics as admin
from broker.line.process import process
from broker.model.documents import Message
from broker.model.ids import NO_MESSAGE_ID
from broker.registry.participants import load_participants
from broker.relay import ids, topics
from broker.settings import Settings
from tests.kafka.chaos import account as chaos_account
from tests.support.relay_kit import QUICK, Kit

PARTITIONS = 4
SAMPLE = "invoice/sunat-ubl-2.1/samples/export-signed-iso-8859-1.xml"
"""A document of about 10 kB that one window takes."""
SENDER, TAKER = "pe-sunat", "pe-vuce"
SWB = [sys.executable, "-c", "from broker.cli import main; main()"]


def percentile(values, part):
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * part))], 3) if ordered else None


def cpu(pid):
    """Seconds of processor time that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Watchdog:
    """A live read_committed reader of topics: when each record was seen."""

    def __init__(self, bootstrap, names):
        self.reader = Consumer(
            {
                "bootstrap.servers": bootstrap, "group.id": "bench", "enable.auto.commit": False, "log_level": 0,
                "isolation.level": "read_committed", "fetch.wait.max.ms": 10,
            }
        )  # fmt: skip
        ends = chaos_account.ends(bootstrap, names)
        self.reader.assign([TopicPartition(*place, end) for place, end in ends.items()])

    def look(self, seconds=0.02):
        """Records that came, with the time at which they were seen."""
        return [(time.time(), r) for r in self.reader.consume(2000, seconds) if r.error() is None]

    def count(self, wanted, seconds=300):
        """Wait for so many records; first and last time seen."""
        first = last = None
        found, until = 0, time.time() + seconds
        while found < wanted:
            for at, _ in self.look(0.1):
                first, last = first or at, at
                found += 1
            if time.time() > until:
                raise SystemExit(f"{found} of {wanted} records within {seconds} s")
        return first, last


# --- swb worker -------------------------------------------------------------------------------------------------------


class Installation:
    """The whole catalogue on a Kafka of its own, with ``swb worker`` processes."""

    def __init__(self, bootstrap, folder):
        self.bootstrap, self.folder, self.workers = bootstrap, folder, []
        self.state = folder / "state"
        found = load_participants(catalogues.data_root() / "mappings" / "participants")
        self.participants = {str(code): p.kind for code, p in found.items()}
        admin.create(Settings(bootstrap=bootstrap, partitions=PARTITIONS), self.participants)
        self.producer = Producer(
            {"bootstrap.servers": bootstrap, "linger.ms": 5, "log_level": 0, "partitioner": "murmur2_random"}
        )
        self.content = (catalogues.data_root() / "mappings" / "documents" / SAMPLE).read_bytes()
        self.sent = 0

    def start(self, instance):
        given = {
            **os.environ, **QUICK, "SWB_BOOTSTRAP": self.bootstrap, "SWB_INSTANCE": instance,
            "SWB_LOG_LEVEL": "warning", "SWB_TRANSACTION_SECONDS": "20", "SWB_STATE_FOLDER": str(self.state),
        }  # fmt: skip
        with (self.folder / f"{instance}.log").open("ab") as log:
            process = subprocess.Popen([*SWB, "worker"], env=given, stdout=log, stderr=log)
        self.workers.append(process)
        return process

    def send(self, count):
        for _ in range(count):
            self.sent += 1
            name = f"b{os.getpid()}-{self.sent}".encode()
            key = b"key-%d" % (self.sent % 400)
            self.producer.produce(topics.outbox(SENDER), self.content, key, headers=[("ce_id", name)])
            if self.sent % 500 == 0:
                self.producer.poll(0)
        self.producer.flush(60)

    def stop(self):
        for worker in self.workers:
            worker.send_signal(signal.SIGTERM)
        for worker in self.workers:
            try:
                worker.wait(30)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
        self.workers.clear()


def recovery(folder, scale):
    """Kill to first committed message of a static member: with few remembered ids, with a million, and with a million
    of which this host has no copy, as after a move to another one."""
    found, many, kills = {}, int(1_000_000 * scale), max(3, int(20 * scale))
    cases = ("few", 0, False), (str(many), many, False), (f"{many}, no copy", many, True)
    for number, (name, remembered, forget) in enumerate(cases):
        with EmbeddedKafka(data=folder / f"kafka-{number}") as kafka:
            times = _recoveries(kafka.bootstrap, folder, remembered, kills // 4 if forget else kills, forget=forget)
        found[f"ids: {name}"] = {
            "n": len(times), "p50": percentile(times, 0.5), "p95": percentile(times, 0.95), "max": percentile(times, 1),
        }  # fmt: skip
    found["cpu_seconds_of_imports"] = round(_child_cpu([sys.executable, "-c", "import broker.app"]), 2)
    return found


def _recoveries(bootstrap, folder, remembered, kills, *, forget):
    here = Installation(bootstrap, folder)
    remember(bootstrap, remembered)
    watch = Watchdog(bootstrap, [topics.DUPLICATES])
    worker, times = here.start("one"), []
    here.send(100)
    watch.count(100)
    time.sleep(10)  # copies are written beside the work
    for _ in range(kills):
        worker.kill()
        killed = time.time()
        worker.wait()
        if forget:
            shutil.rmtree(here.state, ignore_errors=True)
        worker = here.start("one")
        here.send(100)
        first, _ = watch.count(100)
        times.append(first - killed)
        time.sleep(2)
    here.stop()
    return times


def _child_cpu(command):
    before = os.times()
    subprocess.run(command, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def remember(bootstrap, count):
    """So many ids in swb.duplicates, as if accepted."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "log_level": 0, "compression.type": "zstd"})
    entry = orjson.dumps({"sha256": "0" * 64, "verdict": "accepted", "at": int(time.time() * 1000)})
    for number in range(count):
        name = ids.message_id("nobody", str(number)).encode()
        while True:
            try:
                producer.produce(topics.DUPLICATES, entry, name, number % PARTITIONS)
                break
            except BufferError:
                producer.poll(0.1)
        if number % 1000 == 0:
            producer.poll(0)
    producer.flush(120)


def cost(folder, scale):
    """CPU of a worker for each 10 kB document, against the line alone; throughput of one worker and of two."""
    with EmbeddedKafka(data=folder / "kafka") as kafka:
        here = Installation(kafka.bootstrap, folder)
        found = alone(here.content)
        for workers in (1, 2):
            found[f"{workers} workers"] = _load(here, workers, int(4000 * scale), found["line_cpu_ms"])
    return found


def alone(content):
    """The line in this process."""
    catalogue = catalogues.load()
    message = Message(NO_MESSAGE_ID, content)
    turns = []
    for _ in range(6):
        began = time.process_time()
        for _ in range(100):
            outcome = process(message, catalogue)
        turns.append((time.process_time() - began) / 100)
    return {
        "document_bytes": len(content), "document_type": str(outcome.document_type), "windows": list(outcome.windows),
        "line_cpu_ms": round(1000 * statistics.median(turns[1:]), 3),
    }  # fmt: skip


def _load(here, workers, count, line):
    """A backlog of documents, worked by so many workers that are warm."""
    watch = Watchdog(here.bootstrap, [topics.DUPLICATES])
    running = [here.start(f"w{n}") for n in range(workers)]
    here.send(200)
    watch.count(200)
    time.sleep(10)  # all that compiles has compiled, and the shares have settled
    before = sum(cpu(w.pid) for w in running)
    began = time.time()
    here.send(count)
    _, last = watch.count(count)
    spent = 1000 * (sum(cpu(w.pid) for w in running) - before) / count
    here.stop()
    return {
        "documents": count, "cpu_ms_per_document": round(spent, 3), "ratio_to_line": round(spent / line, 2),
        "documents_per_second": round(count / (last - began), 1),
    }  # fmt: skip


# --- the relay with a toy for a line ----------------------------------------------------------------------------------


def toy(bootstrap, folder, agencies, windows):
    codes = {f"a{n}": "agency" for n in range(agencies)} | {f"w{n}": "window" for n in range(windows)}
    kit = Kit(bootstrap, folder, partitions=PARTITIONS, **codes)
    kit.agencies, kit.windows = [c for c in codes if c[0] == "a"], [c for c in codes if c[0] == "w"]
    kit.to_all = f"ok {' '.join(kit.windows)}; ".encode()
    return kit


def steady(kit, watch, seconds, rate, *, number=0, during=()):
    """Documents at a rate, spread over all agencies; seconds from sending to seeing, by topic and moment."""
    sent, delays, began = {}, [], time.time()
    pending = list(during)
    while time.time() - began < seconds or (
        len(delays) < len(sent) * len(kit.watched) and time.time() - began < seconds + 60
    ):
        now = time.time()
        while now - began < seconds and len(sent) < (now - began) * rate:
            name = f"{number + len(sent)}"
            sent[ids.message_id(kit.agencies[len(sent) % len(kit.agencies)], name)] = time.time()
            kit.send(kit.agencies[(len(sent) - 1) % len(kit.agencies)], f"k{len(sent) % 64}".encode(),
                     kit.to_all + b"x" * 2000 + b"#1", ce_id=name)  # fmt: skip
        if pending and now - began > pending[0][0]:
            pending.pop(0)[1]()
        for at, record in watch.look(0.005):
            headers = dict(record.headers() or ())
            message = headers.get("swb_message_id", b"").decode()
            if headers.get("ce_type") == b"swb.payload" and message in sent:
                delays.append((record.topic(), sent[message] - began, at - sent[message]))
    return delays, len(sent)


def participants(folder, scale):
    """CPU per document with 3 agencies and with 100, at the same rate in all; each on a Kafka of its own."""
    found, rate, seconds = {}, 100, 40 * scale
    for agencies in (3, 100):
        with EmbeddedKafka(data=folder / f"kafka-{agencies}") as kafka:
            kit = toy(kafka.bootstrap, folder, agencies, 1)
            kit.watched = kit.windows
            worker = kit.worker("one", SWB_LOG_LEVEL="warning")
            watch = Watchdog(kafka.bootstrap, [topics.inbox(w) for w in kit.windows])
            steady(kit, watch, 5, rate)
            before = cpu(worker.pid)
            delays, count = steady(kit, watch, seconds, rate, number=10_000_000)
            spent = cpu(worker.pid) - before
            kit.close()
        delayed = [d for _, _, d in delays]
        found[f"{agencies} agencies"] = {
            "documents": count, "seen": len(delays), "cpu_ms_per_document": round(1000 * spent / count, 3),
            "p50": percentile(delayed, 0.5), "p95": percentile(delayed, 0.95),
        }  # fmt: skip
    few, many = (found[f"{n} agencies"]["cpu_ms_per_document"] for n in (3, 100))
    found["ratio"] = round(many / few, 2)
    return found


def dead_window(folder, scale):
    """p95 of the other windows while one has had no inbox for a while, against p95 with all well."""
    found = {"all well": [], "moment of death": [], "one dead": []}
    with EmbeddedKafka(data=folder / "kafka-dead") as kafka:
        kit = toy(kafka.bootstrap, folder, 3, 3)
        kit.worker("one", SWB_LOG_LEVEL="warning", SWB_RETRY_LONGEST_SECONDS="30")
        *others, dead = kit.windows
        kit.watched = others
        watch = Watchdog(kafka.bootstrap, [topics.inbox(w) for w in others])
        steady(kit, watch, 5, 50)
        for number, (name, seconds) in enumerate((("all well", 20), ("moment of death", 10), ("one dead", 20)), 1):
            if name == "moment of death":
                kit.delete(topics.inbox(dead))
            delays, _ = steady(kit, watch, seconds * scale, 50, number=number * 10_000_000)
            found[name] += [d for _, _, d in delays]
        kit.close()
    told = {
        name: {"n": len(v), "p50": percentile(v, 0.5), "p95": percentile(v, 0.95), "max": percentile(v, 1)}
        for name, v in found.items()
    }  # fmt: skip
    told["ratio_p95"] = round(told["one dead"]["p95"] / told["all well"]["p95"], 2)
    return told


def rebalance(folder, scale):
    """The longest pause of a message when a worker joins, leaves in order, and is killed for good."""
    found = {}
    with EmbeddedKafka(data=folder / "kafka-rebalance") as kafka:
        kit = toy(kafka.bootstrap, folder, 3, 1)
        kit.watched = kit.windows
        first = kit.worker()
        watch = Watchdog(kafka.bootstrap, [topics.inbox(kit.windows[0])])
        kit.until(first.has_opened)
        steady(kit, watch, 3, 50)
        events = {
            "join": kit.worker,
            "leave (SIGTERM)": lambda: kit.workers[-1].terminate(),  # noqa: PLW0108 - the last one of then
            "join again": kit.worker,
            "death (SIGKILL, session 6 s)": lambda: kit.workers[-1].kill(),  # noqa: PLW0108 - the same
        }
        for number, (name, event) in enumerate(events.items(), 1):
            delays, sent = steady(kit, watch, 20 * scale, 50, number=number * 10_000_000, during=[(4.0, event)])
            found[name] = {"documents": sent, "seen": len(delays), "longest": round(max(d for _, _, d in delays), 2)}
        kit.close()
    return found


BENCHES = {f.__name__: f for f in (recovery, cost, participants, dead_window, rebalance)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(BENCHES), help="some of: " + ", ".join(BENCHES))
    parser.add_argument("--scale", type=float, default=1.0, help="how much of everything")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = {"machine": {"python": platform.python_version(), "cores": os.cpu_count(), "platform": platform.platform()}}
    for name in given.only.split(","):
        with tempfile.TemporaryDirectory(prefix="swb-bench-") as text:
            folder, load = Path(text), os.getloadavg()[0]
            found[name] = BENCHES[name](folder, given.scale)
            found[name]["load_before"] = round(load, 1)
        sys.stdout.write(json.dumps({name: found[name]}, indent=1) + "\n")
        sys.stdout.flush()
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
