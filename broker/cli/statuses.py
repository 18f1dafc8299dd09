"""What each list calls a state of the dictionary, and what each of its codes means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import orjson

from broker.folders import data_root
from broker.statuses import load

if TYPE_CHECKING:
    from broker.statuses import Statuses


@click.command("statuses")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", help="How to print it.")
@click.option("--list", "list_id", default="", metavar="ID", help="One list only, code by code.")
def command(output: str, list_id: str) -> None:
    """Canonical states against the codes of every list, both ways, with the reason where a pair does not map."""
    statuses = load(data_root() / "mappings" / "statuses")
    if list_id and list_id not in statuses.lists:
        raise click.BadParameter(f"{list_id} is none of {', '.join(statuses.lists)}", param_hint="--list")
    if output == "json":
        for pair in pairs(statuses, list_id):
            click.echo(orjson.dumps(pair))
        return
    _print(statuses, list_id)


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


def _print(statuses: Statuses, list_id: str) -> None:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - only for people
    from rich.console import Console  # noqa: PLC0415 - only for people
    from rich.table import Table  # noqa: PLC0415

    console = Console()
    if not list_id:
        table = Table(title="What each list calls a state (- : not mappable)", box=SIMPLE_HEAD, padding=0)
        table.add_column("state", no_wrap=True)
        for name in statuses.lists:
            table.add_column(name.replace("-", "\n"), overflow="fold")
        for state in statuses.states:
            table.add_row(state, *(one.states[state].code or "-" for one in statuses.lists.values()))
        console.print(table)
        console.print("swb statuses --list ID shows every code of a list, and the reasons.")
        return
    one = statuses.lists[list_id]
    inward = Table("code", "name", "state", "why", title=f"{one.name} ({one.agency} {one.edition}): what a code means")
    for code, meaning in one.codes.items():
        inward.add_row(code, meaning.name, meaning.state or "-", meaning.why)
    inward.add_row("any other", "", "-", one.rest)
    outward = Table("state", "code", "why", title="what it calls a state")
    for state, wording in one.states.items():
        outward.add_row(state, wording.code or "-", wording.why)
    console.print(inward)
    console.print(outward)
