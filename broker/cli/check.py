"""All data held against itself: schemas, rows, code lists, participants, samples."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--root", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A folder with mappings and xsd."
)
@click.option("-o", "form", type=click.Choice(["text", "json"]), default="text", help="Text, or one JSON object.")
def command(root: Path | None, form: str) -> None:
    """Compile every schema and mapping, follow every path of every row, resolve code lists and carry every sample.

    Exit 0 when all is well, 1 when something is wrong, 2 when it could not run.
    """
    from broker.workbench.check import check  # noqa: PLC0415 - a second that --help does without

    if root is not None and not all((root / name).is_dir() for name in ("mappings", "xsd")):
        raise click.BadParameter(f"{root} holds no mappings and xsd", param_hint="--root")
    is_watched = sys.stderr.isatty()

    def tell(what: str) -> None:
        if is_watched:
            click.echo(f"\r{what}\033[K", nl=False, err=True)

    report = check(root, tell)
    tell("\r")
    if form == "json":
        faults = [{"where": f.where, "message": f.sentence} for f in report.faults]
        click.echo(json.dumps({"counts": report.counts, "faults": faults}, ensure_ascii=False, indent=2))
    else:
        for fault in report.faults:
            click.echo(f"{click.style(fault.where, fg='red')}: {fault.sentence}")
        counts = ", ".join(f"{number} {what}" for what, number in report.counts.items())
        click.echo(f"{counts}: {f'{len(report.faults)} faults' if report.faults else 'all well'}")
    sys.exit(1 if report.faults else 0)
