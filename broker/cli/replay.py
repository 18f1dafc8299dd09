"""Documents carried along the line once more, offline, and compared with what became of them before."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NoReturn
from xml.sax.saxutils import escape, quoteattr

import click

from broker.cli import _kafka, _line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from broker.model.ids import MessageId
    from broker.model.outcomes import Outcome
    from broker.workbench.replay import Item


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("sources", metavar="[SOURCE]...", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--topic", help="Read this topic instead; no group is joined and nothing is committed.")
@click.option("--partition", type=click.IntRange(0), help="Of the topic; default: all.")
@click.option("--from-offset", "first", type=click.IntRange(0), help="The first offset; default: the oldest.")
@click.option("--to-offset", "last", type=click.IntRange(0), help="The last offset; default: the newest.")
@_kafka.bootstrap
@click.option("--expect", type=click.Path(file_okay=False, path_type=Path), help="The folder of stored outcomes.")
@click.option("--update", is_flag=True, help="Store the outcomes there as what is expected.")
@click.option("--against", metavar="DIR|DIGEST|REV", help="Other data: a folder, a kept catalogue, or a git revision.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="The day on which windows judge; default: this one.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write a JUnit report.")
@_line.message_id
@_line.as_json
def command(  # noqa: PLR0917 - click gives them by name
    sources: Sequence[Path],
    topic: str | None,
    partition: int | None,
    first: int | None,
    last: int | None,
    bootstrap: str | None,
    expect: Path | None,
    update: bool,
    against: str | None,
    today: datetime | None,
    junit: Path | None,
    given_id: MessageId,
    form: str,
) -> None:
    """Carry every document of SOURCE (files, folders, NDJSON exports) or a topic along the line; nothing is produced.

    With --expect each outcome is held against the stored one and the difference is shown; --update accepts it. With
    --against each document is carried under other data too, and judged by every window that takes it: what changes is
    summed up by element of the payload, finding, route and verdict, as a plan of the change.
    Exit 0 when nothing differs, 1 when something does, 2 when it could not run.
    """
    is_window = any(v is not None for v in (partition, first, last))
    for is_wrong, sentence in (
        (bool(sources) == bool(topic), "Say what to replay: files and folders, or --topic."),
        (topic is None and is_window, "--partition, --from-offset and --to-offset go with --topic."),
        (update and expect is None, "--update goes with --expect."),
        (against and (expect or junit), "--against stands by itself, without --expect and --junit."),
        (today and not against, "--today goes with --against."),
    ):
        if is_wrong:
            raise click.UsageError(sentence)
    items, total = _offset_range(topic, partition, first, last, bootstrap) if topic else _files(sources, given_id)
    if against:
        _compare(items, total, against, today, form)
    run = _Run(expect, form, update=update)
    progress = _Progress(total)
    for item in items:
        for one in run.apart(item):
            run.carry(one, progress)
        progress.step()
    progress.clear()
    if not run.cases:
        raise click.UsageError("There is nothing to replay in it.")
    if junit:
        junit.write_text(_junit(run.cases), encoding="utf-8")
    run.summary()
    sys.exit(1 if run.counts["different"] else 0)


def _compare(items: Iterable[Item], total: int, against: str, today: datetime | None, form: str) -> NoReturn:
    """Tell what changes between the other data and these; leaves with 1 where anything does."""
    from broker import catalogue as catalogues  # noqa: PLC0415 - as below
    from broker import settings  # noqa: PLC0415
    from broker.archive import Archive  # noqa: PLC0415
    from broker.workbench import other_data, replay  # noqa: PLC0415
    from broker.workbench.comparison import Comparison, Side  # noqa: PLC0415

    given, root = settings.load(), catalogues.data_root()
    day = (today or datetime.now(UTC)).replace(hour=12, minute=0, second=0, microsecond=0, tzinfo=UTC)
    with TemporaryDirectory() as scratch:
        name, folder = other_data.found(against, root, Archive(given.claims), Path(scratch))
        other = catalogues.load(folder, max_content=given.max_content_bytes)
        ours = _line.load()
        sides = Side(name, folder, other), Side(catalogues.catalogue_digest(root)[:12], root, ours)
        comparison, progress = Comparison(*sides, today=day), _Progress(total)
        for item in items:
            for one in replay.apart(item, ours.envelopes):
                comparison.add(one)
            progress.step()
        progress.clear()
    if not comparison.documents:
        raise click.UsageError("There is nothing to replay in it.")
    if form == "json":
        _line.write_json(comparison.as_json())
    else:
        click.echo("\n".join(comparison.lines()))
    sys.exit(1 if comparison.changed else 0)


class _Run:
    """Carries items, compares and tells."""

    def __init__(self, expect: Path | None, form: str, *, update: bool) -> None:
        self.catalogue = _line.load()
        self.expect, self.form, self.update = expect, form, update
        self.counts = dict.fromkeys(("accepted", "refused", "different", "updated"), 0)
        self.cases: list[tuple[Item, float, str]] = []

    def apart(self, item: Item) -> list[Item]:
        """The item, or each document of an envelope that holds several."""
        from broker.workbench import replay  # noqa: PLC0415 - as below

        return replay.apart(item, self.catalogue.envelopes)

    def carry(self, item: Item, progress: _Progress) -> None:
        from broker.line import process  # noqa: PLC0415 - a quarter of a second that --help does without
        from broker.workbench import replay  # noqa: PLC0415 - a quarter of a second that --help does without

        began = time.perf_counter()
        outcome = process.process(item.message, self.catalogue)
        spent = time.perf_counter() - began
        told = replay.difference(item.name, outcome, self.expect) if self.expect else ""
        if self.update and self.expect:
            replay.accept(item.name, outcome, self.expect)
        if told:
            self.counts["updated" if self.update else "different"] += 1
        self.counts["accepted" if outcome.is_accepted else "refused"] += 1
        self.cases.append((item, spent, "" if self.update else told))
        progress.clear()
        self._tell(item, outcome, told)

    def _tell(self, item: Item, outcome: Outcome, told: str) -> None:
        if self.form == "json":
            source = _line.SourceFile(item.origin, item.message.content)
            extra = {"windows": list(outcome.windows), "difference": told or None}
            _line.write_json({**_line.told(source, outcome), **extra})
        elif self.expect is None:
            word = "accepted" if outcome.is_accepted else "refused"
            windows = f" -> {', '.join(outcome.windows) or 'no window'}" if outcome.is_accepted else ""
            kind = outcome.document_type or "unknown type"
            click.echo(f"{_line.verdict(word, good=outcome.is_accepted)} {item.origin} ({kind}){windows}")
            if not outcome.is_accepted:
                _line.write_findings(f.as_json() for f in outcome.findings if f.is_error)
        elif told:
            click.echo(
                f"{click.style('updated' if self.update else 'different', fg='yellow', bold=True)} {item.origin}"
            )
            click.echo("".join(f"  {_coloured(line)}\n" for line in told.splitlines()), nl=False)

    def summary(self) -> None:
        counts = {word: number for word, number in self.counts.items() if number or word == "accepted"}
        text = ", ".join(f"{number} {word}" for word, number in counts.items())
        click.echo(f"{len(self.cases)} replayed: {text}", err=self.form == "json")


def _files(sources: Sequence[Path], given: MessageId) -> tuple[Iterator[Item], int]:
    from broker.workbench import replay  # noqa: PLC0415 - a quarter of a second that --help does without

    total = sum(len(replay.documents(s)) if s.is_dir() else 1 for s in sources)
    return replay.items(sources, given), total


def _offset_range(
    topic: str, partition: int | None, first: int | None, last: int | None, bootstrap: str | None
) -> tuple[Iterable[Item], int]:
    from broker import settings  # noqa: PLC0415 - only where Kafka is asked for
    from broker.kafka.offset_range import OffsetRange  # noqa: PLC0415
    from broker.workbench import replay  # noqa: PLC0415 - only where Kafka is asked for

    offset_range = OffsetRange(settings.load(bootstrap=bootstrap), topic, partition=partition, first=first, last=last)
    return map(replay.recorded, offset_range), len(offset_range)


class _Progress:
    """A bar on standard error where that is a terminal; nothing elsewhere."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._shown = total, 0, 0.0
        self._is_on = sys.stderr.isatty()

    def step(self) -> None:
        """One more is done."""
        self._done += 1
        if self._is_on and time.monotonic() - self._shown > 0.1:
            self._shown = time.monotonic()
            filled = 30 * self._done // max(self._total, self._done)
            bar = f"{'█' * filled}{'░' * (30 - filled)} {self._done}/{self._total}"
            click.echo(f"\r{bar}\033[K", nl=False, err=True)

    def clear(self) -> None:
        """Makes way for other text."""
        if self._is_on:
            click.echo("\r\033[K", nl=False, err=True)


def _coloured(line: str) -> str:
    colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
    return click.style(line, fg=colour) if colour else line


def _junit(cases: Sequence[tuple[Item, float, str]]) -> str:
    """The run as JUnit tells it: one case a document, a failure where it differs."""
    failures = sum(1 for _, _, told in cases if told)
    spent = sum(seconds for _, seconds, _ in cases)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuite name="swb replay" tests="{len(cases)}" failures="{failures}" errors="0" time="{spent:.3f}">',
    ]
    for item, seconds, told in cases:
        head = f'  <testcase classname="replay" name={quoteattr(item.name)} time="{seconds:.4f}"'
        failure = f'<failure message="differs from what was expected">{escape(told)}</failure></testcase>'
        lines.append(f"{head}>{failure}" if told else f"{head}/>")
    return "\n".join([*lines, "</testsuite>", ""])
