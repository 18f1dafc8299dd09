"""What the windows would decide about a document, asked beforehand; nothing is sent."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from broker.cli import _line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from broker.model.ids import MessageId, ParticipantCode
    from broker.model.outcomes import Catalogue
    from broker.workbench.preview import Verdict


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@_line.files
@click.option("--window", "codes", multiple=True, metavar="CODE", help="Ask this window, whether it takes it or not.")
@_line.message_id
@_line.as_json
def command(files: Sequence[str], codes: Sequence[str], given_id: MessageId, form: str) -> None:
    """Carry each FILE (- is standard input) along the line and ask the windows that take it for their decision.

    Exit 0 when every window asked accepts, 1 when not, 2 when it could not run.
    """
    from datetime import UTC, datetime  # noqa: PLC0415 - as in _line: --help does without

    from broker.answers import way_back  # noqa: PLC0415 - as above
    from broker.paths import data_root  # noqa: PLC0415 - as above
    from broker.windows import decide  # noqa: PLC0415 - as above
    from broker.workbench import preview  # noqa: PLC0415 - as above

    catalogue = _line.load()
    only = _known(codes, catalogue)
    home = way_back.load(data_root(), catalogue)
    windows = decide.windows(catalogue)
    counts: dict[str, int] = {}
    for source in _line.documents(files, catalogue):
        message = _line.as_message(source, given_id)
        for verdict in preview.ask(message, home, windows, datetime.now(UTC), only):
            counts[verdict.verdict] = counts.get(verdict.verdict, 0) + 1
            _tell(source.name, verdict, form)
    if form != "json":
        _line.write_summary(counts)
    sys.exit(0 if set(counts) == {"accepted"} else 1)


def _known(codes: Sequence[str], catalogue: Catalogue) -> tuple[ParticipantCode, ...]:
    """The codes as given; BadParameter for what is no window."""
    windows = {w.code for w in catalogue.windows()}
    for code in codes:
        if code not in windows:
            raise click.BadParameter(f"no window {code}; there are {', '.join(sorted(windows))}", param_hint="--window")
    return tuple(w for w in sorted(windows) if w in codes)


def _tell(name: str, verdict: Verdict, form: str) -> None:
    findings = [finding.as_json() for finding in verdict.findings]
    if form == "json":
        _line.write_json({"file": name, "window": verdict.window, "verdict": verdict.verdict, "findings": findings})
        return
    word = _line.verdict(verdict.verdict, good=verdict.verdict == "accepted")
    click.echo(f"{word} {name}{f'  {verdict.window}' if verdict.window else ''}")
    _line.write_findings(findings)
