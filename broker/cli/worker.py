"""Carry documents and answers: one worker of the relay, until it is asked to stop."""

from __future__ import annotations

import sys

import click

from broker.cli import _kafka


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@_kafka.bootstrap
@click.option("--instance", help="Name of this worker as a static member: a restart then moves no partition.")
def command(bootstrap: str | None, instance: str | None) -> None:
    """Run a worker.

    Exit codes: 0 asked to stop, 1 a fault of ours, 2 could not start, 3 fenced by another worker, 4 Kafka is broken in
    a way that a supervisor must handle, 5 records wait and none moves.
    """
    _kafka.leave_when_asked()
    from broker import log, settings  # noqa: PLC0415 - time that --help does without
    from broker.worker import health  # noqa: PLC0415 - time that --help does without

    given = settings.load(bootstrap=bootstrap, instance=instance)
    log.configure(given.log_format, given.log_level)
    if given.health_port:
        health.check_port(given.health_host, given.health_port)
    from broker.app import run_worker  # noqa: PLC0415 - after logging is set up

    sys.exit(run_worker(given))
