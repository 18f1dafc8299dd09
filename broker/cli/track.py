"""Tell what became of a message: received, delivered, decided."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from broker.cli import _kafka


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("message_id")
@_kafka.bootstrap
@_kafka.as_json
def command(message_id: str, bootstrap: str | None, form: str) -> None:
    """Tell what became of MESSAGE_ID; exit 1 when nothing is known of it."""
    from broker.kafka.reading import partition_of, read  # noqa: PLC0415
    from broker.relay import topics  # noqa: PLC0415 - time that --help does without
    from broker.relay.tracking_view import story  # noqa: PLC0415

    settings, key = _kafka.settings(bootstrap), message_id.encode()
    partition = partition_of(settings, topics.TRACKING, key)
    events = [json.loads(r.content) for r in read(settings, topics.TRACKING, [partition]) if r.key == key]
    told = story(message_id, events)
    if form == "json":
        click.echo(json.dumps(told, ensure_ascii=False))
    elif events:
        _write(told)
    else:
        click.echo(f"Nothing is known of {message_id}.", err=True)
    sys.exit(0 if events else 1)


def _write(told: dict[str, Any]) -> None:
    click.echo(f"{told['message_id']}  {told['document_type'] or 'unknown type'}  from {told['sender']}")
    if told["received"]:
        click.echo(f"  received   {told['received']['at']}")
    for refusal in told["refused"]:
        click.echo(f"  {refusal['event']:9}  {refusal['at']}  {_codes(refusal)}")
    if told["ended"] in ("not_routed", "deadletter"):
        click.echo(f"  {told['ended']}")
    for one in told["deliveries"]:
        click.echo(f"  {one['window']} ({one['rule'] or 'no rule'})")
        for name in ("waiting", "delivered", "failed"):
            if one[name]:
                click.echo(f"    {name:9}  {one[name]['at']}  {one[name].get('reason', '')}".rstrip())
        decided = one["decided"]
        if decided:
            click.echo(f"    decided    {decided['at']}  {decided['state']}  {_codes(decided)}".rstrip())
        elif one["state"]:
            click.echo(f"    heard      {one['state']}, no verdict yet")


def _codes(fact: dict[str, Any]) -> str:
    return ", ".join(f"{f['code']} {f.get('pointer', '')}".strip() for f in fact.get("findings", []))
