"""The implementation report of a mapping, for an official to sign."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from broker.cli import _line

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("formats", metavar="FORMAT...", nargs=-1)
@click.option("--html", "as_html", is_flag=True, help="A page of its own instead of Markdown.")
@click.option("--language", type=click.Choice(["en", "es"]), default="en", help="Of the page's headings and rules.")
@click.option("--code", is_flag=True, help="The Python function that the mapping becomes, instead of the report.")
@click.option("--write", is_flag=True, help="Store each report as report.md beside its mapping.")
@click.option(
    "--check", "checked", is_flag=True, help="Compare with the stored reports; exit 1 where one is out of date."
)
def command(  # noqa: PLR0917 - click gives them by name
    formats: Sequence[str], as_html: bool, language: str, code: bool, write: bool, checked: bool
) -> None:
    """Write the report of each FORMAT (invoice/ubl-2.1; all with --write and --check) to standard output.

    Element, WCO id, format, obligation, source path, condition, code list with its editions, transform, an example
    from a sample, notes; what is left out and why; the rules; with a digest of exactly what is described.
    """
    from broker.mapping.lineage.report import markdown  # noqa: PLC0415
    from broker.mapping.lineage.report_page import page  # noqa: PLC0415
    from broker.mapping.mapping import rows_of  # noqa: PLC0415
    from broker.workbench import evidence  # noqa: PLC0415 - --help does without

    if not formats and not (write or checked):
        raise click.UsageError("Name a format, such as invoice/ubl-2.1; `swb check` lists them.")
    catalogue = _line.load()
    stale = []
    for document_type in _line.document_types(formats, catalogue):
        if code:
            click.echo(rows_of(document_type).fast.source)
            continue
        found = evidence.report_of(document_type, catalogue)
        file = Path(document_type.folder) / evidence.REPORT
        if write:
            file.write_text(markdown(found), encoding="utf-8")
        elif checked:
            if not file.exists() or file.read_text(encoding="utf-8") != markdown(found):
                stale.append(document_type.name)
        else:
            click.echo(page(found, language) if as_html else markdown(found), nl=False)
    for name in stale:
        click.echo(f"{name}: report.md is out of date; run `swb report --write {name}`", err=True)
    sys.exit(1 if stale else 0)
