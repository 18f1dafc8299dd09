"""Feeds the read model: what the relay tracks and buries, from where it was read up to, while the console runs.

One transaction of the database for each batch, the offsets in it: a feed that is killed goes on where it was.
"""

from __future__ import annotations

import json
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from broker import log
from broker.console.project import milliseconds
from broker.kafka import reading
from broker.model.errors import Failed
from broker.relay import topics
from broker.relay.dead_letters import DeadLetter

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from broker.console.project import Event, Row
    from broker.console.store import Store
    from broker.relay.records import Consumed
    from broker.settings import Settings

logger = log.get(__name__)

_BATCH = 1000
_BATCH_SECONDS = 0.5
_AGAIN_SECONDS = 3.0
_PRUNE_SECONDS = 600.0
_LOOK_SECONDS = 5.0
_DAY_MS = 86_400_000


class Feed:
    """Reads until it is told to stop. Everything it says of itself may be asked from another thread."""

    def __init__(self, settings: Settings, store: Store, heard: Callable[[Event], None]) -> None:
        self._settings = settings
        self._store = store
        self._heard = heard
        self._pruned = self._looked = 0.0
        self.read = 0
        """Events since the start."""
        self.is_current = False
        """Whether the read model holds all there was a moment ago."""
        self.behind: int | None = None
        """Events that are still to be read; None while that is not known."""
        self.trouble = "It has not begun yet."
        """Why nothing is read; empty while all is well."""

    def run(self, stop: threading.Event) -> None:
        """Read until stopped; a Kafka or a database that is away is waited for."""
        while not stop.is_set():
            try:
                self._follow(stop)
            except (Failed, SQLAlchemyError) as error:
                self.is_current, self.trouble = False, str(error).partition("\n")[0]
                logger.warning("console.waits", reason=self.trouble)
                stop.wait(_AGAIN_SECONDS)

    def _follow(self, stop: threading.Event) -> None:
        began, batch = time.monotonic(), []
        names = (topics.TRACKING, topics.DEADLETTER)
        positions = {name: self._store.positions(name) for name in names}
        since = time.monotonic()
        with closing(reading.go_on(self._settings, positions)) as records:
            for record in records:
                if record is not None:
                    batch.append(record)
                if record is None or len(batch) >= _BATCH or time.monotonic() - since > _BATCH_SECONDS:
                    self._keep(batch)
                    self._look_ahead()
                    batch, since = [], time.monotonic()
                if record is None:
                    self.behind = 0
                if record is None and not self.is_current:
                    self.is_current, self.trouble = True, ""
                    logger.info("console.caught-up", events=self.read, seconds=round(time.monotonic() - began, 1))
                if record is None:
                    self._prune()
                if stop.is_set():
                    return

    def _look_ahead(self) -> None:
        """How much there is still to read, now and then, while there is much."""
        if self.is_current or time.monotonic() - self._looked < _LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        ends = reading.ends(self._settings, topics.TRACKING)
        known = self._store.positions(topics.TRACKING)
        self.behind = sum(max(0, end - known.get(partition, 0)) for partition, end in ends.items())

    def _keep(self, batch: list[Consumed]) -> None:
        tracked = [(r.partition, r.offset, _event(r)) for r in batch if r.topic == topics.TRACKING]
        buried = [_letter(r) for r in batch if r.topic == topics.DEADLETTER]
        if buried:
            self._store.buried(buried, topics.DEADLETTER)
        if tracked:
            self._store.tracked(tracked, topics.TRACKING)
            self.read += len(tracked)
            for _, _, event in tracked:
                self._heard(event)

    def _prune(self) -> None:
        """Forget, now and then, what ended longer ago than tracking is kept."""
        if time.monotonic() - self._pruned < _PRUNE_SECONDS:
            return
        self._pruned = time.monotonic()
        before = int(time.time() * 1000) - self._settings.kept_tracking_days * _DAY_MS
        documents, events = self._store.forget(before)
        if documents or events:
            logger.info("console.pruned", documents=documents, events=events)


def _event(record: Consumed) -> Event:
    """The event of a tracking record; what is none is told as one, and harms nothing."""
    try:
        told: Any = json.loads(record.content)
        if isinstance(told, dict) and isinstance(told.get("event"), str) and isinstance(told.get("at"), str):
            return told
    except ValueError:
        pass
    return {"v": 1, "event": "unreadable", "at": "1970-01-01T00:00:00Z", "message_id": ""}


def _letter(record: Consumed) -> Row:
    told = DeadLetter(record).as_json()
    return {
        "partition": record.partition,
        "position": record.offset,
        "at": milliseconds(told["at"]),
        "reason": told["reason"][:128],
        "destination": told["destination"][:255],
        "origin": told["origin"][:255],
        "message_id": (told["message_id"] or "")[:64],
        "window": (told["window"] or "")[:64],
        "size": told["bytes"],
        "state": "open",
        "by": "",
        "why": "",
    }
