"""One document's page: what became of it, in the order of time; its content, if it is still at its origin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from broker.console import tables as t
from broker.console.project import milliseconds
from broker.console.side_by_side import Sides, side_by_side, source_alone
from broker.kafka import reading
from broker.model.documents import Message
from broker.model.errors import BrokerError, Refused
from broker.model.ids import MessageId
from broker.relay import ids
from broker.relay.records import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.console.project import Event, Row
    from broker.console.store import Store
    from broker.content.pointers import Pointers
    from broker.mapping import Explanation
    from broker.settings import Settings


@dataclass(slots=True)
class DocumentPage:
    """What the page shows."""

    row: Row
    events: list[Event]
    deliveries: list[Row]
    identifiers: list[Row]
    letters: list[Row]
    findings: list[tuple[str, Event]]
    """Who says it (a window, or empty: the broker), and the finding."""
    steps: list[TimelineStep] = field(default_factory=list)
    sides: Sides | None = None
    note: str = ""
    """Why there is no content, or no payload, or what to know of it."""


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """One event on the line of time."""

    at: int
    name: str
    who: str
    said: str
    after: str
    """How long after the first one."""
    is_bad: bool


_BAD = ("refused", "conflict", "failed", "deadletter", "overdue", "no_answer", "not_routed", "waiting")


class Facts:
    """Makes document pages."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        explain: Callable[[Message, str], Explanation],
        pointers: Pointers,
        cut: Callable[[bytes, int], bytes | None] = lambda content, _part: content,
    ) -> None:
        self._cut = cut
        self._settings = settings
        self._store = store
        self._explain = explain
        self._pointers = pointers

    def page(self, message_id: str, *, reveal: bool) -> DocumentPage | None:
        """The page; None when nothing is known of such a message."""
        row = self._store.document(message_id)
        if row is None:
            return None
        events = self._store.events_of(message_id)
        found = DocumentPage(
            row,
            events,
            self._store.of_message(t.deliveries, message_id),
            self._store.of_message(t.identifiers, message_id),
            self._store.of_message(t.deadletters, message_id),
            findings_of(events),
        )
        found.steps = [_step(event, milliseconds(events[0]["at"])) for event in events]
        self._add_content(found, reveal=reveal)
        return found

    def _add_content(self, found: DocumentPage, *, reveal: bool) -> None:
        row = found.row
        try:
            content = self._content(row, next((e["part"] for e in found.events if e.get("part")), 0))
        except BrokerError as error:
            found.note = f"The document cannot be read at its origin now: {error}"
            return
        if content is None:
            found.note = "The document is no longer at its origin: what follows are the facts alone."
            return
        if not row["mapping"]:
            found.sides = source_alone(content, found.findings, reveal=reveal)
            found.note = "No payload was made of it."
            return
        try:
            explained = self._explain(Message(MessageId(row["message_id"]), content), row["mapping"])
        except Refused:
            found.sides = source_alone(content, found.findings, reveal=reveal)
            found.note = (
                f"The mapping {row['mapping'].partition('+')[0]} is not at hand, and today's refuses the document."
            )
            return
        found.sides = side_by_side(content, explained, found.findings, self._pointers, reveal=reveal)
        made = explained.document.type.mapping.id
        if made != row["mapping"]:
            found.note = (
                f"Shown with {made.partition('+')[0]}; it was translated with {row['mapping'].partition('+')[0]}."
            )

    def _content(self, row: Row, part: int) -> bytes | None:
        """The bytes at the origin, if they are those that came; of an envelope of several, the part."""
        try:
            topic, partition, offset = row["origin"].rsplit("/", 2)
            place = Place(topic, int(partition), int(offset))
        except ValueError:
            return None
        record = reading.at(self._settings, place)
        content = None if record is None else self._cut(record.content, part) if part else record.content
        return content if content is not None and ids.content_id(content) == row["sha256"] else None


def findings_of(events: list[Event]) -> list[tuple[str, dict[str, Any]]]:
    """Each finding once, the latest word of each."""
    found: dict[tuple[str, str, str], tuple[str, dict[str, Any]]] = {}
    for event in events:
        by = event.get("window", "") if event["event"] == "decided" else ""
        for finding in event.get("findings") or ():
            found[by, finding.get("code", ""), finding.get("pointer") or ""] = (by, finding)
    return list(found.values())


def _step(event: Event, began: int) -> TimelineStep:
    at, name = milliseconds(event["at"]), event["event"]
    after = (at - began) / 1000
    who = event.get("window") or event.get("by") or event.get("sender") or ""
    rejected = event.get("verdict") in ("rejected", "cancelled")
    return TimelineStep(at, name, who, _said(event), f"+{after:.1f} s" if after < 600 else f"+{after / 60:.0f} min",
                is_bad=name in _BAD or rejected)  # fmt: skip


def _said(event: Event) -> str:
    """What an event says besides its name, in a few words."""
    parts = []
    if event["event"] == "received":
        parts.append(f"routed to {', '.join(r['window'] for r in event.get('routed') or ()) or 'no window'}")
    parts += [str(event[name]) for name in ("state", "reason", "step", "why", "operation") if event.get(name)]
    if event.get("standing") and event.get("standing") != event.get("state"):
        parts.append(f"stands at {event['standing']}")
    codes = list(dict.fromkeys(str(f.get("code", "")) for f in event.get("findings") or ()))
    if codes:
        parts.append(", ".join(codes[:4]) + (f" and {len(codes) - 4} more" if len(codes) > 4 else ""))
    for name, word in (("mrn", "MRN"), ("redrive_of", "of"), ("relates_to", "relates to"), ("deadletter", "letter")):
        if event.get(name):
            parts.append(f"{word} {str(event[name]).rpartition(chr(10))[2]}")
    return "; ".join(parts)
