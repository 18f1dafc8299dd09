"""What each list calls a state of the dictionary, and what each of its codes means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from broker.cli import _line
from broker.paths import data_root
from broker.registry.statuses import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from broker.registry.statuses import Statuses, StatusList


@click.command("statuses")
@_line.as_json
@click.option("--list", "list_id", default="", metavar="ID", help="One list only, code by code.")
def command(form: str, list_id: str) -> None:
    """Canonical states against the codes of every list, both ways, with the reason where a pair does not map."""
    statuses = load(data_root() / "mappings" / "statuses")
    if list_id and list_id not in statuses.lists:
        raise click.BadParameter(f"{list_id} is none of {', '.join(statuses.lists)}", param_hint="--list")
    if form == "json":
        for pair in pairs(statuses, list_id):
            _line.write_json(pair)
    elif list_id:
        _write_list(statuses.lists[list_id])
    else:
        _write_all(statuses)


def pairs(statuses: Statuses, list_id: str = "") -> list[dict[str, Any]]:
    """Every pair of the dictionary: from a code to a state (``in``), from a state to a code (``out``)."""
    found: list[dict[str, Any]] = []
    for one in statuses.lists.values():
        if list_id and one.id != list_id:
            continue
        found += [
            {"list": one.id, "way": "in", "code": code, "name": m.name, "state": m.state or None, "why": m.why}
            for code, m in one.codes.items()
        ]
        found += [
            {"list": one.id, "way": "out", "state": state, "code": w.code or None, "why": w.why}
            for state, w in one.states.items()
        ]
    return found


def _write_all(statuses: Statuses) -> None:
    """A line for each state, a numbered column for each list."""
    lists = list(statuses.lists.values())
    _write_rows((str(number), one.id, one.agency) for number, one in enumerate(lists, 1))
    click.echo()
    head = ("state", *(str(number) for number in range(1, len(lists) + 1)))
    _write_rows([head, *((state, *(one.states[state].code or "-" for one in lists)) for state in statuses.states)])
    click.echo("\n- : not mappable. Why, and what a code means: swb statuses --list ID")


def _write_list(one: StatusList) -> None:
    """A paragraph for each code and for each state, with the reason below it."""
    click.echo(click.wrap_text(f"{one.name}, {one.agency} {one.edition}", 80))
    click.echo("\nWhat a code means")
    for code, meaning in one.codes.items():
        _write_pair(f"{code} {meaning.name}".strip(), meaning.state, meaning.why)
    _write_pair("any other", "", one.rest)
    click.echo("\nWhat it calls a state")
    for state, wording in one.states.items():
        _write_pair(state, wording.code, wording.why)


def _write_pair(known: str, found: str, why: str) -> None:
    click.echo(f"  {known} -> {found or '-'}")
    if why:
        click.echo(click.wrap_text(why, 80, "      ", "      "))


def _write_rows(rows: Iterable[Sequence[str]]) -> None:
    """Rows in columns, as narrow as what is in them."""
    lines = list(rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())
