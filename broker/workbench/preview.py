"""Asked beforehand: what every window would decide about a document, in process, nothing sent.

The answer takes the way it takes in production: the window writes its Responses, the verdict is read again, and
``broker.answers.way_back`` finds the places in the sender's document.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from broker.answers.wco_response import read
from broker.line.process import process
from broker.model.findings import Finding
from broker.windows.respond import replies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from broker.answers.way_back import WayBack
    from broker.model.documents import Message, Payload
    from broker.model.ids import ParticipantCode
    from broker.model.outcomes import Outcome
    from broker.model.participants import Routing
    from broker.windows.decide import Window


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one window would say of a document; no window where the document is refused, or nobody takes it."""

    window: ParticipantCode | None
    verdict: Literal["accepted", "rejected", "not_routed", "refused"]
    findings: tuple[Finding, ...] = ()
    """As the sender would read them."""
    route: str = ""
    """The routing rule by which it takes the document."""


def ask(
    message: Message,
    way_back: WayBack,
    windows: Mapping[ParticipantCode, Window],
    now: datetime,
    only: Sequence[ParticipantCode] = (),
) -> tuple[Verdict, ...]:
    """The verdicts of the windows asked; of all that take the document when none is named."""
    outcome = process(message, way_back.catalogue)
    if outcome.payload is None:
        faults = tuple(f for f in outcome.findings if f.is_error)
        return (Verdict(None, "refused", way_back.of_the_line(faults, outcome.document)),)
    asked = [r for r in outcome.routings if r.participant in only] if only else list(outcome.routings)
    if not only and not outcome.windows:
        return (Verdict(None, "not_routed", tuple(_declined(r, r.participant) for r in asked)),)
    verdicts = []
    for routing in asked:
        if routing.is_accepted:
            window = windows[routing.participant]
            verdicts.append(_decided(window, outcome, outcome.payload, now, way_back, routing.rule or ""))
        elif only:
            verdicts.append(Verdict(routing.participant, "not_routed", (_declined(routing),)))
    return tuple(verdicts)


def _decided(  # noqa: PLR0917 - all that a decision depends on
    window: Window, outcome: Outcome, payload: Payload, now: datetime, way_back: WayBack, route: str
) -> Verdict:
    """The window's decision, its last Response, and what that points at in the document."""
    decision = window.decide(payload, now)
    last = replies(window, payload, decision, way_back.pointers, now)[-1]
    (answer,) = read(last.content, decision.window, last.id)
    found = way_back.of_the_window(answer, outcome.message.id, outcome.document)
    return Verdict(decision.window, decision.verdict, tuple(found), route)


def _declined(routing: Routing, window: str = "") -> Finding:
    reason = f"{window}: {routing.reason}" if window else routing.reason
    return Finding("not_routed", reason, messages={"en": reason})
