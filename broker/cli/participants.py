"""Who is connected: agencies and windows, and their topics."""

from __future__ import annotations

import json

import click

from broker.cli import _line


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-o", "form", type=click.Choice(["text", "json"]), default="text", help="Text, or one JSON array.")
def command(form: str) -> None:
    """List the participants."""
    from broker import topics  # noqa: PLC0415 - a quarter of a second that --help does without

    found = [
        {
            "code": p.code,
            "name": p.name,
            "kind": p.kind,
            "economy": p.economy,
            "topics": {"outbox": topics.outbox(p.code), "inbox": topics.inbox(p.code)},
        }
        for p in sorted(_line.load().participants.values(), key=lambda p: p.code)
    ]
    if form == "json":
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    width = max((len(p["code"]) for p in found), default=0)
    for one in found:
        click.echo(f"{one['code']:{width}}  {one['kind']:6}  {one['economy'] or '-':3}  {one['name']}")
