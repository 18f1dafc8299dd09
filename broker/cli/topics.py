"""Make the topics of the installation, or check them."""

from __future__ import annotations

import json
import sys

import click

from broker.cli import _kafka

_acl = click.option("--acl", is_flag=True, help="The rights (ACLs) of participants and relay too.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Make the topics of all participants and of the relay, or check them."""


@command.command()
@_kafka.bootstrap
@click.option("--partitions", type=click.IntRange(1), help="Of every topic, fixed once per cluster.  [default: 12]")
@_acl
@_kafka.as_json
def create(bootstrap: str | None, partitions: int | None, form: str, *, acl: bool) -> None:
    """Make every topic that is missing; what is there stays as it is.

    With --acl also the rights of every participant and of the relay, when they hold. Who they are to Kafka: the setting
    principals (SWB_PRINCIPALS).
    """
    from broker import settings  # noqa: PLC0415 - time that --help does without
    from broker.kafka.admin import acls  # noqa: PLC0415 - as above
    from broker.kafka.admin import topics as admin  # noqa: PLC0415

    given, participants = settings.load(bootstrap=bootstrap, partitions=partitions), _kafka.participants()
    made = admin.create(given, participants)
    granted = acls.create(given, participants) if acl else []
    if form == "json":
        click.echo(json.dumps({"created": made, **({"granted": granted} if acl else {})}))
        return
    click.echo("\n".join(made) + f"\n{len(made)} topics made" if made else "All topics are there.")
    if acl:
        click.echo("\n".join(granted) + f"\n{len(granted)} rights given" if granted else "All rights are there.")


@command.command()
@_kafka.bootstrap
@_kafka.as_json
def upgrade(bootstrap: str | None, form: str) -> None:
    """Move what workers of release 0.1.0 left in swb.answers to swb.facts. All workers must have stopped.

    Make the topics first (swb topics create). A worker that still runs is fenced; doing it again does no harm.
    """
    from broker.kafka.admin.upgrade import move_facts  # noqa: PLC0415 - time that --help does without

    moved = move_facts(_kafka.settings(bootstrap))
    click.echo(json.dumps({"moved": moved}) if form == "json" else f"{moved} facts moved")


@command.command()
@_kafka.bootstrap
@_acl
@_kafka.as_json
def check(bootstrap: str | None, form: str, *, acl: bool) -> None:
    """Say what is wrong with the topics, with --acl also which rights are missing; exit 1 when anything is."""
    from broker.kafka.admin import acls  # noqa: PLC0415 - as above
    from broker.kafka.admin import topics as admin  # noqa: PLC0415 - time that --help does without

    given, participants = _kafka.settings(bootstrap), _kafka.participants()
    faults = admin.check(given, participants)
    lacking = acls.missing(given, participants) if acl else []
    if form == "json":
        told = [{"topic": f.topic, "kind": f.kind, "message": f.sentence} for f in faults]
        click.echo(json.dumps(told + [{"topic": "", "kind": "right", "message": right} for right in lacking]))
    else:
        lines = [f"{f.topic} {f.sentence}" for f in faults] + [f"missing: {right}" for right in lacking]
        click.echo("\n".join(lines) or "All topics are as they have to be.")
    sys.exit(1 if faults or lacking else 0)
