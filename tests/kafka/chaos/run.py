"""The chaos test: documents of all families while workers, windows and the broker are killed, halted and refused.

Workers are ``swb worker``, windows ``swb windows``, both as processes. Events come as the documents go: the same seed
gives the same events at the same documents. The account is taken at the end by a client that is not ours.

    python -m tests.kafka.chaos.run --documents 20000 --kills 20 --workers 2 --seed 1 --json chaos.json
"""

import argparse
import ctypes
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from confluent_kafka import KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from broker.app import WINDOWS_GROUP
from broker.catalogue import data_root
from broker.embedded.node import EmbeddedKafka
from broker.kafka import reading
from broker.kafka.admin import topics as admin
from broker.registry.participants import load_participants
from broker.relay import headers, topics
from broker.relay.dead_letters import DeadLetter
from broker.settings import Settings
from tests.kafka.chaos import account as chaos_account
from tests.kafka.chaos.corpus import Corpus
from tests.support.paths import ROOT
from tests.support.relay_kit import AUTHORIZER, alter, delete, forbid, permit

SESSION = 6.0
QUICK = {
    "SWB_SESSION_SECONDS": str(SESSION), "SWB_HEARTBEAT_SECONDS": "1", "SWB_REBALANCE_SECONDS": "10",
    "SWB_RETRY_FIRST_SECONDS": "0.2", "SWB_RETRY_LONGEST_SECONDS": "2", "SWB_PRODUCE_SECONDS": "5",
    "SWB_DRAIN_SECONDS": "5", "SWB_TRANSACTION_SECONDS": "20", "SWB_LOG_LEVEL": "warning", "SWB_LOG_FORMAT": "json",
}  # fmt: skip
LATE_WINDOW, SMALL_WINDOW, BARRED_WINDOW = "us-ace", "pe-vuce", "sg-tradenet"
"""The window whose inbox is missing for the first half, and those whose inbox refuses for a while what is large, and
all: nobody has the right to write."""
_SMALL_BYTES = 3000
_QUIET_SECONDS = 240
_STILL_SECONDS = 45
_COUNT_SECONDS = 0.25
_HELD_SECONDS = 10


@dataclass
class Options:
    documents: int = 2000
    kills: int = 8
    seed: int = 1
    workers: int = 2
    bootstrap: str = ""
    hold: float = 0.05
    """Each commit is held open for up to so many seconds, that kills find transactions open."""
    backlog: int = 200
    """So many documents wait at most."""
    largest: int = 20_000
    answering: float = 0.5
    """Share of the payloads that the windows answer."""
    windows: bool = True
    broken: str = ""
    """A saboteur of chaos_worker.py."""
    events: str = "kill,double-kill,windows,join,zombie,restart,late,small,rights,large,redrive"
    minutes: float = 0.0
    """After so long nothing more is sent or killed; 0: no limit."""
    instances: bool = True


def die_with_parent():
    """In a child, before anything else: when the test ends, it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Process:
    """A worker or the windows, started again when it ends, as a supervisor would."""

    def __init__(self, run, name, command, **env):
        self.run, self.name, self.command = run, name, command
        self.log, self.lanes, self.held = (run.folder / f"{name}.{told}" for told in ("log", "lanes", "held"))
        self.env = {**os.environ, **QUICK, "SWB_BOOTSTRAP": run.bootstrap, "SWB_CHAOS_LANES": str(self.lanes)}
        self.env |= {"SWB_CHAOS_HELD": str(self.held), "SWB_STATE_FOLDER": str(run.folder / "state"), **env}
        self.start()

    def start(self):
        self.held.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.command], cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - sets one kernel flag, takes no lock
            )  # fmt: skip
        self.started = time.monotonic()

    def holds(self):
        """Whether it said last that a transaction of its is held open."""
        return self.held.exists() and self.held.read_text() not in ("", "0")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def supervise(self):
        """Start again what ended by itself; its code is counted."""
        code = self.process.poll()
        if code is not None:
            self.run.exits[f"{self.name.rstrip('0123456789')} {code}"] += 1
            self.start()


class Run:
    """One run on one cluster."""

    def __init__(self, options, folder, kafka=None):
        self.options, self.folder, self.kafka = options, folder, kafka
        self.bootstrap = options.bootstrap or kafka.bootstrap
        self.chance = random.Random(options.seed)
        self.name = f"run{options.seed}-{os.getpid()}-{time.time_ns() % 10**6}"
        self.corpus = Corpus(self.name, options.seed, options.largest)
        self.exits, self.events = Counter(), Counter()
        self.recoveries = []
        self.judged, self.lane_at = 0, {}
        self.published, self.counted_at = 0, 0.0
        self.processes = {}
        self.admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        self.producer = Producer(
            {
                "bootstrap.servers": self.bootstrap, "linger.ms": 5, "log_level": 0, "enable.idempotence": True,
                **reading.ONE_BY_ONE,
                "message.max.bytes": 17 << 20, "partitioner": "murmur2_random", "compression.type": "zstd",
                "delivery.timeout.ms": 300_000, "queue.buffering.max.messages": 20_000,
            }
        )  # fmt: skip
        self.settings = Settings(bootstrap=self.bootstrap, partitions=4)
        found = load_participants(data_root() / "mappings" / "participants")
        self.participants = {str(code): p.kind for code, p in found.items()}
        self.hurt = set()
        self.redriven = set()
        """(message id, window) of the dead letters that were brought back."""

    # --- the course of it -----------------------------------------------------------------------------------------

    def work(self):
        """Everything sent, everything that shall happen has happened, nothing waits: the account."""
        self.began = time.monotonic()
        admin.create(self.settings, self.participants)
        if "late" in self.options.events:
            delete(self.admin, topics.inbox(LATE_WINDOW))
        names = topics.all_topics(self.participants)
        self.starts = chaos_account.ends(self.bootstrap, names)
        self.watch = chaos_account.consumer(self.bootstrap, **{"fetch.wait.max.ms": 20})
        self.watch.assign([TopicPartition(topics.DUPLICATES, p, self.starts[topics.DUPLICATES, p]) for p in range(4)])
        self.done = chaos_account.consumer(self.bootstrap, **{"group.id": topics.RELAY_GROUP})  # asks, never joins
        senders = {topics.outbox(code) for code, kind in self.participants.items() if kind == "agency"}
        self.outboxes = [place for place in self.starts if place[0] in senders]
        try:
            for number in range(self.options.workers):
                self.start_worker(number)
            if self.options.windows:
                self.start_windows()
            self.drive()
            self.settle()
            if "redrive" in self.options.events:
                self.redrive()
                self.settle()
        finally:
            for process in self.processes.values():
                process.process.send_signal(signal.SIGCONT)
                process.kill()
            self.watch.close()
            self.done.close()
        self.lasted = time.monotonic() - self.began
        book, people = self.corpus.book, self.participants
        return chaos_account.take(self.bootstrap, book, people, self.starts, hurt=self.hurt, redriven=self.redriven)

    def drive(self):
        """Documents and events, until all are sent and done."""
        schedule = self.schedule()
        action = None
        self.moved_at = time.monotonic()
        until = self.began + self.options.minutes * 60 if self.options.minutes else float("inf")
        while self.corpus.seq < self.options.documents or action or schedule:
            self.tick()
            if time.monotonic() > until:
                schedule.clear()
                if action is None or next(action, "done") == "done":
                    return
                continue
            is_still = time.monotonic() - self.moved_at > _STILL_SECONDS  # of a broken relay nothing may ever come
            has_room = self.published - self.judged < self.options.backlog
            if self.corpus.seq < self.options.documents and (has_room or is_still):
                for _ in range(20):
                    self.publish(self.corpus.draw())
            if action is None and schedule and (self.judged >= schedule[0][0] or is_still):
                _, name = schedule.pop(0)
                self.events[name] += 1
                self.note(name)
                action = getattr(self, name)()
            if action is not None:
                action = action if next(action, "done") != "done" else None

    def tick(self):
        """A look at what was committed, and at who has ended."""
        self.producer.poll(0)
        for record in self.watch.consume(500, 0.02):
            if record.error() is None:
                self.moved_at = time.monotonic()
                self.lane_at[record.partition()] = record.timestamp()[1] / 1000, time.time()
        if time.monotonic() - self.counted_at > _COUNT_SECONDS:
            self.count()
        for process in self.processes.values():
            process.supervise()

    def count(self):
        """How many documents the relay is done with: every one, whatever became of it."""
        self.counted_at = time.monotonic()
        with suppress(KafkaException):  # a broker that is down: the next time
            asked = self.done.committed([TopicPartition(*place) for place in self.outboxes], timeout=2)
            done = sum(max(tp.offset - self.starts[tp.topic, tp.partition], 0) for tp in asked)
            self.judged = max(self.judged, done)

    def publish(self, document):
        self.published += 1
        headers = [("ce_id", document.ce_id.encode()), ("ce_source", document.sender.encode())]
        self.producer.produce(
            topics.outbox(document.sender), document.content, document.key, headers=headers, on_delivery=self._sent
        )

    def _sent(self, error, _):
        if error is not None:
            raise SystemExit(f"the test could not write a document: {error}")

    def schedule(self):
        """What happens when how many documents have been judged."""
        wanted, kills = set(self.options.events.split(",")), self.options.kills
        others = []
        if "windows" in wanted and self.options.windows:
            others += ["kill_windows"] * max(1, kills // 5)
        if "join" in wanted:
            others += ["join_and_leave"] * max(1, kills // 12)
        if "zombie" in wanted:
            others += ["halt"] * max(1, kills // 25)
        if "restart" in wanted and self.kafka is not None:
            others += ["broker_killed", "broker_stopped"] * max(1, kills // 40)
        if "small" in wanted:
            others += ["small_inbox"] * max(1, kills // 40)
        if "rights" in wanted and self.kafka is not None:
            others += ["barred_inbox"] * max(1, kills // 40)
        if "large" in wanted:
            others += ["large_document"] * max(1, kills // 25)
        workers = kills - others.count("kill_windows")
        doubles = workers // 4 if "double-kill" in wanted else 0
        others += ["kill_twice"] * (doubles // 2) + ["kill_worker"] * (workers - doubles // 2 * 2)
        self.chance.shuffle(others)
        first, last = self.options.documents * 0.05, self.options.documents * 0.9
        step = (last - first) / max(1, len(others))
        found = [(int(first + step * (n + 0.5)), name) for n, name in enumerate(others)]
        if "late" in wanted:
            found.append((self.options.documents // 2, "make_late_inbox"))
        return sorted(found)

    def note(self, what):
        """A line in the log of events."""
        with (self.folder / "events.log").open("a", encoding="utf-8") as log:
            at = time.monotonic() - self.began
            log.write(f"{at:8.1f} s  {self.corpus.seq:7} sent  {self.judged:7} judged  {what}\n")

    def settle(self):
        """Wait until no record is left for the relay, nor for the windows, nor for the relay again."""
        self.note("all sent")
        if self.producer.flush(120):
            raise SystemExit("Kafka does not take the test's documents")
        groups = {topics.RELAY_GROUP: topics.worked_topics(self.participants)}
        if self.options.windows:
            groups[WINDOWS_GROUP] = [topics.inbox(code) for code in self.playing]
        until, calm, before = time.monotonic() + _QUIET_SECONDS, 0, None
        while calm < 2:
            self.tick()
            behind = [chaos_account.behind(self.bootstrap, group, names) for group, names in groups.items()]
            calm = calm + 1 if not any(behind) else 0
            if behind != before:
                until, before = time.monotonic() + _QUIET_SECONDS, behind
            if time.monotonic() > until:
                self.events["never came to rest"] += 1
                return
            time.sleep(0.5 if calm else 0.3)

    def redrive(self):
        """Every delivery that an inbox refused is brought back, twice; the second time has no effect."""
        inbox = topics.inbox(SMALL_WINDOW)
        letters = [
            r for r in reading.read(self.settings, topics.DEADLETTER)
            if r.header(headers.DESTINATION) == inbox and r.header(headers.MESSAGE_ID) in self.corpus.book
        ]  # fmt: skip
        for _ in range(2):
            reading.write(self.settings, [DeadLetter(r).redriven("chaos") for r in letters])
        self.redriven |= {(r.header(headers.MESSAGE_ID), SMALL_WINDOW) for r in letters}
        self.events["redriven"] += len(letters)
        self.note(f"{len(letters)} redriven, twice")

    # --- processes ------------------------------------------------------------------------------------------------

    @property
    def playing(self):
        left_out = {LATE_WINDOW} if "late" in self.options.events else set()
        return [code for code, kind in self.participants.items() if kind == "window" and code not in left_out]

    def start_worker(self, number):
        options = self.options
        self.processes[f"worker{number}"] = Process(
            self, f"worker{number}", ["-m", "tests.kafka.chaos.worker"], SWB_CHAOS_HOLD=str(options.hold),
            SWB_CHAOS_BREAK=options.broken, SWB_INSTANCE=f"w{number}" if options.instances else "",
        )  # fmt: skip

    def start_windows(self):
        faults = {code: {"fail": 1 - self.options.answering, "twice": 0.1} for code in self.playing}
        command = ["-c", "from broker.cli import main; main()", "windows", *self.playing]
        self.processes["windows"] = Process(self, "windows", command, SWB_WINDOW_FAULTS=json.dumps(faults))

    def workers(self):
        return [p for name, p in self.processes.items() if name.startswith("worker")]

    def lanes_of(self, worker):
        """Which lanes it said last that it holds."""
        try:
            return set(json.loads(worker.lanes.read_text()))
        except (OSError, ValueError):
            return set()

    # --- events: generators that are asked again until they are done ------------------------------------------------

    def kill_worker(self):
        """SIGKILL, started again at once; done when a lane it held commits again."""
        victim = self.chance.choice(self.workers())
        lanes = self.lanes_of(victim)
        pause = time.time() + self.chance.uniform(0, 0.3)
        while time.time() < pause:
            yield
        victim.kill()
        killed = time.time()
        victim.start()
        while lanes and not any(self.lane_at.get(lane, (0, 0))[0] > killed for lane in lanes):
            if time.time() - killed > (15 if self.corpus.seq >= self.options.documents else 60):
                return
            yield
        if lanes:
            self.recoveries.append(min(seen for sent, seen in map(self._lane, lanes) if sent > killed) - killed)
            self.note(f"recovered after {self.recoveries[-1]:.2f} s")

    def _lane(self, lane):
        return self.lane_at.get(lane, (0, 0))

    def kill_twice(self):
        """SIGKILL, and again while the next one starts, reads its state or has just begun."""
        victim = self.chance.choice(self.workers())
        victim.kill()
        victim.start()
        until = time.monotonic() + self.chance.uniform(1, 8)
        while time.monotonic() < until:
            yield
        victim.kill()
        victim.start()

    def kill_windows(self):
        self.processes["windows"].kill()
        self.processes["windows"].start()
        yield

    def join_and_leave(self):
        """One more worker for a while; it leaves in order."""
        self.start_worker(self.options.workers)
        guest = self.processes[f"worker{self.options.workers}"]
        until = time.monotonic() + 60
        while not self.lanes_of(guest) and time.monotonic() < until:
            yield from self._rest(0.5)
        yield from self._rest(3)
        del self.processes[guest.name]
        guest.process.terminate()
        until = time.monotonic() + 30
        while guest.process.poll() is None and time.monotonic() < until:
            yield
        self.exits[f"guest {guest.process.poll()}"] += 1
        guest.kill()

    def halt(self):
        """A zombie: halted beyond its session in an open transaction, with the others at work, and let go again."""
        if self.options.workers < 2:
            self.start_worker(self.options.workers)
            yield from self._rest(SESSION)
        until, victim = time.monotonic() + _HELD_SECONDS, self.chance.choice(self.workers())
        victim.process.send_signal(signal.SIGSTOP)
        while not victim.holds() and time.monotonic() < until:
            victim.process.send_signal(signal.SIGCONT)
            yield
            victim = next((w for w in self.workers() if w.holds()), victim)
            victim.process.send_signal(signal.SIGSTOP)
        yield from self._rest(SESSION + 5)
        victim.process.send_signal(signal.SIGCONT)
        yield from self._rest(2)

    def _broker(self, how):
        how(1)
        yield from self._rest(1)
        self.kafka.start_node(1, wait=False)
        until = time.monotonic() + 90
        while not self._answers() and time.monotonic() < until:
            yield
        yield from self._rest(3)

    def _answers(self):
        """Whether Kafka does: what needs its answer comes after."""
        try:
            self.admin.list_topics(timeout=0.5)
        except KafkaException:
            return False
        return True

    def broker_killed(self):
        yield from self._broker(self.kafka.kill_node)

    def broker_stopped(self):
        yield from self._broker(self.kafka.stop_node)

    def small_inbox(self):
        """An inbox takes no large record for a hundred documents or so."""
        self.hurt.add(SMALL_WINDOW)
        alter(self.admin, topics.inbox(SMALL_WINDOW), "max.message.bytes", _SMALL_BYTES)
        yield from self._a_hundred_documents()
        alter(self.admin, topics.inbox(SMALL_WINDOW), "max.message.bytes", 17 << 20)

    def barred_inbox(self):
        """For as long nobody may write to an inbox."""
        forbid(self.admin, topics.inbox(BARRED_WINDOW))
        yield from self._a_hundred_documents()
        permit(self.admin, topics.inbox(BARRED_WINDOW))

    def _a_hundred_documents(self):
        until, enough = time.monotonic() + 20, min(self.judged + 100, self.options.documents * 0.95)
        while self.judged < enough and time.monotonic() < until:
            yield

    def large_document(self):
        """As large as any sender may send."""
        self.publish(self.corpus.large())
        yield

    def make_late_inbox(self):
        admin.create(self.settings, self.participants)
        yield

    def _rest(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            yield


def share(values, part):
    """That percentile; None of nothing."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * part))], 2) if ordered else None


def result(run, account):
    """All figures of a run."""
    kills = run.events["kill_worker"] + 2 * run.events["kill_twice"] + run.events["kill_windows"]
    return {
        "options": asdict(run.options),
        "documents": run.corpus.seq,
        "messages": len(run.corpus.book),
        "sorts": dict(sorted(run.corpus.drawn.items())),
        "families": run.corpus.families,
        "kills": kills,
        "events": dict(sorted(run.events.items())),
        "ended by themselves": dict(sorted(run.exits.items())),
        "recovery_seconds": {
            "n": len(run.recoveries), "p50": share(run.recoveries, 0.5), "p95": share(run.recoveries, 0.95),
            "max": share(run.recoveries, 1),
        },
        "seconds": round(run.lasted, 1),
        "documents_per_second": round(run.corpus.seq / run.lasted, 1),
        "breaches": account.breaches,
        **account.told(),
    }  # fmt: skip


def tell(found):
    """The account for people."""
    recovery = found["recovery_seconds"]
    yield f"{found['documents']} documents ({', '.join(found['families'])}) in {found['seconds']} s"
    yield "  drawn       " + ", ".join(f"{n} {sort}" for sort, n in found["sorts"].items())
    yield f"  kills       {found['kills']}"
    yield "  events      " + ", ".join(f"{n} {name}" for name, n in found["events"].items())
    yield "  left alone  " + (", ".join(f"{who}: {n}" for who, n in found["ended by themselves"].items()) or "none")
    yield "  seen        " + ", ".join(f"{n} {kind}" for kind, n in found["seen"].items())
    yield (
        f"  kill to first committed message: p50 {recovery['p50']} s, p95 {recovery['p95']} s, max {recovery['max']} s"
        f" ({recovery['n']} kills; with the start of the process)"
    )
    yield (
        f"  missing {found['missing']}, doubled {found['doubled']}, unexpected {found['unexpected']}, "
        f"out of order {found['out_of_order']}"
    )
    yield from (f"    {one}" for one in found["examples"])


def carry_out(options, folder, kafka=None):
    """One run; its figures."""
    with ExitStack() as stack:
        if kafka is None and not options.bootstrap:
            kafka = stack.enter_context(EmbeddedKafka(data=folder / "kafka", properties=AUTHORIZER))
        run = Run(options, folder, kafka)
        return result(run, run.work())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in asdict(Options()).items():
        if not isinstance(default, bool):
            parser.add_argument(f"--{name}", type=type(default), default=default, help=f"default: {default!r}")
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--logs", type=Path, help="a folder to keep the processes' logs in")
    given = vars(parser.parse_args())
    file, logs = given.pop("json"), given.pop("logs")
    with ExitStack() as stack:
        folder = logs or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="swb-chaos-")))
        folder.mkdir(parents=True, exist_ok=True)
        found = carry_out(Options(**given), folder)
    sys.stdout.write("\n".join(tell(found)) + "\n")
    if file:
        file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.exit(1 if found["breaches"] else 0)


if __name__ == "__main__":
    main()
