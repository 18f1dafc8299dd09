"""What became of one message, derived from its tracking events: received, delivered and decided as separate facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Event = dict[str, Any]
_ENDS = ("refused", "not_routed", "deadletter")


def story(message_id: str, events: Iterable[Event]) -> dict[str, Any]:
    """The facts of a message; ``received`` is None when nothing of it is known."""
    known = sorted(events, key=lambda e: e["at"])
    received = _first(known, "received")
    refused = [e for e in known if e["event"] in ("refused", "conflict")]
    opening = received or (refused[0] if refused else (known[0] if known else {}))
    windows = list(dict.fromkeys([r["window"] for r in (received or {}).get("routed", [])] + _named(known)))
    return {
        "message_id": message_id,
        "conversation_id": message_id,
        "sender": opening.get("sender"),
        "document_type": opening.get("document_type"),
        "sha256": opening.get("sha256"),
        "mapping": opening.get("mapping"),
        "origin": opening.get("origin"),
        "received": _fact(received, "at", "findings"),
        "refused": [_fact(e, "at", "event", "findings") for e in refused],
        "ended": next((e["event"] for e in reversed(known) if e["event"] in _ENDS), None),
        "deliveries": [_delivery(window, known, received or {}) for window in windows],
        "repeats": sum(e["event"] == "repeat" for e in known),
        "events": known,
    }


def _delivery(window: str, events: list[Event], received: Event) -> dict[str, Any]:
    own = [e for e in events if e.get("window") == window]
    rules = {r["window"]: r["rule"] for r in received.get("routed", [])}
    decided = [e for e in own if e["event"] == "decided"]
    return {
        "window": window,
        "rule": rules.get(window),
        "waiting": _fact(_first(own, "waiting"), "at", "reason"),
        "delivered": _fact(_first(own, "delivered"), "at"),
        "failed": _fact(_first(own, "failed"), "at", "reason"),
        "overdue": [_fact(e, "at", "step", "level") for e in own if e["event"] in ("overdue", "no_answer")],
        "state": decided[-1]["standing"] if decided else None,
        "decided": _decision(decided),
        "answers": len(decided),
    }


def _decision(answers: list[Event]) -> dict[str, Any] | None:
    """The answer that shows where the message stands now; None while none of them is a verdict.

    The standing comes from the whole history: an answer that arrives late does not move it back.
    """
    if not answers or not answers[-1].get("verdict"):
        return None
    standing = answers[-1]["standing"]
    notification = next((e for e in reversed(answers) if e.get("state") == standing), answers[-1])
    found = _fact(notification, "at", "function", "answer_id", "mrn", "findings") or {}
    return {**found, "state": standing, "verdict": answers[-1]["verdict"]}


def _named(events: list[Event]) -> list[str]:
    return [e["window"] for e in events if e.get("window") and e["event"] in ("delivered", "waiting", "decided")]


def _first(events: list[Event], name: str) -> Event | None:
    return next((e for e in events if e["event"] == name), None)


def _fact(event: Event | None, *names: str) -> dict[str, Any] | None:
    return None if event is None else {name: event[name] for name in names if name in event}
