"""What people do is an event that says who and why."""

import json

from broker.console import actions
from broker.console.access import Person
from broker.relay import topics

ANN = Person("ann", "operator", "s1")


def test_an_action_is_told_with_who_and_why():
    record = actions.event("revealed", ANN, "a call of the sender", message_id="m" * 32, window="")
    told = json.loads(record.value)
    assert (record.topic, record.key, told["event"]) == (topics.TRACKING, b"m" * 32, "operator.revealed")
    assert (told["by"], told["role"], told["why"], "window" in told) == (
        "ann",
        "operator",
        "a call of the sender",
        False,
    )


def test_a_letter_that_is_closed_is_named(monkeypatch):
    written = []
    monkeypatch.setattr(actions.reading, "write", lambda _, records: written.extend(records))
    letter = {"partition": 1, "position": 7, "message_id": "", "window": "xx", "reason": "missing"}
    assert actions.close(None, ANN, "a test", [letter]) == 1
    assert json.loads(written[0].value)["deadletter"] == actions.name_of(letter) == "1/7"
