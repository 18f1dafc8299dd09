"""The read model in SQL: SQLite by default, PostgreSQL by its URL. One writer, the feed; everybody else reads."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, delete, event, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from broker.console import tables as t
from broker.console.project import Changes, milliseconds
from broker.model.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Engine, Table
    from sqlalchemy.sql.elements import ColumnElement

    from broker.console.project import Event, Row

_CHUNK = 400
"""Values in one list of a query: every database takes as many."""
_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "cache_size=-8000", "temp_store=MEMORY")
Read = tuple[str, int, int]
"""Topic, partition, offset."""


class Store:
    """The read model of one console."""

    def __init__(self, url: str) -> None:
        self.shown = _shown(url)
        """Its address without a password."""
        try:
            self.engine = _engine(url)
            t.metadata.create_all(self.engine)
        except (SQLAlchemyError, ImportError) as error:
            raise Misconfigured(f"The console's database {self.shown} cannot be used: {error}") from None

    def close(self) -> None:
        self.engine.dispose()

    # --- written by the feed ------------------------------------------------------------------------------------------

    def positions(self, topic: str) -> dict[int, int]:
        """Where reading goes on, by partition."""
        query = select(t.read_up_to.c.partition, t.read_up_to.c.position).where(t.read_up_to.c.topic == topic)
        with self.engine.connect() as connection:
            return {int(row.partition): int(row.position) for row in connection.execute(query)}

    def tracked(self, records: Sequence[tuple[int, int, Event]], topic: str) -> None:
        """Events as they were read (partition, offset, event), with all that follows from them, in one transaction."""
        with self.engine.begin() as connection:
            changes = self._known({str(e.get("message_id") or "") for _, _, e in records} - {""}, connection)
            for _, _, told in records:
                changes.apply(told)
            changes.settle()
            self._put(connection, t.events, [_event_row(*record) for record in records])
            self._put(connection, t.documents, [changes.documents[m] for m in changes.touched])
            own = [row for (m, _), row in changes.deliveries.items() if m in changes.touched]
            self._put(connection, t.deliveries, own)
            self._put(connection, t.identifiers, changes.identifiers.values())
            self._put(connection, t.findings, changes.findings.values())
            self._end_letters(connection, changes.ends.values())
            self._keep_position(connection, topic, ((p, o) for p, o, _ in records))

    def buried(self, letters: Sequence[Row], topic: str) -> None:
        """Dead letters as they were read, each in the state that was told of it."""
        with self.engine.begin() as connection:
            ends = {(r.partition, r.position): r._mapping for r in connection.execute(select(t.ends))}  # noqa: SLF001 - its public name
            for letter in letters:
                end = ends.get((letter["partition"], letter["position"]))
                if end is not None:
                    letter.update(state=end["state"], by=end["by"], why=end["why"])
            self._put(connection, t.deadletters, letters)
            self._keep_position(connection, topic, ((r["partition"], r["position"]) for r in letters))

    def clear(self) -> None:
        """Forget everything: it is read again from the beginning."""
        with self.engine.begin() as connection:
            for table in t.metadata.tables.values():
                connection.execute(delete(table))

    def forget(self, before: int, most: int = 5000) -> tuple[int, int]:
        """Forget documents that ended and did not change since then, and events that name none; how many of both.

        What is open is never forgotten, however old.
        """
        gone = (
            select(t.documents.c.message_id)
            .where(t.documents.c.is_open == 0, t.documents.c.changed < before)
            .order_by(t.documents.c.changed)
            .limit(most)
        )
        with self.engine.begin() as connection:
            names = list(connection.execute(gone).scalars())
            events = 0
            for some in _chunks(names):
                events += connection.execute(delete(t.events).where(t.events.c.message_id.in_(some))).rowcount
                for table in (t.findings, t.identifiers, t.deliveries, t.documents):
                    connection.execute(delete(table).where(table.c.message_id.in_(some)))
            old = delete(t.events).where(t.events.c.message_id == "", t.events.c.at < before)
            events += connection.execute(old).rowcount
            connection.execute(
                delete(t.deadletters).where(t.deadletters.c.state != "open", t.deadletters.c.at < before)
            )
        return len(names), events

    def _known(self, messages: Collection[str], connection: Connection) -> Changes:
        changes = Changes()
        for some in _chunks(messages):
            for row in _rows(connection, t.documents, t.documents.c.message_id.in_(some)):
                changes.documents[row["message_id"]] = row
            for row in _rows(connection, t.deliveries, t.deliveries.c.message_id.in_(some)):
                changes.deliveries[row["message_id"], row["window"]] = row
        return changes

    def _put(self, connection: Connection, table: Table, rows: Collection[Mapping[str, Any]]) -> None:
        """Each row as it is given, whether it was there or not."""
        if not rows:
            return
        keys = [column.name for column in table.primary_key]
        others = [column.name for column in table.columns if not column.primary_key]
        dialect = postgresql if self.engine.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(table)
        given = {name: statement.excluded[name] for name in others}
        whole = (
            statement.on_conflict_do_update(index_elements=keys, set_=given)
            if given
            else statement.on_conflict_do_nothing(index_elements=keys)
        )
        connection.execute(whole, list(rows))

    def _end_letters(self, connection: Connection, ends: Collection[Row]) -> None:
        """Dead letters that ended: those that are here, and, for those still to be read, what became of them."""
        self._put(connection, t.ends, list(ends))
        for end in ends:
            letter = t.deadletters
            here = (letter.c.partition == end["partition"], letter.c.position == end["position"])
            said = {name: end[name] for name in ("state", "by", "why")}
            connection.execute(update(letter).where(*here, letter.c.state != "redriven").values(**said))

    def _keep_position(self, connection: Connection, topic: str, places: Iterable[tuple[int, int]]) -> None:
        last: dict[int, int] = {}
        for partition, offset in places:
            last[partition] = max(offset, last.get(partition, -1))
        rows = [{"topic": topic, "partition": p, "position": o + 1, "topic_id": ""} for p, o in last.items()]
        self._put(connection, t.read_up_to, rows)

    # --- read by the pages --------------------------------------------------------------------------------------------

    def document(self, message_id: str) -> Row | None:
        """One document; None when nothing is known of it."""
        with self.engine.connect() as connection:
            return next(_rows(connection, t.documents, t.documents.c.message_id == message_id), None)

    def of_message(self, table: Table, message_id: str) -> list[Row]:
        """The rows of a table that belong to a message."""
        with self.engine.connect() as connection:
            return list(_rows(connection, table, table.c.message_id == message_id))

    def events_of(self, message_id: str) -> list[Event]:
        """A message's tracking events in the order of time."""
        query = select(t.events.c.body).where(t.events.c.message_id == message_id)
        query = query.order_by(t.events.c.at, t.events.c.partition, t.events.c.position)
        with self.engine.connect() as connection:
            return [json.loads(body) for body in connection.execute(query).scalars()]

    def events_named(self, prefix: str, limit: int = 200) -> list[Event]:
        """The latest events whose name begins so."""
        name = t.events.c.event
        query = select(t.events.c.body).where(name >= prefix, name < prefix + "\x7f")
        query = query.order_by(t.events.c.at.desc()).limit(limit)
        with self.engine.connect() as connection:
            return [json.loads(body) for body in connection.execute(query).scalars()]

    def rows(self, query: Any) -> list[Row]:  # noqa: ANN401 - any select
        """What a query finds."""
        with self.engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - its public name

    def count(self, table: Table, *conditions: ColumnElement[bool]) -> int:
        """How many rows there are."""
        with self.engine.connect() as connection:
            found = connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar()
        return int(found or 0)


def _engine(url: str) -> Engine:
    engine = create_engine(url, pool_size=4, max_overflow=4) if not url.startswith("sqlite") else create_engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _quick(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")

    return engine


def _shown(url: str) -> str:
    """The address without its password."""
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://…@{tail}" if at else url


def _rows(connection: Connection, table: Table, *conditions: ColumnElement[bool]) -> Iterator[Row]:
    for row in connection.execute(select(table).where(*conditions)):
        yield dict(row._mapping)  # noqa: SLF001 - its public name


def _chunks(values: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(values)
    while some := list(islice(rest, _CHUNK)):
        yield some


def _event_row(partition: int, offset: int, told: Event) -> Row:
    return {
        "partition": partition,
        "position": offset,
        "message_id": str(told.get("message_id") or ""),
        "at": milliseconds(told["at"]),
        "event": told["event"][:48],
        "body": json.dumps(told, ensure_ascii=False, separators=(",", ":")),
    }
