"""Show what a participant received."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from broker.cli import _kafka, _line

if TYPE_CHECKING:
    from broker.relay.records import Consumed


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("participant", callback=_kafka.known)
@click.option("--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@_kafka.since
@_kafka.bootstrap
@_kafka.as_json
def command(participant: str, since: int | None, bootstrap: str | None, form: str, *, follow: bool) -> None:
    """Show the records in the inbox of PARTICIPANT: payloads, receipts, answers, refusals and notices."""
    from broker.kafka.reading import read  # noqa: PLC0415
    from broker.relay import topics  # noqa: PLC0415 - time that --help does without

    records = read(_kafka.settings(bootstrap), topics.inbox(participant), since=since, follow=follow)
    if not follow:
        records = iter(sorted(records, key=lambda r: (r.timestamp, r.partition, r.offset)))
    for record in records:
        one = told(record, participant)
        if form == "json":
            click.echo(json.dumps(one, ensure_ascii=False))
        else:
            write(one)


def told(record: Consumed, reader: str) -> dict[str, Any]:
    """A record of an inbox as JSON tells it."""
    from broker.relay import headers  # noqa: PLC0415 - as above
    from broker.relay.records import moment  # noqa: PLC0415 - as above

    kind = record.header(headers.CE_TYPE).removeprefix("swb.")
    findings = record.header(headers.FINDINGS)
    return {
        "kind": kind,
        "message_id": record.header(headers.MESSAGE_ID),
        "conversation_id": record.header(headers.CONVERSATION_ID),
        "window": record.header(headers.WINDOW) or (reader if kind == "payload" else None),
        "state": record.header(headers.STATE_HEADER) or None,
        "findings": json.loads(findings) if findings else [],
        "document_type": record.header(headers.DOCUMENT_TYPE) or None,
        "mapping": record.header(headers.MAPPING) or None,
        "id": record.header(headers.CE_ID),
        "at": record.header(headers.CE_TIME) or moment(record.timestamp),
        "key": None if record.key is None else record.key.decode("utf-8", "replace"),
        "partition": record.partition,
        "offset": record.offset,
        "content_type": record.header(headers.CONTENT_TYPE),
        "content": record.content.decode("utf-8", "replace"),
    }


def write(one: dict[str, Any]) -> None:
    """One line for people, and one for each finding."""
    parts = [one["at"], f"{one['kind']:8}", one["message_id"], one["state"], one["document_type"], one["window"]]
    click.echo("  ".join(part for part in parts if part))
    _line.write_findings(one["findings"])
