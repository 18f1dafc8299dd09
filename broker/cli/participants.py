"""Who is connected: agencies and windows, and their topics."""

from __future__ import annotations

import json

import click

from broker.cli import _line


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-o", "form", type=click.Choice(["text", "json"]), default="text", help="Text, or one JSON array.")
def command(form: str) -> None:
    """List the participants."""
    from broker.relay import topics  # noqa: PLC0415 - a quarter of a second that --help does without

    known = sorted(_line.load().participants.values(), key=lambda p: p.code)
    found = [
        {
            "code": p.code,
            "name": p.name,
            "kind": p.kind,
            "economy": p.economy,
            "identifiers": [{"scheme": i.scheme, "value": i.value} for i in p.identifiers],
            "topics": {"outbox": topics.outbox(p.code), "inbox": topics.inbox(p.code)},
        }
        for p in known
    ]
    if form == "json":
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    width = max((len(p.code) for p in known), default=0)
    for p in known:
        numbers = "".join(f", {i.scheme} {i.value}" for i in p.identifiers)
        click.echo(f"{p.code:{width}}  {p.kind:6}  {p.economy or '-':3}  {p.name}{numbers}")
