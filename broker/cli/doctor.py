"""Try what the delivery guarantee relies on against the Kafka at hand, and say what is missing."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from broker.cli import _kafka

if TYPE_CHECKING:
    from broker.kafka.admin.doctor import CheckResult

_MARKS = {"ok": "ok", "warning": "warning", "missing": "MISSING", "not tried": "not tried"}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@_kafka.bootstrap
@_kafka.as_json
def command(bootstrap: str | None, form: str) -> None:
    """Examine a Kafka, about half a minute; exit 1 when something is missing that the relay cannot do without.

    It makes topics, groups and transactional ids that begin with swb.doctor. and deletes the topics again.
    """
    from broker import log  # noqa: PLC0415 - time that --help does without
    from broker.kafka.admin.doctor import examine  # noqa: PLC0415 - as above

    given = _kafka.settings(bootstrap)
    log.configure(given.log_format, "error")
    results = []
    for result in examine(given, _kafka.participants()):
        results.append(result)
        if form == "text":
            click.echo(_line(result))
    missing = [r.check for r in results if r.state in ("missing", "not tried")]
    if form == "json":
        click.echo(
            json.dumps({"bootstrap": given.bootstrap, "checks": [asdict(r) for r in results], "missing": missing})
        )
    elif missing:
        click.echo(f"\nThis Kafka will not do: {', '.join(missing)}.")
    else:
        doubts = sum(r.state == "warning" for r in results)
        click.echo(f"\nThis Kafka will do{f', with {doubts} warnings' if doubts else ''}.")
    sys.exit(1 if missing else 0)


def _line(result: CheckResult) -> str:
    return f"{_MARKS[result.state]:<10} {result.title} ({result.seconds:.1f} s)\n{'':<10}   {result.detail}"
