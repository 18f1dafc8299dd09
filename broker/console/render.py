"""Pages as text: one set of templates, one set of words."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from broker.console import overview
from broker.console.context import CONSOLE, PERSON


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("broker.console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters.update(time=_time, ago=_ago, clock=_clock, words=_words, short=lambda text: str(text)[:12])
    return made


def _time(at: int | str | None) -> str:
    """A time as people read it, in UTC."""
    if at is None or at == "":
        return "\u2013"
    moment = datetime.fromtimestamp(at / 1000, UTC) if isinstance(at, int) else datetime.fromisoformat(at)
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _clock(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%H:%M")


def _ago(at: int | None) -> str:
    """How long ago, in one unit or two."""
    if at is None:
        return "\u2013"
    seconds = max(0, int(time.time() - at / 1000))
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _words(name: str) -> str:
    return str(name).replace("_", " ").replace(".", " ").replace("-", " ")


_ENVIRONMENT = _environment()


def page(request: web.Request, template: str, status: int = 200, **values: Any) -> web.Response:  # noqa: ANN401
    """A rendered page."""
    console, person = request.app[CONSOLE], request.get(PERSON)
    given = {
        "person": person,
        "form": console.access.form_token(person) if person else "",
        "path": request.path,
        "feed": console.feed,
        "now": overview.now_ms(),
        "may": person.may if person else (lambda _right: False),
        **values,
    }
    text = _ENVIRONMENT.get_template(template).render(given)
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")
