"""Show operations where each document is, and why: search, document pages, dead letters, live tail."""

from __future__ import annotations

import click

from broker.cli import _kafka


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@_kafka.bootstrap
@click.option("--port", type=click.IntRange(0, 65535), help="Where its pages are served.  [env: SWB_CONSOLE_PORT]")
@click.option("--rebuild", is_flag=True, help="Forget the read model and build it again from Kafka.")
def command(bootstrap: str | None, port: int | None, *, rebuild: bool) -> None:
    """Serve the console until it is asked to stop; its address, with a way in, goes to standard output."""
    from broker import log, settings  # noqa: PLC0415 - time that --help does without

    given = settings.load(bootstrap=bootstrap, console_port=port)
    log.configure(given.log_format, given.log_level)
    from broker.app import run_console  # noqa: PLC0415 - after logging is set up

    run_console(given, rebuild=rebuild, tell=click.echo)
