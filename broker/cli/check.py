"""All data held against itself: schemas, rows, code lists, participants, samples."""

from __future__ import annotations

import json
import sys

import click


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--lock", is_flag=True, help="Note in mappings/versions.lock what each new version stands for.")
@click.option("--raise", "raised", is_flag=True, help="With --lock: give mappings that changed their next version.")
@click.option("-o", "form", type=click.Choice(["text", "json"]), default="text", help="Text, or one JSON object.")
def command(lock: bool, raised: bool, form: str) -> None:
    """Compile every schema and mapping, follow every path of every row, resolve code lists and carry every sample.

    A mapping whose data changed under an unchanged version is a fault too: versions.lock holds what each version means.
    Exit 0 when all is well, 1 when something is wrong, 2 when it could not run.
    """
    from broker.workbench.check import check  # noqa: PLC0415 - a second that --help does without

    if raised and not lock:
        raise click.UsageError("--raise goes with --lock.")
    if lock:
        _lock(raised=raised)
    is_watched = sys.stderr.isatty()

    def tell(what: str) -> None:
        if is_watched:
            click.echo(f"\r{what}\033[K", nl=False, err=True)

    report = check(tell=tell)
    tell("\r")
    if form == "json":
        faults = [fault.as_json() for fault in report.faults]
        click.echo(json.dumps({"counts": report.counts, "faults": faults}, ensure_ascii=False, indent=2))
    else:
        for fault in report.faults:
            click.echo(f"{click.style(fault.place, fg='red')}: {fault.told}")
        counts = ", ".join(f"{number} {what}" for what, number in report.counts.items())
        click.echo(f"{counts}: {f'{len(report.faults)} faults' if report.faults else 'all well'}")
    sys.exit(1 if report.faults else 0)


def _lock(*, raised: bool) -> None:
    """Write the lock, the next version given first to what changed under an old one where that is asked for."""
    from broker import catalogue as catalogues  # noqa: PLC0415 - as above
    from broker.workbench import versions  # noqa: PLC0415

    root = catalogues.data_root()
    stale = versions.lock(root / "mappings", catalogues.load(root))
    while stale and raised:
        for file in versions.raise_versions(root / "mappings", stale):
            click.echo(f"{file.relative_to(root)}: has the next version", err=True)
        stale = versions.lock(root / "mappings", catalogues.load(root))
