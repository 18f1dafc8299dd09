"""Make the topics of the installation, or check them."""

from __future__ import annotations

import json
import sys

import click

from broker.cli import _kafka


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Make the topics of all participants and of the relay, or check them."""


@command.command()
@_kafka.bootstrap
@click.option("--partitions", type=click.IntRange(1), help="Of every topic, fixed once per cluster.  [default: 12]")
@_kafka.as_json
def create(bootstrap: str | None, partitions: int | None, form: str) -> None:
    """Make every topic that is missing; what is there stays as it is."""
    from broker import settings  # noqa: PLC0415 - time that --help does without
    from broker.kafka import admin  # noqa: PLC0415

    made = admin.create(settings.load(bootstrap=bootstrap, partitions=partitions), _kafka.participants())
    if form == "json":
        click.echo(json.dumps({"created": made}))
    else:
        click.echo("\n".join(made) + f"\n{len(made)} topics made" if made else "All topics are there.")


@command.command()
@_kafka.bootstrap
@_kafka.as_json
def check(bootstrap: str | None, form: str) -> None:
    """Say what is wrong with the topics; exit 1 when anything is."""
    from broker.kafka import admin  # noqa: PLC0415 - time that --help does without

    faults = admin.check(_kafka.settings(bootstrap), _kafka.participants())
    if form == "json":
        click.echo(json.dumps([{"topic": f.topic, "kind": f.kind, "message": f.sentence} for f in faults]))
    else:
        click.echo("\n".join(f"{f.topic} {f.sentence}" for f in faults) or "All topics are as they have to be.")
    sys.exit(1 if faults else 0)
