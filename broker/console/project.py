"""What a tracking event changes in the read model: rows in, rows out, no database.

Every change is one that may come twice and in any order: times are first times, a state follows from all that is known.
So a read model that is built again is the same, and one that reads an event a second time does not change.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Event = dict[str, Any]
Row = dict[str, Any]

OPEN = ("received", "waiting", "delivered", "partly_decided", "failed")
"""States of a document of which something is still awaited."""
STATES = (*OPEN, "accepted", "rejected", "cancelled", "mixed", "no_answer", "not_routed", "refused")
IDENTIFIERS = {
    "sender_id": "id",
    "number": "number",
    "mrn": "mrn",
    "declarant": "declarant",
    "certificate": "certificate",
    "relates_to": "related",
}
"""Fields of events by which a document is found, and the kind that each is."""
_LONGEST = 128
_OPENING = ("received", "refused", "deadletter")


@dataclass
class Changes:
    """The rows of the messages that a batch of events speaks of, as they will be."""

    documents: dict[str, Row] = field(default_factory=dict)
    deliveries: dict[tuple[str, str], Row] = field(default_factory=dict)
    identifiers: dict[tuple[str, str, str], Row] = field(default_factory=dict)
    findings: dict[tuple[str, str], Row] = field(default_factory=dict)
    ends: dict[tuple[int, int], Row] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)

    def apply(self, event: Event) -> None:
        """One event more. What names no message changes no document."""
        self._end_of_letter(event)
        message = event.get("message_id")
        if not message or event["event"].startswith("operator.revealed"):
            return
        if message not in self.documents and event["event"] not in _OPENS:
            return
        at = milliseconds(event["at"])
        document = self._document(message, at, event)
        document["changed"] = max(document["changed"], at)
        self.touched.add(message)
        _STEPS.get(event["event"], _nothing)(self, document, event, at)
        for name, kind in IDENTIFIERS.items():
            if value := str(event.get(name) or "").rpartition("\n")[2][:_LONGEST]:
                self.identifiers[value, kind, message] = {"value": value, "kind": kind, "message_id": message}
        by = event.get("window", "") if event["event"] == "decided" else ""
        for finding in event.get("findings") or ():
            code = str(finding.get("code", ""))[:64]
            row = {"code": code, "message_id": message, "by": by, "at": document["at"], "mapping": document["mapping"]}
            self.findings.setdefault((code, message), row)

    def settle(self) -> None:
        """Every document that was touched in the state that follows from all that is known of it."""
        at_windows: dict[str, list[Row]] = {}
        for (message, _), row in self.deliveries.items():
            at_windows.setdefault(message, []).append(row)
        for message in self.touched:
            document, own = self.documents[message], at_windows.get(message, [])
            document["state"] = state_of(document["state"], own)
            document["is_open"] = int(document["state"] in OPEN and _awaits(document, own))

    def _document(self, message: str, at: int, event: Event) -> Row:
        document = self.documents.get(message)
        if document is None:
            document = self.documents[message] = {
                "message_id": message, "at": at, "changed": at, "sender": "", "document_type": "", "state": "received",
                "is_open": 1, "mapping": "", "sha256": "", "origin": "", "trace_id": "", "size": 0, "number": "",
            }  # fmt: skip
        if event["event"] in _OPENING:
            for name in ("sender", "document_type", "mapping", "sha256", "origin", "trace_id", "size", "number"):
                if event.get(name) and (not document[name] or event["event"] == "received"):
                    document[name] = event[name]
            document["at"] = min(document["at"], at)
        elif not document["sender"]:
            document["sender"] = event.get("sender", "")
        return document

    def delivery(self, document: Row, window: str) -> Row:
        """A document's row at a window."""
        message = document["message_id"]
        return self.deliveries.setdefault(
            (message, window),
            {
                "message_id": message, "window": window, "at": document["at"], "delivered": None, "decided": None,
                "state": "routed", "verdict": "", "is_open": 1,
            },
        )  # fmt: skip

    def _end_of_letter(self, event: Event) -> None:
        """A dead letter that was sent back or closed."""
        if event["event"] == "redriven":
            _, partition, position = str(event["redrive_of"]).rsplit("/", 2)
            self._ended(partition, position, "redriven", event)
        elif event["event"] == "operator.closed":
            partition, position = str(event["deadletter"]).split("/")
            self._ended(partition, position, "closed", event)

    def _ended(self, partition: str, position: str, state: str, event: Event) -> None:
        place = int(partition), int(position)
        by, why = str(event.get("by", ""))[:_LONGEST], str(event.get("why", ""))[:255]
        known = self.ends.get(place)
        if known is None or known["state"] != "redriven":
            self.ends[place] = {"partition": place[0], "position": place[1], "state": state, "by": by, "why": why}


def state_of(own: str, deliveries: list[Row]) -> str:
    """A document's state: what its windows say together, or how it ended before any."""
    if not deliveries:
        return own
    states, verdicts = {row["state"] for row in deliveries}, {row["verdict"] for row in deliveries}
    if "" not in verdicts:
        return verdicts.pop() if len(verdicts) == 1 else "mixed"
    if "failed" in states:
        return "failed"
    if verdicts != {""}:
        return "partly_decided"
    if states & {"routed", "waiting"}:
        return "waiting"
    return "no_answer" if states == {"no_answer"} else "delivered"


def _awaits(document: Row, deliveries: list[Row]) -> bool:
    return any(row["is_open"] for row in deliveries) if deliveries else bool(document["is_open"])


def milliseconds(at: str) -> int:
    """An RFC 3339 time as the tables keep it."""
    return int(datetime.fromisoformat(at).timestamp() * 1000)


# --- one step for each event that changes more than the time of the last change ---------------------------------------


def _nothing(_changes: Changes, _document: Row, _event: Event, _at: int) -> None:
    return


def _received(changes: Changes, document: Row, event: Event, _at: int) -> None:
    document.update(state="received", is_open=1)
    for routed in event.get("routed") or ():
        changes.delivery(document, routed["window"])


def _refused(_changes: Changes, document: Row, _event: Event, _at: int) -> None:
    document["state"] = "refused"


def _not_routed(_changes: Changes, document: Row, _event: Event, _at: int) -> None:
    document["state"] = "not_routed"


def _dead(_changes: Changes, document: Row, _event: Event, _at: int) -> None:
    document.update(state="failed", is_open=1)


def _waiting(changes: Changes, document: Row, event: Event, _at: int) -> None:
    row = changes.delivery(document, event["window"])
    if row["state"] in ("routed", "failed"):
        row.update(state="waiting", is_open=1)


def _delivered(changes: Changes, document: Row, event: Event, at: int) -> None:
    row = changes.delivery(document, event["window"])
    row["delivered"] = min(row["delivered"] or at, at)
    if row["state"] in ("routed", "waiting", "failed"):
        row.update(state="delivered", is_open=1)


def _failed(changes: Changes, document: Row, event: Event, _at: int) -> None:
    row = changes.delivery(document, event["window"])
    if row["delivered"] is None:
        row.update(state="failed", is_open=1)


def _decided(changes: Changes, document: Row, event: Event, at: int) -> None:
    row = changes.delivery(document, event["window"])
    row["decided"] = max(row["decided"] or at, at)
    row.update(state=event.get("standing") or event.get("state") or row["state"], verdict=event.get("verdict", ""))
    row["is_open"] = int(not row["verdict"])


def _no_answer(changes: Changes, document: Row, event: Event, _at: int) -> None:
    row = changes.delivery(document, event["window"])
    if not row["verdict"]:
        row.update(state="no_answer", is_open=0)


def _closed(changes: Changes, document: Row, event: Event, _at: int) -> None:
    """An operator lets a dead letter rest: nothing is awaited of it any more."""
    window = event.get("window")
    if window:
        row = changes.delivery(document, window)
        if row["state"] == "failed":
            row["is_open"] = 0
    elif document["state"] == "failed":
        document["is_open"] = 0


_STEPS = {
    "received": _received,
    "refused": _refused,
    "not_routed": _not_routed,
    "deadletter": _dead,
    "waiting": _waiting,
    "delivered": _delivered,
    "failed": _failed,
    "decided": _decided,
    "no_answer": _no_answer,
    "operator.closed": _closed,
}
_OPENS = frozenset(_STEPS) - {"operator.closed"}
"""Events that prove a document; all others speak of one that is known."""
