"""The addresses of the console, the way in, and what machines ask."""

from __future__ import annotations

import asyncio
from importlib.resources import files
from typing import TYPE_CHECKING

from aiohttp import web

from broker import metrics
from broker.console import letters, overview, pages, people, tail
from broker.console.access import COOKIE, SESSION_SECONDS
from broker.console.context import CONSOLE
from broker.console.gate import gate
from broker.console.render import page

if TYPE_CHECKING:
    from broker.console.context import Console

_ASSETS = {"console.css": "text/css", "console.js": "text/javascript", "icon.svg": "image/svg+xml"}


def site(console: Console) -> web.Application:
    """The application."""
    app = web.Application(middlewares=[gate], client_max_size=64 * 1024)
    app[CONSOLE] = console
    get, post = app.router.add_get, app.router.add_post
    get("/", pages.now_page)
    get("/search", pages.search_page)
    get("/documents/{message_id}", pages.document_page)
    post("/documents/{message_id}/reveal", pages.reveal)
    get("/participants", people.participants_page)
    get("/participants/{code}", people.participant_page)
    get("/dead-letters", letters.letters_page)
    post("/dead-letters", letters.letters_action)
    get("/mappings", people.mappings_page)
    get("/mappings/{family}/{format}", people.mapping_page)
    get("/mappings/{family}/{format}/report", people.report_page)
    get("/tail", tail.tail_page)
    get("/tail/events", tail.tail_events)
    get("/actions", people.actions_page)
    get("/sign-in", sign_in_page)
    post("/sign-in", sign_in)
    post("/sign-out", sign_out)
    get("/healthz", health)
    get("/metrics", numbers)
    get("/assets/{name}", asset)
    app.on_shutdown.append(_end_tail)
    return app


async def _end_tail(app: web.Application) -> None:
    app[CONSOLE].tail.end()


async def asset(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in _ASSETS:
        raise web.HTTPNotFound(text="There is no such file.")
    body = files("broker.console").joinpath("assets", name).read_bytes()
    return web.Response(body=body, content_type=_ASSETS[name], headers={"Cache-Control": "max-age=300"})


# --- signing in -------------------------------------------------------------------------------------------------------


def _next(request: web.Request) -> str:
    """Where to go on: a path of ours and nothing else."""
    given = request.query.get("next", "/")
    return given if given.startswith("/") and not given.startswith(("//", "/\\")) else "/"


async def sign_in_page(request: web.Request) -> web.Response:
    token = request.query.get("token", "")
    if token:
        return _let_in(request, token)
    return page(request, "sign_in.html", next=_next(request), is_wrong=False)


async def sign_in(request: web.Request) -> web.Response:
    form = await request.post()
    return _let_in(request, str(form.get("token", "")).strip())


def _let_in(request: web.Request, token: str) -> web.Response:
    access = request.app[CONSOLE].access
    person = access.signed_in(token)
    if person is None:
        return page(request, "sign_in.html", status=403, next=_next(request), is_wrong=True)
    answer = web.Response(status=303, headers={"Location": _next(request)})
    answer.set_cookie(
        COOKIE, access.cookie(person), max_age=SESSION_SECONDS, httponly=True, samesite="Strict",
        secure=request.headers.get("X-Forwarded-Proto") == "https", path="/",
    )  # fmt: skip
    return answer


async def sign_out(_request: web.Request) -> web.Response:
    answer = web.Response(status=303, headers={"Location": "/sign-in"})
    answer.del_cookie(COOKIE, path="/")
    return answer


# --- for machines -----------------------------------------------------------------------------------------------------


async def health(request: web.Request) -> web.Response:
    feed = request.app[CONSOLE].feed
    return web.json_response({"current": feed.is_current, "read": feed.read, "trouble": feed.trouble})


async def numbers(request: web.Request) -> web.Response:
    console = request.app[CONSOLE]
    await asyncio.to_thread(overview.measure, console.store, console.feed, console.meter)
    body = metrics.exposition(console.meter, metrics.CONSOLE)
    return web.Response(body=body, content_type="text/plain", charset="utf-8")
