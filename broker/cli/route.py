"""Which windows accept a document, by which rule, and why the others do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from broker.cli import _line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from broker.model.ids import MessageId
    from broker.model.outcomes import Outcome


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@_line.files
@_line.message_id
@_line.as_json
def command(files: Sequence[str], given_id: MessageId, form: str) -> None:
    """Carry each FILE (- is standard input) along the line and ask every window whether it takes it.

    Exit 0 when each was accepted and some window takes it, 1 when not, 2 when it could not run.
    """

    def tell(source: _line.SourceFile, outcome: Outcome) -> bool:
        good = bool(outcome.windows)
        word = "refused" if not outcome.is_accepted else "routed" if good else "not_routed"
        if form == "json":
            routings = [
                {"participant": r.participant, "accepted": r.is_accepted, "rule": r.rule, "reason": r.reason}
                for r in outcome.routings
            ]
            _line.write_json({**_line.told(source, outcome), "windows": list(outcome.windows), "routings": routings})
            return good
        click.echo(f"{_line.verdict(word, good=good)} {source.name} ({outcome.document_type or 'unknown type'})")
        for routing in outcome.routings:
            mark = click.style("yes", fg="green") if routing.is_accepted else click.style("no ", dim=True)
            click.echo(f"  {mark} {routing.participant}: {routing.reason}")
        _line.write_findings(_line.findings(outcome))
        return good

    _line.each(files, given_id, tell, ("routed", "not routed"), err=form == "json")
