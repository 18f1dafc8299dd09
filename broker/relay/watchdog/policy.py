"""Who keeps whom waiting: time limits per window and step, as a pure function of a history, a policy and the time.

A limit that passes raises an event, then escalates; silence decides nothing unless the policy says that a wait ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from broker.answers.conversation import state_of
from broker.answers.history import NoAnswer, Overdue, Routed
from broker.model.participants import Wait

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from broker.answers.conversation import WindowState
    from broker.answers.history import History
    from broker.model.ids import ParticipantCode
    from broker.model.outcomes import Catalogue
    from broker.registry.statuses import Statuses

Step = Literal["delivery", "receipt", "decision"]
STEPS: tuple[Step, ...] = ("delivery", "receipt", "decision")
"""Routed to delivered; delivered to the window's first word; delivered to its verdict."""


DEFAULT: Mapping[str, Wait] = {
    "delivery": Wait(timedelta(minutes=15), (timedelta(hours=4),)),
    "receipt": Wait(timedelta(hours=1), (timedelta(hours=8),)),
    "decision": Wait(timedelta(days=2), (timedelta(days=5), timedelta(days=10))),
}
"""Where the window's profile does not say otherwise; it never gives up."""


@dataclass(frozen=True, slots=True)
class WatchdogPolicy:
    """The limits of every window."""

    usual: Mapping[str, Wait] = field(default_factory=lambda: DEFAULT)
    windows: Mapping[ParticipantCode, Mapping[str, Wait]] = field(default_factory=dict)
    """What differs for a window, step by step."""

    @classmethod
    def of(cls, catalogue: Catalogue) -> WatchdogPolicy:
        """The limits that the windows' profiles name, the usual ones elsewhere."""
        return cls(windows={window.code: window.patience for window in catalogue.windows()})

    def limit(self, window: ParticipantCode, step: Step) -> Wait | None:
        """The limit of a step at a window; None when nobody counts."""
        return self.windows.get(window, {}).get(step) or self.usual.get(step)


@dataclass(frozen=True, slots=True)
class Due:
    """Something that is to happen at a time if nothing comes before."""

    at: datetime
    event: Overdue | NoAnswer


def overdue(
    history: History, statuses: Statuses, policy: WatchdogPolicy, now: datetime
) -> tuple[Overdue | NoAnswer, ...]:
    """What has become due by now and is not in the history yet, in order of time; once added, it does not return."""
    return tuple(due.event for due in _coming(history, statuses, policy) if due.at <= now)


def next_due(history: History, statuses: Statuses, policy: WatchdogPolicy) -> datetime | None:
    """When to look again; None when this conversation needs no watching."""
    return next((due.at for due in _coming(history, statuses, policy)), None)


def _coming(history: History, statuses: Statuses, policy: WatchdogPolicy) -> list[Due]:
    state = state_of(history, statuses)
    routed = min((f.at for f in history.facts if isinstance(f, Routed)), default="")
    known = {f for f in history.facts if isinstance(f, Overdue)}
    levels = {(f.window, f.step, f.level) for f in known}
    gone = {f.window for f in history.facts if isinstance(f, NoAnswer)}
    found = [
        due
        for window in state.windows
        if window.window not in gone
        for step, since in _open_steps(window, routed)
        if (limit := policy.limit(window.window, step)) is not None
        for due in _events(window.window, step, limit, _moment(since))
        if not isinstance(due.event, Overdue) or (due.event.window, step, due.event.level) not in levels
    ]
    return sorted(found, key=lambda due: (due.at, due.event.window, due.event.kind))


def _open_steps(window: WindowState, routed: str) -> Iterator[tuple[Step, str]]:
    """The steps a window still owes, each with the time from which it counts."""
    if not window.delivered:
        if routed:
            yield "delivery", routed
        return
    if not window.answers:
        yield "receipt", window.delivered
    if not window.verdict:
        yield "decision", window.delivered


def _events(window: ParticipantCode, step: Step, limit: Wait, since: datetime) -> Iterator[Due]:
    for level, after in enumerate((limit.after, *limit.escalate), 1):
        at = since + after
        yield Due(at, Overdue(at=_text(at), window=window, step=step, level=level))
    if limit.give_up is not None and step != "delivery":
        at = since + limit.give_up
        yield Due(at, NoAnswer(at=_text(at), window=window))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
