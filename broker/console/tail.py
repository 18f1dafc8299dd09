"""The live tail as a page and as a stream of events."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web

from broker.console.context import CONSOLE
from broker.console.gate import HEADERS, demand
from broker.console.render import page

_HEARTBEAT_SECONDS = 15.0


async def tail_page(request: web.Request) -> web.Response:
    demand(request, "read")
    return page(request, "tail.html")


async def tail_events(request: web.Request) -> web.StreamResponse:
    """Server-sent events: each tracking event as it is read; what was left out is said."""
    demand(request, "read")
    tail = request.app[CONSOLE].tail
    last = request.headers.get("Last-Event-ID", "")
    headers = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no", **HEADERS}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    watcher = tail.watch(int(last) if last.isdigit() else 0)
    try:
        while not tail.is_over:
            while watcher.waiting:
                number, event = watcher.waiting.popleft()
                await response.write(f"id: {number}\ndata: {json.dumps(_line(event))}\n\n".encode())
            if watcher.left_out:
                left, watcher.left_out = watcher.left_out, 0
                await response.write(f"event: left-out\ndata: {left}\n\n".encode())
            watcher.woken.clear()
            if not watcher.waiting:
                try:
                    await asyncio.wait_for(watcher.woken.wait(), _HEARTBEAT_SECONDS)
                except TimeoutError:
                    await response.write(b": still here\n\n")
        await response.write(b"event: end\ndata: 0\n\n")
    except (ConnectionResetError, asyncio.CancelledError):
        pass
    finally:
        tail.leave(watcher)
    return response


def _line(event: dict[str, Any]) -> dict[str, Any]:
    """An event as the tail shows it: codes, no identifiers of persons."""
    codes = sorted({str(f.get("code", "")) for f in event.get("findings") or ()})
    names = ("at", "event", "message_id", "sender", "document_type", "window", "state", "reason", "by")
    return {**{name: event[name] for name in names if name in event}, "codes": codes[:5]}
