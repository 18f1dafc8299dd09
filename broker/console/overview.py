"""What the pages count: numbers out of the read model, each by a query that an index answers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select

from broker import metrics
from broker.console import tables as t

if TYPE_CHECKING:
    from broker.console.feed import Feed
    from broker.console.project import Row
    from broker.console.store import Store
    from broker.metrics import Meter

HOUR, MINUTE = 3_600_000, 60_000
_SPAN_MINUTES = 60
_FAMILIES = 4


@dataclass(frozen=True, slots=True)
class Chart:
    """Documents a minute, by family, and the moments at which a mapping was seen first."""

    families: tuple[str, ...]
    minutes: tuple[tuple[int, ...], ...]
    """For each minute the documents of each family."""
    highest: int
    marks: tuple[tuple[int, str], ...]
    """(minute, mapping)"""
    began: int


def now_ms() -> int:
    return int(time.time() * 1000)


def chart(store: Store, now: int, minutes: int = _SPAN_MINUTES) -> Chart:
    """The last hour."""
    began = now // MINUTE * MINUTE - (minutes - 1) * MINUTE
    d = t.documents
    bucket = ((d.c.at - began) // MINUTE).label("bucket")
    query = select(bucket, d.c.document_type, func.count().label("n")).where(d.c.at >= began)
    found = store.rows(query.group_by(bucket, d.c.document_type))
    totals: dict[str, int] = {}
    for row in found:
        family = row["document_type"].partition("/")[0] or "unknown"
        totals[family] = totals.get(family, 0) + row["n"]
    families = tuple(sorted(totals, key=lambda name: -totals[name])[:_FAMILIES])
    if len(totals) > _FAMILIES:
        families = (*families, "others")
    table = [[0] * len(families) for _ in range(minutes)]
    for row in found:
        family = row["document_type"].partition("/")[0] or "unknown"
        column = families.index(family) if family in families else len(families) - 1
        at = int(row["bucket"])
        if 0 <= at < minutes:
            table[at][column] += row["n"]
    highest = max((sum(row) for row in table), default=0)
    return Chart(families, tuple(map(tuple, table)), highest, tuple(_marks(store, began, now)), began)


def _marks(store: Store, began: int, now: int) -> list[tuple[int, str]]:
    """Mappings other than the one that was in use when the hour began, at the moment each was seen first."""
    d = t.documents
    recent = select(d.c.mapping).where(d.c.at >= began, d.c.mapping != "").distinct()
    marks = []
    for row in store.rows(recent):
        before = select(d.c.mapping).where(d.c.document_type == row["mapping"].partition("@")[0], d.c.at < began)
        last = store.rows(before.where(d.c.mapping != "").order_by(d.c.at.desc()).limit(1))
        if not last or last[0]["mapping"] == row["mapping"]:
            continue
        first = store.rows(
            select(d.c.at).where(d.c.at >= began, d.c.mapping == row["mapping"]).order_by(d.c.at).limit(1)
        )
        marks.append(((first[0]["at"] - began) // MINUTE, row["mapping"]))
    return [(minute, name) for minute, name in marks if 0 <= minute <= (now - began) // MINUTE]


def totals(store: Store, now: int) -> dict[str, int]:
    """What came within the hour by its state, and what is open."""
    d = t.documents
    query = select(d.c.state, func.count().label("n")).where(d.c.at >= now - HOUR).group_by(d.c.state)
    by_state = {row["state"]: row["n"] for row in store.rows(query)}
    return {
        "documents": sum(by_state.values()),
        "accepted": by_state.get("accepted", 0),
        "rejected": by_state.get("rejected", 0) + by_state.get("mixed", 0),
        "refused": by_state.get("refused", 0),
        "open": store.count(d, d.c.is_open == 1),
        "letters": store.count(t.deadletters, t.deadletters.c.state == "open"),
    }


def senders(store: Store, now: int) -> list[Row]:
    """For each sender that wrote within a day: how much within the hour, how much of it was refused, when last."""
    d = t.documents
    within = case((d.c.at >= now - HOUR, 1), else_=0)
    refused = case(((d.c.at >= now - HOUR) & (d.c.state == "refused"), 1), else_=0)
    query = select(
        d.c.sender, func.max(d.c.at).label("last"), func.sum(within).label("hour"), func.sum(refused).label("refused")
    )
    return store.rows(
        query.where(d.c.at >= now - 24 * HOUR, d.c.sender != "").group_by(d.c.sender).order_by(d.c.sender)
    )


def windows(store: Store, now: int) -> list[Row]:
    """For each window: what no verdict has come for, since when, and the verdicts on what came within a day."""
    w = t.deliveries
    outstanding = select(w.c.window, func.count().label("n"), func.min(w.c.delivered).label("oldest"))
    outstanding = outstanding.where(w.c.is_open == 1).group_by(w.c.window)
    found: dict[str, Row] = {
        row["window"]: {**row, "accepted": 0, "rejected": 0, "total": 0} for row in store.rows(outstanding)
    }
    query = select(w.c.window, w.c.verdict, func.count().label("n")).where(w.c.at >= now - 24 * HOUR)
    for row in store.rows(query.group_by(w.c.window, w.c.verdict)):
        entry = found.setdefault(
            row["window"], {"window": row["window"], "n": 0, "oldest": None, "accepted": 0, "rejected": 0, "total": 0}
        )
        entry["total"] += row["n"]
        if row["verdict"]:
            entry["accepted" if row["verdict"] == "accepted" else "rejected"] += row["n"]
    return [found[name] for name in sorted(found)]


def codes(store: Store, since: int, *conditions: Any, limit: int = 20) -> list[Row]:  # noqa: ANN401 - of a query
    """The finding codes said most since then, by who said them and under which mapping."""
    f = t.findings
    number = func.count().label("n")
    query = select(f.c.code, f.c.by, f.c.mapping, number, func.max(f.c.at).label("last"))
    query = query.where(f.c.at >= since, *conditions).group_by(f.c.code, f.c.by, f.c.mapping)
    return store.rows(query.order_by(number.desc(), f.c.code).limit(limit))


def letters(store: Store, state: str = "open") -> list[Row]:
    """Dead letters in groups: by reason and destination."""
    x, number = t.deadletters, func.count().label("n")
    query = select(
        x.c.reason, x.c.destination, number, func.min(x.c.at).label("first"), func.max(x.c.at).label("last")
    ).where(x.c.state == state)
    return store.rows(query.group_by(x.c.reason, x.c.destination).order_by(number.desc(), x.c.reason))


def measure(store: Store, feed: Feed, meter: Meter) -> None:
    """The numbers that only the read model knows, for Prometheus."""
    w, x = t.deliveries, t.deadletters
    for metric in (metrics.OUTSTANDING, metrics.OLDEST_OUTSTANDING, metrics.DEADLETTERS_OPEN, metrics.EVENTS_READ):
        meter.clear(metric)
    query = select(w.c.window, func.count().label("n"), func.min(w.c.delivered).label("oldest"))
    for row in store.rows(query.where(w.c.is_open == 1).group_by(w.c.window)):
        meter.set(metrics.OUTSTANDING, row["n"], window=row["window"])
        if row["oldest"]:
            meter.set(metrics.OLDEST_OUTSTANDING, row["oldest"] / 1000, window=row["window"])
    open_letters = select(x.c.reason, func.count().label("n")).where(x.c.state == "open").group_by(x.c.reason)
    for row in store.rows(open_letters):
        meter.add(metrics.DEADLETTERS_OPEN, row["n"], reason=row["reason"].partition(":")[0][:40] or "unknown")
    meter.add(metrics.EVENTS_READ, feed.read)
    if feed.behind is not None:
        meter.set(metrics.EVENTS_BEHIND, feed.behind)
