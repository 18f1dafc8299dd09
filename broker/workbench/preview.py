"""Asked beforehand: what every window would decide about a document, in process, nothing sent."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from broker.answers.render import Objection
from broker.content.detect import detect
from broker.content.xml import shown
from broker.line.process import process
from broker.mapping import explain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from broker.mapping import Explanation
    from broker.model.documents import Message, Payload
    from broker.model.findings import Finding
    from broker.model.ids import ParticipantCode
    from broker.model.outcomes import Catalogue
    from broker.model.participants import Routing
    from broker.windows import decide


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one window would say of a document; no window where the document is refused, or nobody takes it."""

    window: ParticipantCode | None
    verdict: Literal["accepted", "rejected", "not_routed", "refused"]
    findings: tuple[Objection, ...] = ()
    route: str = ""
    """The routing rule by which it takes the document."""


def ask(
    message: Message,
    catalogue: Catalogue,
    windows: Mapping[ParticipantCode, decide.Window],
    now: datetime,
    only: Sequence[ParticipantCode] = (),
) -> tuple[Verdict, ...]:
    """The verdicts of the windows asked; of all that take the document when none is named."""
    outcome = process(message, catalogue)
    if outcome.payload is None:
        return (Verdict(None, "refused", tuple(_fault(f) for f in outcome.findings if f.is_error)),)
    asked = [r for r in outcome.routings if r.participant in only] if only else list(outcome.routings)
    if not only and not outcome.windows:
        return (Verdict(None, "not_routed", tuple(_declined(r, r.participant) for r in asked)),)
    home = WayBack(message, catalogue)
    verdicts = []
    for routing in asked:
        if routing.is_accepted:
            verdicts.append(_decided(windows[routing.participant], outcome.payload, now, home, routing.rule or ""))
        elif only:
            verdicts.append(Verdict(routing.participant, "not_routed", (_declined(routing),)))
    return tuple(verdicts)


class WayBack:
    """The way from a place in the payload back to the sender's document, explained when first needed."""

    def __init__(self, message: Message, catalogue: Catalogue) -> None:
        self._message = message
        self._catalogue = catalogue

    @cached_property
    def _explanation(self) -> Explanation:
        return explain(detect(self._message.content, self._catalogue), self._message.id)

    def bring(self, objection: decide.Objection) -> Objection:
        """The objection with path, line, label and value in the sender's document."""
        source = next(iter(self._explanation.locate(objection.element)), None)
        return Objection(
            code=objection.code,
            messages=objection.message,
            rule=objection.rule,
            severity=objection.severity.value,
            pointer=source.path if source else "",
            line=source.line if source else None,
            label=source.label if source else "",
            value=shown(source.value) if source else None,
            payload_pointer=objection.element,
        )


def _decided(window: decide.Window, payload: Payload, now: datetime, home: WayBack, route: str) -> Verdict:
    decision = window.decide(payload, now)
    return Verdict(decision.window, decision.verdict, tuple(home.bring(o) for o in decision.objections), route)


def _declined(routing: Routing, window: str = "") -> Objection:
    return Objection("not_routed", {"en": f"{window}: {routing.reason}" if window else routing.reason})


def _fault(finding: Finding) -> Objection:
    return Objection(
        code=finding.code,
        messages={"en": finding.message},
        rule=finding.code,
        severity=finding.severity.value,
        pointer=finding.pointer,
        line=finding.line,
        value=finding.value,
    )
