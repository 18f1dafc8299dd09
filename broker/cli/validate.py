"""Documents against their schema and rules."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from broker.cli import _line
from broker.model.ids import NO_MESSAGE_ID
from broker.model.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from broker.model.outcomes import Catalogue


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@_line.files
@_line.as_json
def command(files: Sequence[str], form: str) -> None:
    """Recognise each FILE (- is standard input) and hold it against its schema and business rules.

    Exit 0 when all are valid, 1 when some are refused, 2 when it could not run.
    """
    catalogue = _line.load()
    counts = {"valid": 0, "refused": 0}
    for source in _line.documents(files, catalogue):
        outcome, good = _judge(source, catalogue)
        word = "valid" if good else "refused"
        counts[word] += 1
        if form == "json":
            _line.write_json({**_line.told(source, outcome), "outcome": word})
            continue
        click.echo(f"{_line.verdict(word, good=good)} {source.name} ({outcome.document_type or 'unknown type'})")
        _line.write_findings(_line.findings(outcome))
    if form == "text":
        _line.write_summary(counts)
    sys.exit(1 if counts["refused"] else 0)


def _judge(source: _line.SourceFile, catalogue: Catalogue) -> tuple[Outcome, bool]:
    """The first two steps of the line alone."""
    from broker.content.detect import detect  # noqa: PLC0415 - a quarter of a second that --help does without
    from broker.model.errors import Refused  # noqa: PLC0415
    from broker.validate import validate  # noqa: PLC0415

    message, document = _line.as_message(source, NO_MESSAGE_ID), None
    if source.refusal is not None:
        return Outcome(message, None, source.refusal.findings), False
    try:
        document = detect(message.content, catalogue, message.skipped)
        return Outcome(message, document.type.name, validate(document, message.received)), True
    except Refused as refusal:
        return Outcome(message, document.type.name if document else None, refusal.findings), False
