"""Now, search, and the page of a document."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from broker.console import actions, overview
from broker.console import tables as t
from broker.console.context import CONSOLE
from broker.console.gate import demand, reason
from broker.console.render import page
from broker.console.search import Search, choices, find

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.console.context import Console
    from broker.kafka.admin.group_state import GroupState


async def now_page(request: web.Request) -> web.Response:
    demand(request, "read")
    console = request.app[CONSOLE]
    (group, trouble), values = await asyncio.gather(console.group(), asyncio.to_thread(look, console))
    return page(
        request, "now.html", group=group, trouble=trouble, stands=_stands(console, group, trouble, values), **values
    )


def look(console: Console) -> dict[str, Any]:
    store, now = console.store, overview.now_ms()
    return {
        "totals": overview.totals(store, now),
        "chart": overview.chart(store, now),
        "senders": overview.senders(store, now),
        "windows": overview.windows(store, now),
        "codes": overview.codes(store, now - 24 * overview.HOUR, t.findings.c.by == "", limit=8),
    }


def _stands(
    console: Console, group: GroupState | None, trouble: str, values: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """What does not go as it should: a sentence and where to look."""
    found = []
    if trouble:
        found.append((trouble, ""))
    if console.feed.trouble:
        found.append((f"The read model is not fed: {console.feed.trouble}", ""))
    if group is not None:
        if group.missing:
            names = ", ".join(group.missing[:3])
            found.append((f"{len(group.missing)} topics are missing: {names}. swb topics create makes them.", ""))
        if group.lanes_held < group.lanes:
            found.append((f"{group.lanes_held} of {group.lanes} lanes are held by {group.workers} workers.", ""))
        late = sorted(code for code, number in group.retrying.items() if number)
        if late:
            found.append((f"Deliveries wait for {', '.join(late)}.", f"/participants/{late[0]}"))
    if letters := values["totals"]["letters"]:
        is_one = letters == 1
        found.append((f"{letters} dead {'letter is' if is_one else 'letters are'} open.", "/dead-letters"))
    return found


async def search_page(request: web.Request) -> web.Response:
    demand(request, "read")
    console, search = request.app[CONSOLE], Search.of(request.query)
    now = datetime.now(UTC)
    began = time.perf_counter()
    found, following = await asyncio.to_thread(find, console.store, search, now)
    if search.q and len(found) == 1 and not following:
        raise web.HTTPSeeOther(f"/documents/{found[0]['message_id']}")
    return page(
        request, "search.html", search=search, found=found, following=following, choices=choices(),
        milliseconds=round((time.perf_counter() - began) * 1000),
        senders=sorted(console.participants), types=[m["name"] for m in console.mappings],
        window_codes=sorted(code for code, p in console.participants.items() if p.kind == "window"),
    )  # fmt: skip


async def document_page(request: web.Request) -> web.Response:
    person = demand(request, "read")
    console, message_id = request.app[CONSOLE], request.match_info["message_id"]
    is_revealed = person.may("reveal") and console.access.is_revealed(person, message_id)
    found = await asyncio.to_thread(console.facts.page, message_id, reveal=is_revealed)
    if found is None:
        raise web.HTTPNotFound(text=f"Nothing is known of {message_id}.")
    return page(request, "document.html", d=found, is_revealed=is_revealed)


async def reveal(request: web.Request) -> web.Response:
    person = demand(request, "reveal")
    console, message_id = request.app[CONSOLE], request.match_info["message_id"]
    if await asyncio.to_thread(console.store.document, message_id) is None:
        raise web.HTTPNotFound(text=f"Nothing is known of {message_id}.")
    why = await reason(request)
    await asyncio.to_thread(actions.reveal, console.settings, person, why, message_id)
    console.access.reveal(person, message_id)
    return web.Response(status=303, headers={"Location": f"/documents/{message_id}#content"})
