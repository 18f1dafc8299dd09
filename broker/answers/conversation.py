"""The state of a conversation, derived from the whole history: received, delivered, decided, per window and over all.

The state is a function of the set of facts: late, repeated and reordered answers never move it back, and a transport
failure is never a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from broker.answers.history import Answered, Delivered, DeliveryFailed, DocumentReceived, NoAnswer, Overdue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from broker.answers.history import History
    from broker.model.ids import ConversationId, ParticipantCode
    from broker.registry.statuses import State, Statuses

Verdict = Literal["", "accepted", "rejected", "cancelled"]
_TOLERANCE = timedelta(days=1)
_EARLY = (("refused", "refused"), ("failed", "failed"), ("routed", "not_routed"))


@dataclass(frozen=True, slots=True)
class WindowState:
    """What one window has, and what it answered."""

    window: ParticipantCode
    state: str
    """A canonical state of the dictionary."""
    verdict: Verdict = ""
    delivered: str = ""
    """When, or empty."""
    decided: str = ""
    """When the window issued the answer that makes the state (else when it came), or empty."""
    mrn: str = ""
    answers: int = 0
    overdue: tuple[tuple[str, int], ...] = ()
    """(step, highest level) of the steps that took too long."""
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConversationState:
    """What became of a message: received, delivered and decided as separate facts, per window and over all."""

    conversation: ConversationId
    state: str
    """A canonical state when all windows share it; else ``mixed``, ``partly_delivered`` or ``partly_decided``."""
    received: str
    delivered: str
    """When the last of its windows got it, or empty while one has not."""
    decided: str
    """When the last of its windows gave its verdict, or empty while one has not."""
    verdict: Literal["", "accepted", "rejected", "cancelled", "mixed"]
    windows: tuple[WindowState, ...]
    alarms: tuple[str, ...] = ()


def state_of(history: History, statuses: Statuses) -> ConversationState:
    """The state, from the whole history and from nothing else; the order of the facts makes no difference."""
    windows = tuple(_window(history, window, statuses) for window in history.windows())
    verdicts = {w.verdict for w in windows}
    return ConversationState(
        conversation=history.conversation,
        state=_overall(history, windows),
        received=_first(f.at for f in history.facts if isinstance(f, DocumentReceived)),
        delivered=_last_of_all(windows, lambda w: w.delivered),
        decided=_last_of_all(windows, lambda w: w.decided if w.verdict else ""),
        verdict="" if not verdicts or "" in verdicts else verdicts.pop() if len(verdicts) == 1 else "mixed",
        windows=windows,
        alarms=tuple(sorted({*_strangers(history), *(a for w in windows for a in w.alarms)})),
    )


def standing_answer(history: History, window: ParticipantCode, statuses: Statuses) -> Answered | None:
    """The answer that shows where the message stands at a window; None while none counts."""
    answered = history.answers(window) if history.has_delivery(window) else ()
    standing, _ = _standing([(f, statuses.states[f.state]) for f in answered if f.state in statuses.states])
    return max(standing, key=_weight)[0] if standing else None


def _overall(history: History, windows: tuple[WindowState, ...]) -> str:
    if not windows:
        return _before_routing(history)
    states, verdicts = {w.state for w in windows}, {w.verdict for w in windows}
    if len(states) == 1:
        return states.pop()
    if "" not in verdicts:
        return verdicts.pop() if len(verdicts) == 1 else "mixed"
    if any(w.decided for w in windows):
        return "partly_decided"
    return "delivered" if all(w.delivered for w in windows) else "partly_delivered"


def _before_routing(history: History) -> str:
    kinds = {f.kind for f in history.facts}
    return next((state for kind, state in _EARLY if kind in kinds), "received")


def _window(history: History, window: ParticipantCode, statuses: Statuses) -> WindowState:
    delivered = _first(f.at for f in history.facts if isinstance(f, Delivered) and f.window == window)
    answered = history.answers(window) if delivered else ()
    standing, alarms = _standing([(f, statuses.states[f.state]) for f in answered if f.state in statuses.states])
    verdict = _verdict([state for _, state in standing])
    state, decided = _told(standing)
    if not verdict:
        gave_up = _first(f.at for f in history.facts if isinstance(f, NoAnswer) and f.window == window)
        state, decided = (
            ("no_answer", gave_up) if gave_up else (state or _transport(history, window, delivered), decided)
        )
    return WindowState(
        window=window,
        state=state,
        verdict=verdict,
        delivered=delivered,
        decided=decided,
        mrn=max(((f.at, f.answer.mrn) for f in answered if f.answer.mrn), default=("", ""))[1],
        answers=len(answered),
        overdue=_overdue(history, window),
        alarms=tuple(sorted({*alarms, *_conflicts(answered), *_unknown(answered), *_odd_times(answered, delivered)})),
    )


def _told(standing: list[tuple[Answered, State]]) -> tuple[str, str]:
    """The state of the highest rank among the answers, and when the window issued it."""
    if not standing:
        return "", ""
    fact, state = max(standing, key=_weight)
    return state.code, fact.answer.issued if fact.answer.issued and not is_ahead(fact) else fact.at


def _transport(history: History, window: ParticipantCode, delivered: str) -> str:
    if delivered:
        return "delivered"
    return "failed" if any(isinstance(f, DeliveryFailed) and f.window == window for f in history.facts) else "waiting"


def _weight(answered: tuple[Answered, State]) -> tuple[int, str, str, str]:
    fact, state = answered
    return state.rank, fact.at, fact.answer.issued, fact.answer.digest


def _standing(answered: list[tuple[Answered, State]]) -> tuple[list[tuple[Answered, State]], list[str]]:
    """The answers that count, and an alarm where a window both accepts and rejects.

    Then an acceptance stands that came after every rejection, unless its own times say otherwise; else the rejection:
    nobody may move goods on a doubt. What came when is read from the broker's clock: a window's clock decides nothing.
    """
    rejections = [t for t in answered if t[1].verdict == "rejected" and not t[1].weak]
    acceptances = [t for t in answered if t[1].verdict == "accepted" and not t[1].weak]
    if not rejections or not acceptances:
        return answered, []
    no, yes = (max(t[0] for t in side) for side in (_times(rejections), _times(acceptances)))
    is_issued_before = any(
        yes_issued and no_issued and yes_issued <= no_issued
        for _, no_issued in _times(rejections)
        for at, yes_issued in _times(acceptances)
        if at == yes
    )
    losers = rejections if yes > no and not is_issued_before else [t for t in answered if t[1].verdict == "accepted"]
    return [t for t in answered if t not in losers], [f"contradiction:{answered[0][0].answer.window}"]


def _times(answered: list[tuple[Answered, State]]) -> list[tuple[str, str]]:
    """When each answer came, and when its window says that it issued it."""
    return [(fact.at, fact.answer.issued) for fact, _ in answered]


def _verdict(states: list[State]) -> Verdict:
    """Cancelled before rejected before accepted; what only speaks of a request counts when nothing else does."""
    strong = {s.verdict for s in states if s.verdict and not s.weak}
    weak = {s.verdict for s in states if s.verdict and s.weak}
    for verdicts in (strong, weak):
        for verdict in ("cancelled", "rejected", "accepted"):
            if verdict in verdicts:
                return verdict
    return ""


def is_ahead(fact: Answered) -> bool:
    """Whether an answer was issued in the future of the broker that got it; a day is left to zones and clocks."""
    return bool(fact.answer.issued) and _moment(fact.answer.issued) > _moment(fact.at) + _TOLERANCE


def is_before(fact: Answered, delivered: str) -> bool:
    """Whether an answer was issued before its window had what it answers."""
    return bool(fact.answer.issued and delivered) and _moment(fact.answer.issued) < _moment(delivered) - _TOLERANCE


def _odd_times(answered: tuple[Answered, ...], delivered: str) -> Iterable[str]:
    """Answers that were issued in the future, or before the delivery that they answer."""
    for fact in answered:
        if is_ahead(fact):
            yield f"future:{fact.answer.window}:{fact.answer.answer_id}"
        elif is_before(fact, delivered):
            yield f"before-delivery:{fact.answer.window}:{fact.answer.answer_id}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _conflicts(answered: tuple[Answered, ...]) -> Iterable[str]:
    """Answers under one id that do not say the same."""
    ids = [f.answer.answer_id for f in answered]
    return (f"conflict:{f.answer.window}:{f.answer.answer_id}" for f in answered if ids.count(f.answer.answer_id) > 1)


def _unknown(answered: tuple[Answered, ...]) -> Iterable[str]:
    return (f"unknown-code:{f.answer.window}:{f.answer.function_code}" for f in answered if not f.state)


def _strangers(history: History) -> Iterable[str]:
    """Answers of windows that never got the message: kept, not counted."""
    windows = {f.answer.window for f in history.answers()}
    return (f"not-delivered:{window}" for window in windows if not history.has_delivery(window))


def _overdue(history: History, window: ParticipantCode) -> tuple[tuple[str, int], ...]:
    levels: dict[str, int] = {}
    for fact in history.facts:
        if isinstance(fact, Overdue) and fact.window == window:
            levels[fact.step] = max(fact.level, levels.get(fact.step, 0))
    return tuple(sorted(levels.items()))


def _first(times: Iterable[str]) -> str:
    return min(times, default="")


def _last_of_all(windows: tuple[WindowState, ...], when: Callable[[WindowState], str]) -> str:
    times = [when(window) for window in windows]
    return max(times) if times and all(times) else ""
