"""One search: what a person types and chooses, as it stands in the address, and the query that it becomes."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from sqlalchemy import and_, or_, select, union

from broker.console import tables as t
from broker.console.project import STATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Select
    from sqlalchemy.sql.elements import ColumnElement

    from broker.console.project import Row
    from broker.console.store import Store

PAGE = 50
REJECTED_BY_SOME = "rejected_by_some"
"""By one window at least."""
_MOST = 1000
"""Documents that one beginning of an identifier may find."""
_MESSAGE_ID = re.compile(r"[0-9a-f]{32}")
_AGO = re.compile(r"(\d{1,5})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Search:
    """The filters, each empty when it is not set. ``q`` is any identifier, whole or its beginning."""

    q: str = ""
    sender: str = ""
    window: str = ""
    type: str = ""
    state: str = ""
    code: str = ""
    since: str = ""
    until: str = ""
    before: str = ""
    """Where the page before ended: a time and a message id."""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Search:
        """The filters as an address names them; what it names besides is not heard."""
        return cls(**{f.name: query.get(f.name, "").strip()[:128] for f in fields(cls)})

    @property
    def address(self) -> str:
        """The same search as an address."""
        return urlencode({f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name)})

    def but(self, **changed: str) -> str:
        """The address with some filters changed, from the first page."""
        return replace(self, before="", **changed).address

    @property
    def is_empty(self) -> bool:
        return self == Search()


def moment(text: str, now: datetime) -> int | None:
    """``15m``, ``2h``, ``7d`` before now, or a date-time (UTC where it names no zone), as milliseconds; None else."""
    ago = _AGO.fullmatch(text)
    try:
        at = now - timedelta(**{_UNITS[ago[2]]: int(ago[1])}) if ago else datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def statement(search: Search, now: datetime) -> Select[tuple[object, ...]]:
    """The query: one page of documents, the latest first, and one row more that tells whether there are others."""
    d, at = t.documents, t.documents.c.at
    query = select(d)
    if search.q:
        query = _named(query, search.q)
    for column, value in ((d.c.sender, search.sender), (d.c.document_type, search.type)):
        if value:
            query = query.where(column == value)
    if search.state:
        query = query.where(_in_state(search.state))
    if search.window:
        w = t.deliveries
        query = query.join(w, w.c.message_id == d.c.message_id).where(w.c.window == search.window)
        at = w.c.at if not search.q else at
    if search.code:
        f = t.findings
        query = query.join(f, f.c.message_id == d.c.message_id).where(f.c.code == search.code)
        at = f.c.at if not search.q else at
    since, until = moment(search.since, now), moment(search.until, now)
    query = query.where(*([at >= since] if since is not None else []), *([at <= until] if until is not None else []))
    if search.before:
        time, _, message = search.before.partition("_")
        if time.isdigit():
            last = int(time)
            query = query.where(or_(at < last, and_(at == last, d.c.message_id > message)))
    return query.order_by(at.desc(), d.c.message_id).limit(PAGE + 1)


def _in_state(state: str) -> ColumnElement[bool]:
    d = t.documents
    if state == "open":
        return d.c.is_open == 1
    return d.c.state.in_(("rejected", "mixed")) if state == REJECTED_BY_SOME else d.c.state == state


def _named(query: Select[tuple[object, ...]], text: str) -> Select[tuple[object, ...]]:
    """Documents whose message id it is, or that have an identifier that begins so."""
    if _MESSAGE_ID.fullmatch(text.lower().replace("-", "")):
        text = text.lower().replace("-", "")
    i, d = t.identifiers, t.documents
    by_identifier = select(i.c.message_id).where(i.c.value >= text, i.c.value < f"{text}\U0010ffff").limit(_MOST)
    by_id = select(d.c.message_id).where(d.c.message_id >= text, d.c.message_id < f"{text}g").limit(_MOST)
    either = union(*(select(some.c.message_id) for some in (by_identifier.subquery(), by_id.subquery())))
    return query.where(d.c.message_id.in_(either))


def find(store: Store, search: Search, now: datetime) -> tuple[list[Row], str]:
    """One page, and the address of the next; empty when it is the last."""
    found = store.rows(statement(search, now))
    if len(found) <= PAGE:
        return found, ""
    last = found[PAGE - 1]
    return found[:PAGE], replace(search, before=f"{last['at']}_{last['message_id']}").address


def choices() -> tuple[str, ...]:
    """The states by which one may search."""
    return ("open", REJECTED_BY_SOME, *STATES)
