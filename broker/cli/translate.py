"""Documents to WCO payloads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from broker.cli import _line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from broker.model.ids import MessageId
    from broker.model.outcomes import Outcome

_ENDING = ".payload.xml"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@_line.files
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="A folder for one payload per file.")
@_line.message_id
@_line.as_json
def command(files: Sequence[str], out: Path | None, given_id: MessageId, form: str) -> None:
    """Carry each FILE (- is standard input) along the line and write its WCO payload.

    One file: the payload on standard output. Several: give --out or -o json. What was found goes to standard error.
    Exit 0 when all were accepted, 1 when some were refused, 2 when it could not run.
    """
    if len(files) > 1 and out is None and form == "text":
        raise click.UsageError("Several files: say --out FOLDER for one payload per file, or -o json.")
    targets = _targets(files, out) if out else {}

    def tell(source: _line.SourceFile, outcome: Outcome) -> bool:
        text = _line.payload(outcome)
        if source.number and out is None and form == "text":
            raise click.UsageError("An envelope of several documents: say --out FOLDER, or -o json.")
        target = targets.get(source.name) or _of_part(targets, source)
        if text is not None and target is not None:
            target.write_text(text, encoding="utf-8", newline="")
        if form == "json":
            _line.write_json({**_line.told(source, outcome), "payload": text})
            return outcome.is_accepted
        if text is not None and out is None:
            click.echo(text, nl=not text.endswith("\n"))
        word = _line.verdict("accepted" if outcome.is_accepted else "refused", good=outcome.is_accepted)
        to = f" -> {target}" if text is not None and target is not None else ""
        if out is not None or outcome.findings:
            click.echo(f"{word} {source.name} ({outcome.document_type or 'unknown type'}){to}", err=True)
        _line.write_findings(_line.findings(outcome), err=True)
        return outcome.is_accepted

    _line.each(files, given_id, tell, ("accepted", "refused"), err=True)


def _of_part(targets: Mapping[str, Path], source: _line.SourceFile) -> Path | None:
    """The file of one document of an envelope: the envelope's own with the number of the document."""
    whole = targets.get(source.name.removesuffix(f"#{source.number}"))
    return whole and whole.with_name(f"{whole.name.removesuffix(_ENDING)}#{source.number}{_ENDING}")


def _targets(files: Sequence[str], out: Path) -> dict[str, Path]:
    """File to the payload's file; UsageError when two would write the same one."""
    out.mkdir(parents=True, exist_ok=True)
    targets: dict[str, Path] = {}
    for name in files:
        target = out / f"{'stdin' if name == '-' else Path(name).stem}{_ENDING}"
        if target in targets.values() and name not in targets:
            raise click.UsageError(f"Two of the files would both be written to {target}.")
        targets[name] = target
    return targets
