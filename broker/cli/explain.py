"""Where every value of a payload came from, and what of the document it does not carry."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from broker.cli import _line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from broker.mapping import Explanation
    from broker.model.ids import MessageId

_COLOURS = {"carried": "green", "folded": "cyan", "decided": "blue", "dropped": "bright_black", "unmapped": "yellow"}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@_line.files
@_line.message_id
@click.option("-o", "form", type=click.Choice(["text", "json", "openlineage"]), default="text", help="How it is told.")
def command(files: Sequence[str], given_id: MessageId, form: str) -> None:
    """Tell for each FILE (- is standard input) the lineage of its payload and the loss report of the document.

    Exit 0 when each was accepted, 1 when some were refused (their findings are told), 2 when it could not run.
    """
    from broker.line.process import explain  # noqa: PLC0415
    from broker.mapping.lineage.openlineage import openlineage  # noqa: PLC0415
    from broker.model.errors import Refused  # noqa: PLC0415 - --help does without the line

    catalogue = _line.load()
    refused = False
    for source in _line.documents(files, catalogue):
        try:
            found = explain(_line.as_message(source, given_id), catalogue)
        except Refused as refusal:
            refused = True
            _line.refused(source, refusal, form)
            continue
        match form:
            case "json":
                _line.write_json({"file": source.name, **as_json(found)})
            case "openlineage":
                now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
                _line.write_json(openlineage(found, source.name, now))
            case _:
                _write(source.name, found)
    sys.exit(1 if refused else 0)


def as_json(found: Explanation) -> dict[str, Any]:
    """Lineage, loss and counts as JSON tells them."""
    return {
        "document_type": found.document.type.name,
        "mapping": found.mapping,
        "has_lineage": found.document.type.mapping.has_lineage,
        "lineage": [
            {
                "target": origin.target,
                "wco_id": origin.wco_id,
                "value": origin.value,
                "row": origin.row,
                "sources": [{"path": s.path, "line": s.line, "value": s.value} for s in origin.sources],
                "deciders": [{"path": s.path, "line": s.line, "value": s.value} for s in origin.deciders],
                "codes": origin.codes,
                "transform": origin.transform,
                "why": origin.why,
            }
            for origin in found.lineage
        ],
        "loss": [
            {
                "path": loss.path,
                "line": loss.line,
                "value": loss.value,
                "state": loss.state,
                "row": loss.row,
                "why": loss.why,
            }
            for loss in found.loss
        ],
        "counts": found.counts,
    }


def _write(name: str, found: Explanation) -> None:
    click.echo(f"{click.style(name, bold=True)}  {found.document.type.name}")
    if not found.document.type.mapping.has_lineage:
        click.echo(
            "  This mapping is an XSLT stylesheet: it cannot say where its values come from, nor what it leaves out."
        )
        return
    for origin in found.lineage:
        target = origin.target.removeprefix("/MetaData/")
        click.echo(f"  {click.style(target, bold=True)} {origin.wco_id}  {click.style(origin.value, fg='green')}")
        how = ", ".join(part for part in (origin.transform, origin.codes) if part)
        for source in origin.sources:
            value = " ".join((source.value or "").split())
            click.echo(f"      <- {source.path} (line {source.line}): {value}{f'  [{how}]' if how else ''}")
        if not origin.sources and origin.why:
            click.echo(f"      <- {origin.why}")
        for source in origin.deciders:
            click.echo(f"      decided by {source.path} (line {source.line})")
        if not origin.behind and not origin.why:
            click.echo(f"      <- {origin.row}")
    counts = found.counts
    click.echo(f"  {counts['leaves']} values: " + ", ".join(f"{counts[s]} {s}" for s in _COLOURS))
    for loss in found.loss:
        if loss.state in {"dropped", "unmapped"}:
            state = click.style(loss.state, fg=_COLOURS[loss.state])
            click.echo(f"    {state} {loss.path} (line {loss.line}): {loss.value}  {loss.why}")
