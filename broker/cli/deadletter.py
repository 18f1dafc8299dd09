"""List dead letters, look at one, and send them back on their way."""

from __future__ import annotations

import getpass
import json
import sys
from typing import TYPE_CHECKING

import click

from broker.cli import _kafka

if TYPE_CHECKING:
    from broker.relay.dead_letters import DeadLetter

reason = click.option("--reason", help="Only those whose reason contains this.")
participant = click.option("--participant", help="Only those to or from this participant.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """What could not be delivered or judged: list it, look at it, send it back on its way."""


@command.command("list")
@reason
@participant
@_kafka.since
@_kafka.bootstrap
@_kafka.as_json
def list_(reason: str | None, participant: str | None, since: int | None, bootstrap: str | None, form: str) -> None:
    """List dead letters, the oldest first."""
    letters = _letters(bootstrap, since, reason, participant)
    for letter in letters:
        told = letter.as_json()
        if form == "json":
            click.echo(json.dumps(told, ensure_ascii=False))
        else:
            click.echo(f"{told['id']:>8}  {told['at']}  {told['reason']}  {told['destination']}  {told['bytes']} bytes")
    if form == "text":
        click.echo(_counted(len(letters)))


@command.command()
@click.argument("name", metavar="ID")
@_kafka.bootstrap
@_kafka.as_json
def show(name: str, bootstrap: str | None, form: str) -> None:
    """Show dead letter ID (partition/offset) with its headers and content."""
    from broker.kafka.lanes.claim_check import Claims  # noqa: PLC0415 - time that --help does without
    from broker.model.errors import Failed  # noqa: PLC0415 - as above

    (letter,) = _named(_letters(bootstrap), (name,))
    try:
        record = Claims(_kafka.settings(bootstrap)).read(letter.record)
    except Failed as error:  # what is here is shown all the same
        click.echo(str(error), err=True)
        record = letter.record
    headers = [[key, (value or b"").decode("utf-8", "replace")] for key, value in record.headers]
    content = record.content.decode("utf-8", "replace")
    if form == "json":
        click.echo(json.dumps({**letter.as_json(), "headers": headers, "content": content}, ensure_ascii=False))
        return
    for key, value in headers:
        click.echo(f"{key}: {value}")
    click.echo(f"\n{content}")


@command.command()
@click.argument("names", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every dead letter.")
@reason
@participant
@_kafka.since
@click.option("--yes", is_flag=True, help="Do it. Without this the plan is shown and nothing is written.")
@_kafka.bootstrap
@_kafka.as_json
def redrive(  # noqa: PLR0917 - the options of a command
    names: tuple[str, ...],
    reason: str | None,
    participant: str | None,
    since: int | None,
    bootstrap: str | None,
    form: str,
    *,
    everything: bool,
    yes: bool,
) -> None:
    """Send dead letters back on their way, with their ids, keys and headers; a second time has no effect."""
    from broker.kafka.reading import write  # noqa: PLC0415 - time that --help does without

    if not (names or reason or participant or since or everything):
        raise click.UsageError("say which: IDs, --reason, --participant, --since or --all")
    letters = _letters(bootstrap, since, reason, participant)
    chosen = _named(letters, names) if names else letters
    records = [letter.redriven(getpass.getuser()) for letter in chosen]
    if yes:
        write(_kafka.settings(bootstrap), records)
    for letter in chosen:
        if form == "json":
            click.echo(json.dumps({"id": letter.name, "to": letter.returns_to, "written": yes}))
        else:
            click.echo(f"{letter.name:>8}  {'sent' if yes else 'would go'} to {letter.returns_to}")
    if form == "text":
        click.echo(f"{_counted(len(chosen))} {'sent back' if yes else 'would be sent back; --yes does it'}")
    sys.exit(0)


def _counted(number: int) -> str:
    return f"{number} dead letter{'' if number == 1 else 's'}"


def _letters(
    bootstrap: str | None, since: int | None = None, reason: str | None = None, participant: str | None = None
) -> list[DeadLetter]:
    from broker.kafka.reading import read  # noqa: PLC0415
    from broker.relay import topics  # noqa: PLC0415 - as above
    from broker.relay.dead_letters import DeadLetter  # noqa: PLC0415

    records = sorted(read(_kafka.settings(bootstrap), topics.DEADLETTER, since=since), key=lambda r: r.timestamp)
    found = [DeadLetter(record) for record in records]
    return [
        letter
        for letter in found
        if (reason is None or reason in letter.as_json()["reason"])
        and (participant is None or f".{participant}." in f"{letter.destination}. {letter.as_json()['origin']}")
    ]


def _named(letters: list[DeadLetter], names: tuple[str, ...]) -> list[DeadLetter]:
    by_name = {letter.name: letter for letter in letters}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise click.UsageError(f"no such dead letter: {', '.join(unknown)}")
    return [by_name[name] for name in names]
