"""Publish documents to a participant's outbox."""

from __future__ import annotations

import json

import click

from broker.cli import _kafka, _line


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@_line.files
@click.option("--as", "participant", required=True, callback=_kafka.known, help="Whose outbox.")
@click.option(
    "--key", help="The record's key: documents of one key stay in order. Without: the message id, by one hop."
)
@click.option("--id", "ce_id", help="The document's id (ce_id), for one file. Without: the SHA-256 of its content.")
@click.option("--type", "ce_type", default="swb.document", show_default=True, help="The record's ce_type.")
@_kafka.bootstrap
@_kafka.as_json
def command(  # noqa: PLR0917 - the options of a command
    files: tuple[str, ...],
    participant: str,
    key: str | None,
    ce_id: str | None,
    ce_type: str,
    bootstrap: str | None,
    form: str,
) -> None:
    """Publish FILE... as a participant, and say under which message ids they can be tracked."""
    from broker.kafka.reading import write  # noqa: PLC0415
    from broker.relay import headers, ids, topics  # noqa: PLC0415 - time that --help does without
    from broker.relay.records import Produced  # noqa: PLC0415 - time that --help does without

    if ce_id is not None and len(files) > 1:
        raise click.UsageError("--id names one document; give one file with it")
    sources = list(_line.read(files))
    names = [ce_id or ids.content_id(source.content) for source in sources]
    records = [
        Produced(
            topics.outbox(participant),
            None if key is None else key.encode(),
            source.content,
            headers.encoded(
                {
                    headers.CE_VERSION: "1.0",
                    headers.CE_ID: name,
                    headers.CE_SOURCE: participant,
                    headers.CE_TYPE: ce_type,
                }
            ),
        )
        for source, name in zip(sources, names, strict=True)
    ]
    places = write(_kafka.settings(bootstrap), records)
    for source, name, place in zip(sources, names, places, strict=True):
        message = ids.message_id(participant, name)
        if form == "json":
            told = {"file": source.name, "message_id": message, "ce_id": name, "topic": place.topic}
            click.echo(json.dumps({**told, "partition": place.partition, "offset": place.offset}))
        else:
            click.echo(f"{message}  {source.name}")
