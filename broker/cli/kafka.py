"""The Apache Kafka that comes with the package: start, stop, status, fetch."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from broker import paths
from broker.cli import _kafka
from broker.embedded import jars

if TYPE_CHECKING:
    import psutil

_data = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder that holds its data; default: one in the user's cache.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Run Apache Kafka on this machine, for every other command."""
    jars.java()  # told at once where the extra is missing that all of this needs


@command.command()
@_data
@click.option("--port", type=click.IntRange(1, 65535), default=9092, show_default=True)
@click.option("--detach", is_flag=True, help="Come back when it answers; stop it with: swb kafka stop")
def start(data: Path | None, port: int, detach: bool) -> None:
    """Start it, and stay until Ctrl-C."""
    from broker.embedded.node import EmbeddedKafka  # noqa: PLC0415 - other verbs of this group do without

    folder = _folder(data)
    running = _running(folder)
    if running is not None:
        raise click.ClickException(f"It runs already: {running[1]}, process {running[0].pid}, data in {folder}.")
    if not jars.is_fetched():
        click.echo("Fetching Apache Kafka (once, 43 MB)", err=True)
    _kafka.leave_when_asked()
    kafka = EmbeddedKafka(data=folder, port=port, detached=detach).start()
    try:
        said = {"pid": kafka.nodes[0].pid, "bootstrap": kafka.bootstrap}
        (folder / "running.json").write_text(json.dumps(said), encoding="utf-8")
        click.echo(f"Apache Kafka {jars.KAFKA} answers at {kafka.bootstrap}, data in {folder}")
        if detach:
            return
        process = kafka.nodes[0].process
        if process is not None:
            process.wait()
        raise click.ClickException(f"Kafka ended by itself. Its log ends:\n{kafka.nodes[0].tail()}")
    except SystemExit:
        click.echo("Stopping", err=True)
    finally:
        if not detach:
            kafka.stop()
            (folder / "running.json").unlink(missing_ok=True)


@command.command()
@_data
def stop(data: Path | None) -> None:
    """Stop what runs on that data."""
    import psutil  # noqa: PLC0415 - comes with the extra

    folder = _folder(data)
    running = _running(folder)
    if running is None:
        raise click.ClickException(f"Nothing runs on {folder}.")
    process, bootstrap = running
    process.terminate()
    try:
        process.wait(20)
    except psutil.TimeoutExpired:
        process.kill()
    (folder / "running.json").unlink(missing_ok=True)
    click.echo(f"Stopped {bootstrap}")


@command.command()
@_data
@click.option("-o", "form", type=click.Choice(["text", "json"]), default="text")
def status(data: Path | None, form: str) -> None:
    """Address and process of what runs on that data; exit 1 when nothing does."""
    folder = _folder(data)
    running = _running(folder)
    if form == "json":
        pid, bootstrap = (running[0].pid, running[1]) if running else (None, None)
        click.echo(json.dumps({"running": bool(running), "pid": pid, "bootstrap": bootstrap, "data": str(folder)}))
    elif running:
        click.echo(f"Apache Kafka {jars.KAFKA} answers at {running[1]}, process {running[0].pid}, data in {folder}")
    else:
        click.echo(f"Nothing runs on {folder}.")
    sys.exit(0 if running else 1)


@command.command()
def fetch() -> None:
    """Fetch its jars, each checked against its pinned SHA-256; does nothing when they are here."""
    if not jars.is_fetched():
        click.echo(f"Fetching Apache Kafka {jars.KAFKA} (once, 43 MB)", err=True)
    found = jars.jars()
    click.echo(f"Apache Kafka {jars.KAFKA}: {len(found)} jars as pinned in {found[0].parent}")


def _folder(data: Path | None) -> Path:
    return (data or paths.cache() / "kafka-data").absolute()


def _running(folder: Path) -> tuple[psutil.Process, str] | None:
    """The broker that runs on this data, and its address; a left-over note of one that died counts as none."""
    import psutil  # noqa: PLC0415 - comes with the extra

    try:
        said = json.loads((folder / "running.json").read_text(encoding="utf-8"))
        process = psutil.Process(said["pid"])
        is_ours = any(argument.startswith(str(folder)) for argument in process.cmdline())
    except (FileNotFoundError, ValueError, KeyError, psutil.Error):
        return None
    return (process, said["bootstrap"]) if is_ours and process.status() != psutil.STATUS_ZOMBIE else None
