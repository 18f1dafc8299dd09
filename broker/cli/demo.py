"""The whole product in a minute: real Kafka, a worker, the windows, and documents of three families on their way."""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Self

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from rich.console import Console
    from rich.progress import Progress

    from broker.cli._scene import Sent
    from broker.cli._stage import Stage
    from broker.registry.statuses import State
    from broker.settings import Settings

_PARTITIONS = 4
_START_SECONDS = 30
_PATIENCE_SECONDS = 90
_COLOURS = {"accepted": "green", "rejected": "red", "cancelled": "red", "not_routed": "yellow"}
_MEANINGS = {
    "accepted": "accepted",
    "partly": "accepted by some windows and rejected by others",
    "rejected": "rejected",
    "not_routed": "taken by no window",
    "refused": "refused by the broker",
    "": "still waited for",
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--bootstrap", envvar="SWB_BOOTSTRAP", metavar="HOST:PORT", help="This Kafka instead of our own.")
def command(bootstrap: str | None) -> None:
    """Start Kafka, a worker and the mock windows, publish documents as several agencies, and show what comes back.

    Exit 0 when every document met the end it should, 1 when not, 2 when it could not run.
    """
    from rich.console import Console  # noqa: PLC0415 - time that --help does without

    from broker import settings  # noqa: PLC0415
    from broker.cli._scene import read_scene  # noqa: PLC0415
    from broker.cli._stage import Stage  # noqa: PLC0415
    from broker.paths import data_root  # noqa: PLC0415
    from broker.registry.statuses import load  # noqa: PLC0415

    mappings = data_root() / "mappings"
    states = load(mappings / "statuses").states
    sent = read_scene(mappings, f"{time.time_ns():x}")
    began = time.monotonic()
    tails = ""
    with Stage() as stage, _Narrator(len(sent)) as narrator:
        if bootstrap is None:
            narrator.say("Starting Apache Kafka")
            bootstrap = stage.kafka()
        narrator.say(f"Starting a worker and the windows on Kafka at {bootstrap}")
        chosen = settings.load(bootstrap=bootstrap, partitions=_PARTITIONS)
        _start(stage, chosen)
        if not _play(sent, states, chosen, stage, narrator):
            tails = stage.tails()
        narrator.say("Stopping everything")
    out = Console(width=None if sys.stdout.isatty() else 150, highlight=False)
    _show(out, sent, states)
    out.print(f"\n{_summary(sent, states)} {time.monotonic() - began:.0f} s in all.")
    if tails:
        out.print(f"Not every answer came within {_PATIENCE_SECONDS} s. The logs end:\n{tails}", markup=False)
    sys.exit(0 if all(one.outcome(states) == one.expect for one in sent) else 1)


class _Narrator:
    """Progress: a line that moves on a terminal, else one line for each step; on standard error."""

    def __init__(self, total: int) -> None:
        from rich.console import Console  # noqa: PLC0415 - as above
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn  # noqa: PLC0415
        from rich.progress import TimeElapsedColumn as Time  # noqa: PLC0415

        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), Time())
        self._console = Console(stderr=True, highlight=False)
        self._bar: Progress = Progress(*columns, console=self._console, transient=True)
        self._task = self._bar.add_task("", total=total)
        self._total = total
        self._done = -1

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def say(self, what: str) -> None:
        self._bar.update(self._task, description=what)
        if not self._console.is_terminal:
            self._console.print(what)

    def count(self, done: int) -> None:
        """How many of the documents have met their end."""
        self._bar.update(self._task, completed=done)
        if not self._console.is_terminal and done != self._done:
            self._console.print(f"{done} of {self._total} documents decided")
        self._done = done


def _start(stage: Stage, chosen: Settings) -> None:
    """Worker and windows start while the topics are made: both wait for them."""
    from broker.cli import _kafka  # noqa: PLC0415 - as above
    from broker.kafka.admin import topics as admin  # noqa: PLC0415

    stage.run("windows", ["windows"], chosen.bootstrap)
    stage.run("worker", ["worker"], chosen.bootstrap)
    admin.create(chosen, _kafka.participants())
    stage.wait("worker", "lane.opened", _START_SECONDS)


def _play(
    sent: Sequence[Sent], states: Mapping[str, State], chosen: Settings, stage: Stage, narrator: _Narrator
) -> bool:
    """Publish all, then hear until every document has met its end; False when patience ran out."""
    from broker.cli._scene import Ears  # noqa: PLC0415 - as above
    from broker.kafka.reading import watch, write  # noqa: PLC0415

    senders = len({one.sender for one in sent})
    narrator.say(f"Publishing {len(sent)} documents as {senders} agencies")
    for one in sent:
        one.at = time.time_ns() // 1_000_000
    write(chosen, [one.record for one in sent])
    narrator.say("Waiting for receipts and answers")
    ears = Ears(sent)
    until = time.monotonic() + _PATIENCE_SECONDS
    for record in watch(chosen, ears.topics, min(one.at for one in sent)):
        if record is not None:
            ears.hear(record)
        else:
            stage.check()
        done = sum(one.is_done(states) for one in sent)
        narrator.count(done)
        if done == len(sent) or time.monotonic() > until:
            break
    return all(one.is_done(states) for one in sent)


def _show(out: Console, sent: Sequence[Sent], states: Mapping[str, State]) -> None:
    """The table, and below it what was found in the wrong ones."""
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("#", "Document", "Type", "Sender", "Window", "Receipt", "Answer", "Time"):
        table.add_column(name, justify="right" if name in {"#", "Receipt", "Time"} else "left", overflow="fold")
    for number, one in enumerate(sent, 1):
        said = [one.ended] if one.ended else list(one.windows.values())
        colours = [_COLOURS.get(states[state].verdict or state, "") if state in states else "" for state in said]
        answers = [(state.replace("_", " ") or "waiting", colour) for state, colour in zip(said, colours, strict=True)]
        table.add_row(
            str(number),
            one.name,
            one.type or "unknown",
            one.sender,
            "\n".join(one.windows) or "-",
            "-" if one.receipt is None else _seconds(one.receipt),
            Text("\n").join(Text(*answer) for answer in answers),
            _seconds(one.time),
        )
    out.print(table)
    for number, one in enumerate(sent, 1):
        for window, finding in one.findings:
            _show_finding(out, f"{number:3} {window or 'the broker'}", finding)


def _show_finding(out: Console, by: str, finding: Mapping[str, object]) -> None:
    from rich.text import Text  # noqa: PLC0415 - as above

    code = " ".join(dict.fromkeys(str(finding[key]) for key in ("code", "rule") if finding.get(key)))
    line = f" (line {finding['line']})" if finding.get("line") else ""
    value = f"  found: {finding['value']}" if finding.get("value") else ""
    out.print(Text.assemble((by, "bold"), "  ", (code, "red"), f"  {_in_english(finding)}"))
    if finding.get("pointer"):
        out.print(Text(f"      {finding['pointer']}{line}{value}", style="dim"))


def _in_english(finding: Mapping[str, object]) -> str:
    messages = finding.get("messages")
    english = messages.get("en") if isinstance(messages, dict) else None
    return str(english or finding.get("message") or "")


def _summary(sent: Sequence[Sent], states: Mapping[str, State]) -> str:
    """One line that adds up: the documents by their ends, the deliveries by their verdicts."""
    ends = Counter(one.outcome(states) for one in sent)
    verdicts = Counter(verdict or "waiting" for one in sent for verdict in one.verdicts(states))
    by_end = " + ".join(f"{ends[end]} {meaning}" for end, meaning in _MEANINGS.items() if ends[end])
    by_verdict = " + ".join(f"{number} {verdict}" for verdict, number in sorted(verdicts.items()))
    told = f"{len(sent)} documents = {by_end}; {verdicts.total()} deliveries = {by_verdict}."
    odd = [one.name for one in sent if one.outcome(states) != one.expect]
    return f"{told} All as expected." if not odd else f"{told} Not as expected: {', '.join(odd)}."


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.1f} s"
