"""Which rows no sample exercises, which mandatory elements no row fills, what of the source no row mentions."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from broker.cli import _line

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("formats", metavar="[FORMAT...]", nargs=-1)
@click.option(
    "--source",
    is_flag=True,
    help="Also drops without a sample, and elements of the source schema that no row or drop mentions.",
)
@_line.as_json
def command(formats: Sequence[str], source: bool, form: str) -> None:
    """Measure the mappings of each FORMAT (all without one) against the samples beside them.

    Exit 0 when every row has a sample and every mandatory element a row, 1 when not, 2 when it could not run.
    """
    from broker.workbench import evidence  # noqa: PLC0415 - --help does without

    catalogue = _line.load()
    complete = True
    for document_type in _line.document_types(formats, catalogue):
        found = evidence.coverage_of(document_type, catalogue)
        complete = complete and not found.unexercised and not found.unfilled
        unmentioned = evidence.open_in(document_type) if source else ()
        if form == "json":
            _line.write_json(
                {
                    "document_type": document_type.name,
                    "rows": found.rows,
                    "rows_without_sample": found.unexercised,
                    "drops": found.drops,
                    "drops_without_sample": found.undropped,
                    "mandatory_without_row": found.unfilled,
                    "source_unmentioned": unmentioned if source else None,
                }
            )
            continue
        done = found.rows - len(found.unexercised)
        dropped = found.drops - len(found.undropped)
        good = not found.unexercised and not found.unfilled
        click.echo(
            f"{_line.verdict(document_type.name, good=good)}: {done} of {found.rows} rows and {dropped} of "
            f"{found.drops} drops have a sample"
        )
        for title, names in (
            ("row without sample", found.unexercised),
            ("mandatory, no row", found.unfilled),
            ("drop without sample", found.undropped if source else ()),
            ("not mentioned", unmentioned),
        ):
            for name in names:
                click.echo(f"  {title}: {name}")
    sys.exit(0 if complete else 1)
