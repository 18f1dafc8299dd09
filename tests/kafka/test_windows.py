"""Every sample of every window, on the real Kafka: published by an agency, decided by the window, brought home."""

import json
import time

import pytest

from tests.support.window_kit import STATES, WINDOWS, House, document, sample, verdict


@pytest.fixture
def house(fresh_kafka, monkeypatch):
    monkeypatch.delenv("SWB_WINDOW_FAULTS", raising=False)
    with House(fresh_kafka) as house:
        yield house


def play(house, sent, is_done, *, faults="", seconds=120):
    """Publish, and hear until every document is done; how long that took at most is the test's patience."""
    house.windows(faults=faults)
    house.worker()
    house.publish(*sent)
    house.hear(sent, is_done, seconds)


def test_every_rule_of_every_window_comes_home_over_kafka(house, unique):
    accepting = {(w, r.id): document(w, r.id, unique) for w, window in WINDOWS.items() for r in window.accepts}
    rejecting = {(w, r.id): document(w, r.id, unique) for w, window in WINDOWS.items() for r in window.rules}
    sent = [*accepting.values(), *rejecting.values()]
    play(house, sent, lambda one: one.is_done(STATES))
    assert [one.name for one in sent if not one.is_done(STATES)] == [], house.tails()
    for (window, _), one in accepting.items():
        assert verdict(one.windows[window]) == "accepted", one.name
    for (window, name), one in rejecting.items():
        rule = next(r for r in WINDOWS[window].rules if r.id == name)
        assert verdict(one.windows[window]) == ("rejected" if rule.severity == "error" else "accepted"), one.name
        if rule.severity == "error":
            (finding,) = [f for by, f in one.findings if by == window]
            assert (finding["rule"], finding["code"]) == (name, rule.code)
            assert finding["pointer"] == sample(window, name).points
            assert finding["line"]


FAULTS = {
    "pe-vuce": {"twice": 1},
    "sg-tradenet": {"disorder": 1},
    "au-ics": {"rubbish": 1},
    "us-ace": {"fail": 1},
    "kr-unipass": {"late": 1, "late_by": 6},
    "mx-vucem": {"disorder": 1},
    "jp-naccs": {"disorder": 1, "twice": 1, "delay": 1},
}


def test_whatever_goes_wrong_with_answers_the_state_is_that_of_the_whole_history(house, unique):
    told = {window: document(window, WINDOWS[window].accepts[0].id, unique) for window in FAULTS}
    wrong = {window: document(window, WINDOWS[window].rules[0].id, unique) for window in FAULTS}
    sent = [*told.values(), *wrong.values()]

    def is_done(one):
        return one.receipt is not None and all(verdict(s) for w, s in one.windows.items() if w != "us-ace")

    play(house, sent, is_done, faults=json.dumps(FAULTS), seconds=60)
    time.sleep(3)  # what comes late or twice, comes now
    for window in FAULTS:
        for one, expected in ((told[window], "accepted"), (wrong[window], "rejected")):
            delivery = house.at_window(one, window)
            assert delivery["delivered"]
            assert verdict(delivery["state"]) == ("" if window == "us-ace" else expected)
            assert one.windows[window] == (delivery["state"] or ""), "the sender's last word is where it stands"
