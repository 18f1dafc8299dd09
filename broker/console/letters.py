"""Dead letters: in groups, and what may be done about them, shown before it is done."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aiohttp import web

from broker.console import actions, overview
from broker.console import tables as t
from broker.console.context import CONSOLE
from broker.console.gate import demand, reason
from broker.console.render import page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.console.project import Row
    from broker.console.store import Store

_MOST_LETTERS = 500


async def letters_page(request: web.Request) -> web.Response:
    demand(request, "read")
    return await _letters(request, plan=None)


async def _letters(request: web.Request, plan: dict[str, Any] | None) -> web.Response:
    console, query = request.app[CONSOLE], request.query
    state = query.get("state", "open") if query.get("state") in ("open", "redriven", "closed") else "open"
    chosen = {"reason": query.get("reason", ""), "destination": query.get("destination", "")}
    groups = await asyncio.to_thread(overview.letters, console.store, state)
    found = await asyncio.to_thread(_found_letters, console.store, state, chosen)
    return page(
        request, "dead_letters.html", state=state, chosen=chosen, groups=groups, letters=found, plan=plan,
        name_of=actions.name_of, done=query.get("done", ""),
    )  # fmt: skip


def _found_letters(store: Store, state: str, chosen: Mapping[str, str]) -> list[Row]:
    x = t.deadletters
    conditions = [x.c.state == state]
    conditions += [x.c[name] == value for name, value in chosen.items() if value]
    return store.rows(x.select().where(*conditions).order_by(x.c.at.desc()).limit(_MOST_LETTERS))


async def letters_action(request: web.Request) -> web.Response:
    """A plan first, then, confirmed and with a reason, the deed."""
    person = demand(request, "act")
    console, form = request.app[CONSOLE], await request.post()
    names = [str(value) for value in form.getall("letter", [])][:_MOST_LETTERS]
    action = str(form.get("action", ""))
    letters = await asyncio.to_thread(_named_letters, console.store, names)
    if not letters or action not in ("redrive", "close"):
        raise web.HTTPBadRequest(text="Choose at least one open dead letter, and what to do with it.")
    if form.get("confirmed") != "yes":
        return await _letters(request, plan={"action": action, "letters": letters})
    why = await reason(request)
    if action == "redrive":
        sent, gone = await asyncio.to_thread(actions.redrive, console.settings, person, why, letters)
        said = f"{sent} sent back on their way" + (f"; gone from the topic: {', '.join(gone)}" if gone else "")
    else:
        said = f"{await asyncio.to_thread(actions.close, console.settings, person, why, letters)} closed"
    return web.Response(status=303, headers={"Location": f"/dead-letters?done={quote(said)}"})


def _named_letters(store: Store, names: list[str]) -> list[Row]:
    x, found = t.deadletters, []
    for name in names:
        partition, _, position = name.partition("/")
        if partition.isdigit() and position.isdigit():
            here = (x.c.partition == int(partition), x.c.position == int(position), x.c.state == "open")
            found += store.rows(x.select().where(*here))
    return found
