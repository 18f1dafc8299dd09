"""Participants, mappings, and what people did."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web
from sqlalchemy import func, select

from broker.console import overview
from broker.console import tables as t
from broker.console.context import CONSOLE
from broker.console.gate import REPORT_POLICY, demand
from broker.console.pages import look
from broker.console.render import page
from broker.console.search import Search, find

if TYPE_CHECKING:
    from broker.console.context import Console
    from broker.console.project import Row


async def participants_page(request: web.Request) -> web.Response:
    demand(request, "read")
    console = request.app[CONSOLE]
    (group, trouble), values = await asyncio.gather(console.group(), asyncio.to_thread(look, console))
    return page(
        request, "participants.html", group=group, trouble=trouble, participants=console.participants,
        senders={row["sender"]: row for row in values["senders"]}, windows={r["window"]: r for r in values["windows"]},
    )  # fmt: skip


async def participant_page(request: web.Request) -> web.Response:
    demand(request, "read")
    console, code = request.app[CONSOLE], request.match_info["code"]
    participant = console.participants.get(code)
    if participant is None:
        raise web.HTTPNotFound(text=f"There is no participant {code}.")
    group, trouble = await console.group()
    values = await asyncio.to_thread(_of_participant, console, code, is_window=participant.kind == "window")
    return page(request, "participant.html", p=participant, code=code, group=group, trouble=trouble, **values)


def _of_participant(console: Console, code: str, *, is_window: bool) -> dict[str, Any]:
    store, now = console.store, overview.now_ms()
    if is_window:
        found, _ = find(store, Search(window=code), datetime.now(UTC))
        codes = overview.codes(store, now - 7 * 24 * overview.HOUR, t.findings.c.by == code)
        row = next((r for r in overview.windows(store, now) if r["window"] == code), None)
    else:
        found, _ = find(store, Search(sender=code), datetime.now(UTC))
        sender = t.documents.c.message_id == t.findings.c.message_id
        codes = overview.codes(
            store, now - 7 * 24 * overview.HOUR, t.findings.c.by == "", sender, t.documents.c.sender == code
        )
        row = next((r for r in overview.senders(store, now) if r["sender"] == code), None)
    return {"latest": found[:10], "codes": codes, "row": row}


async def mappings_page(request: web.Request) -> web.Response:
    demand(request, "read")
    console = request.app[CONSOLE]
    since = overview.now_ms() - 24 * overview.HOUR
    return page(
        request, "mappings.html", mappings=console.mappings, used=await asyncio.to_thread(_used, console, since)
    )


def _used(console: Console, since: int) -> dict[str, list[Row]]:
    """For each document type the versions that translated within a day, and how often."""
    d, number = t.documents, func.count().label("n")
    query = select(d.c.document_type, d.c.mapping, number, func.max(d.c.at).label("last"))
    query = query.where(d.c.at >= since, d.c.mapping != "").group_by(d.c.document_type, d.c.mapping)
    found: dict[str, list[Row]] = {}
    for row in console.store.rows(query):
        found.setdefault(row["document_type"], []).append(row)
    return found


def _mapping(request: web.Request) -> dict[str, Any]:
    name = f"{request.match_info['family']}/{request.match_info['format']}"
    found = next((m for m in request.app[CONSOLE].mappings if m["name"] == name), None)
    if found is None:
        raise web.HTTPNotFound(text=f"There is no document type {name}.")
    return found


async def mapping_page(request: web.Request) -> web.Response:
    demand(request, "read")
    console, mapping = request.app[CONSOLE], _mapping(request)
    coverage = await asyncio.to_thread(console.coverage, mapping["name"])
    since = overview.now_ms() - 7 * 24 * overview.HOUR
    mine = t.findings.c.mapping.startswith(mapping["name"] + "@")
    codes = await asyncio.to_thread(overview.codes, console.store, since, mine)
    return page(request, "mapping.html", m=mapping, coverage=coverage, codes=codes)


async def report_page(request: web.Request) -> web.Response:
    demand(request, "read")
    text = await asyncio.to_thread(request.app[CONSOLE].report, _mapping(request)["name"])
    headers = {"Content-Security-Policy": REPORT_POLICY}
    return web.Response(text=text, content_type="text/html", charset="utf-8", headers=headers)


async def actions_page(request: web.Request) -> web.Response:
    demand(request, "audit")
    events = await asyncio.to_thread(request.app[CONSOLE].store.events_named, "operator.")
    return page(request, "actions.html", events=events)
