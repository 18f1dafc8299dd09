"""Limits on a virtual clock: events, escalation, the end of waiting by policy only, silence once something is heard."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.answers.conversation import state_of
from broker.answers.history import (
    Answered,
    Delivered,
    DeliveryFailed,
    DocumentReceived,
    DocumentRefused,
    History,
    NoAnswer,
    Overdue,
    Routed,
    add,
)
from broker.model.answers import Answer
from broker.model.errors import Misconfigured
from broker.model.participants import Wait
from broker.registry.participants import load_participant
from broker.registry.statuses import load as load_statuses
from broker.relay.watchdog.policy import DEFAULT, WatchdogPolicy, next_due, overdue
from tests.support.paths import ROOT

STATUSES = load_statuses(ROOT / "mappings" / "statuses")
START = datetime(2026, 3, 1, 10, tzinfo=UTC)
H, M = timedelta(hours=1), timedelta(minutes=1)
LIMITS = {
    "delivery": Wait(10 * M, (1 * H,)),
    "receipt": Wait(30 * M, (2 * H, 4 * H)),
    "decision": Wait(8 * H, (16 * H,), give_up=24 * H),
}
PATIENCE = WatchdogPolicy(LIMITS, {"us-ace": {"decision": Wait(1 * H)}})


def at(after: timedelta) -> str:
    return (START + after).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def history(*facts, windows=("pe-vuce",), delivered=True) -> History:
    known = History("c" * 32)
    start = [DocumentReceived(at=at(0 * M), sender="co-ica"), Routed(at=at(0 * M), windows=windows)]
    start += [Delivered(at=at(1 * M), window=w) for w in windows if delivered]
    for fact in (*start, *facts):
        known, _ = add(known, fact)
    return known


def answer(function: str, after: timedelta, window: str = "pe-vuce") -> Answered:
    said = Answer(window, function, function, issued=at(after), digest=function)
    return Answered(at=at(after), answer=said, state=STATUSES.means(said, "dms").state)


class Clock:
    """Runs a watchdog over a virtual clock: at every due time it looks, and keeps what it finds."""

    def __init__(self, known: History, watchdog_policy: WatchdogPolicy = PATIENCE) -> None:
        self.history, self.patience, self.now = known, watchdog_policy, START
        self.events: list[tuple[timedelta, str, str, int]] = []

    def run(self, until: timedelta) -> list[tuple[timedelta, str, str, int]]:
        while (due := next_due(self.history, STATUSES, self.patience)) is not None and due <= START + until:
            self.now = max(self.now, due)
            found = overdue(self.history, STATUSES, self.patience, self.now)
            assert found, "woken for nothing"
            for event in found:
                self.history, novelty = add(self.history, event)
                assert novelty == "new"
                step, level = (event.step, event.level) if isinstance(event, Overdue) else ("given up", 0)
                self.events.append((datetime.fromisoformat(event.at) - START, event.window, step, level))
        return self.events

    def hear(self, fact) -> None:
        self.history, _ = add(self.history, fact)


def test_events_escalate_and_end_by_policy():
    clock = Clock(history())
    assert clock.run(48 * H) == [
        (31 * M, "pe-vuce", "receipt", 1),
        (2 * H + 1 * M, "pe-vuce", "receipt", 2),
        (4 * H + 1 * M, "pe-vuce", "receipt", 3),
        (8 * H + 1 * M, "pe-vuce", "decision", 1),
        (16 * H + 1 * M, "pe-vuce", "decision", 2),
        (24 * H + 1 * M, "pe-vuce", "given up", 0),
    ]
    now = state_of(clock.history, STATUSES)
    assert (now.state, now.verdict) == ("no_answer", "")
    assert now.windows[0].overdue == (("decision", 2), ("receipt", 3))
    assert next_due(clock.history, STATUSES, PATIENCE) is None


def test_without_a_policy_nobody_gives_up():
    clock = Clock(history(), WatchdogPolicy())
    clock.run(timedelta(days=365))
    assert [e[2:] for e in clock.events] == [("receipt", 1), ("receipt", 2), *(("decision", n) for n in (1, 2, 3))]
    assert state_of(clock.history, STATUSES).state == "delivered"
    assert all(limit.give_up is None for limit in DEFAULT.values())


def test_a_first_word_ends_the_wait_for_the_receipt_and_a_verdict_all_waiting():
    clock = Clock(history())
    clock.run(1 * H)
    clock.hear(answer("02", 1 * H))
    clock.run(9 * H)
    assert [e[2:] for e in clock.events] == [("receipt", 1), ("decision", 1)]
    clock.hear(answer("01", 9 * H))
    clock.run(timedelta(days=365))
    assert len(clock.events) == 2
    assert next_due(clock.history, STATUSES, PATIENCE) is None


def test_a_late_verdict_after_the_end_of_waiting_still_counts():
    clock = Clock(history())
    clock.run(48 * H)
    clock.hear(answer("09", 49 * H))
    assert state_of(clock.history, STATUSES).state == "cleared"


def test_a_delivery_that_waits_is_overdue_but_never_given_up():
    clock = Clock(history(delivered=False))
    clock.run(timedelta(days=30))
    assert [e[1:] for e in clock.events] == [("pe-vuce", "delivery", 1), ("pe-vuce", "delivery", 2)]
    clock.hear(DeliveryFailed(at=at(31 * H), window="pe-vuce", reason="inbox refuses"))
    assert state_of(clock.history, STATUSES).verdict == ""


def test_each_window_has_its_own_limits():
    clock = Clock(history(windows=("pe-vuce", "us-ace")))
    clock.run(70 * M)
    assert [e[1:] for e in clock.events] == [
        ("pe-vuce", "receipt", 1),
        ("us-ace", "receipt", 1),
        ("us-ace", "decision", 1),
    ]


def test_a_watchdog_that_slept_tells_all_at_once_and_only_once():
    known = history()
    found = overdue(known, STATUSES, PATIENCE, START + 48 * H)
    assert len(found) == 6
    assert isinstance(found[-1], NoAnswer)
    for event in found:
        known, _ = add(known, event)
    assert overdue(known, STATUSES, PATIENCE, START + 96 * H) == ()


def test_nothing_to_watch():
    refused, _ = add(History("c" * 32), DocumentRefused(at=at(0 * M)))
    assert next_due(refused, STATUSES, PATIENCE) is None
    nowhere, _ = add(History("c" * 32), Routed(at=at(0 * M), windows=()))
    assert next_due(nowhere, STATUSES, PATIENCE) is None
    assert next_due(history(answer("01", 2 * M)), STATUSES, PATIENCE) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 60 * 30), max_size=6))
def test_how_often_it_looks_makes_no_difference(minutes):
    """Any sequence of looks leaves the same facts as one look at the end."""
    known = history(windows=("pe-vuce", "us-ace"))
    for minute in sorted(minutes):
        for event in overdue(known, STATUSES, PATIENCE, START + minute * M):
            known, _ = add(known, event)
    for event in overdue(known, STATUSES, PATIENCE, START + 72 * H):
        known, _ = add(known, event)
    once = history(windows=("pe-vuce", "us-ace"))
    for event in overdue(once, STATUSES, PATIENCE, START + 72 * H):
        once, _ = add(once, event)
    assert set(known.facts) == set(once.facts)


@pytest.mark.parametrize(
    ("after", "escalate", "give_up"), [(0 * M, (), None), (2 * H, (1 * H,), None), (1 * H, (2 * H,), 90 * M)]
)
def test_a_limit_that_does_not_grow_is_refused(after, escalate, give_up):
    with pytest.raises(ValueError, match="grows"):
        Wait(after, escalate, give_up)


def test_a_window_s_profile_says_how_long_it_may_take(tmp_path):
    profile = ROOT / "mappings" / "participants" / "us-ace" / "participant.toml"
    folder = tmp_path / "participants" / "us-ace"
    folder.mkdir(parents=True)
    (tmp_path / "rules").symlink_to(ROOT / "mappings" / "rules")
    text = profile.read_text()
    assert load_participant(profile).patience["decision"].after == 2 * H

    def said(watchdog_policy: str) -> dict[str, Wait]:
        rest = re.sub(r"\[patience\]\n(?:[^\[\n].*\n)*", "", text)
        (folder / "participant.toml").write_text(f"{rest}\n[patience]\n{watchdog_policy}\n")
        return load_participant(folder / "participant.toml").patience

    assert said('receipt = { after = "30s", escalate = ["5m", "2h"], give_up = "3d" }') == {
        "receipt": Wait(timedelta(seconds=30), (5 * M, 2 * H), timedelta(days=3))
    }
    for wrong in (
        'receipt = { after = "soon" }',
        'receipt = { after = "2h", escalate = ["1h"] }',
        'lunch = { after = "1h" }',
    ):
        with pytest.raises(Misconfigured):
            said(wrong)
