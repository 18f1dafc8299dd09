"""The gate before the pages: by which name one asks, who one is, whether the form is ours; the same careful headers."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from broker import log
from broker.console.access import COOKIE
from broker.console.context import CONSOLE, PERSON
from broker.console.render import page
from broker.model.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from broker.console.access import Person, Right

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

logger = log.get(__name__)

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-src 'self'; frame-ancestors 'self'; base-uri 'none'"
)
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; sandbox"
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_OPEN = ("/sign-in", "/assets/", "/healthz", "/metrics")
"""What is served to who has not signed in: numbers, and the way in."""


@web.middleware
async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Known by name, signed in, with a form of ours; every answer with the same careful headers."""
    try:
        response = await _admitted(request, handler)
    except web.HTTPException as answer:
        if isinstance(answer, web.HTTPRedirection):
            response = web.Response(status=answer.status, headers={"Location": answer.headers["Location"]})
        else:
            response = page(request, "error.html", status=answer.status, title=answer.reason, sentence=answer.text)
    except (Failed, SQLAlchemyError) as error:
        sentence = str(error).partition("\n")[0]
        response = page(request, "error.html", status=503, title="Not now", sentence=sentence)
    except Exception:
        logger.exception("console.failed", path=request.path)
        sentence = "This page failed, and the fault is ours. The log says where."
        response = page(request, "error.html", status=500, title="A fault of ours", sentence=sentence)
    if not response.prepared:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
    return response


async def _admitted(request: web.Request, handler: Handler) -> web.StreamResponse:
    access = request.app[CONSOLE].access
    is_open = request.path.startswith(_OPEN)
    if not access.is_known_host(request.host) and request.path not in ("/metrics", "/healthz"):
        raise web.HTTPMisdirectedRequest(text=f"This console is not known as {request.host}: SWB_CONSOLE_NAMES.")
    person = access.by_proxy(request.headers, request.remote or "") or access.by_cookie(request.cookies.get(COOKIE, ""))
    if person is None and not is_open:
        if request.method != "GET" or request.path == "/tail/events":
            raise web.HTTPForbidden(text="Sign in first.")
        raise web.HTTPSeeOther(f"/sign-in?next={quote(request.path_qs, safe='')}")
    request[PERSON] = person
    if request.method == "POST":
        await _check_form(request, person)
    return await handler(request)


async def _check_form(request: web.Request, person: Person | None) -> None:
    """Only a form of ours, sent from a page of ours."""
    origin = request.headers.get("Origin")
    if origin not in (None, "null") and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text="This form came from another place.")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise web.HTTPForbidden(text="This form came from another place.")
    if person is None or request.path == "/sign-in":
        return
    form = await request.post()
    if not request.app[CONSOLE].access.is_form_of(person, str(form.get("form", ""))):
        raise web.HTTPForbidden(
            text="This form is not ours, or too old. Go back, load the page again, and send it anew."
        )


def demand(request: web.Request, right: Right) -> Person:
    """Who asks, if they may; HTTPForbidden."""
    person = request[PERSON]
    if person is None or not person.may(right):
        raise web.HTTPForbidden(text="Your role does not allow this.")
    return person


async def reason(request: web.Request) -> str:
    why = " ".join(str((await request.post()).get("why", "")).split())[:200]
    if not why:
        raise web.HTTPBadRequest(text="Say why: it is kept with what you do.")
    return why
