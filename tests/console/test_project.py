"""What a tracking event changes: the same whether it comes twice, and in whatever order facts come."""

import random

import pytest

from broker.console.project import Changes, state_of
from tests.console.kit import at, message, story

M = "a" * 32
RECEIVED = {"event": "received", "message_id": M, "at": at(0), "sender": "pe-sunat", "document_type": "invoice/ubl-2.1",
            "routed": [{"window": "pe-vuce", "rule": "PE-1"}, {"window": "sg-tradenet", "rule": "SG-1"}]}  # fmt: skip


def event(name, window="", **more):
    return {"event": name, "message_id": M, "at": at(5), **({"window": window} if window else {}), **more}


def after(*events):
    changes = Changes()
    for one in events:
        changes.apply(one)
    changes.settle()
    return changes


def state(*events):
    document = after(*events).documents[M]
    return document["state"], bool(document["is_open"])


def decided(window, verdict, standing=None):
    return event(
        "decided", window, state=standing or verdict or "registered", standing=standing or verdict, verdict=verdict
    )


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([RECEIVED], ("waiting", True)),
        ([RECEIVED, event("delivered", "pe-vuce")], ("waiting", True)),
        ([RECEIVED, event("delivered", "pe-vuce"), event("delivered", "sg-tradenet")], ("delivered", True)),
        ([RECEIVED, event("failed", "pe-vuce", reason="gone"), event("delivered", "sg-tradenet")], ("failed", True)),
        ([RECEIVED, decided("pe-vuce", "accepted")], ("partly_decided", True)),
        ([RECEIVED, decided("pe-vuce", "accepted"), decided("sg-tradenet", "accepted")], ("accepted", False)),
        ([RECEIVED, decided("pe-vuce", "accepted"), decided("sg-tradenet", "rejected")], ("mixed", False)),
        ([RECEIVED, event("no_answer", "pe-vuce"), event("no_answer", "sg-tradenet")], ("no_answer", False)),
        ([{**RECEIVED, "routed": []}, event("not_routed")], ("not_routed", False)),
        ([event("refused", sender="pe-sunat")], ("refused", False)),
        ([event("deadletter", sender="pe-sunat", reason="unforeseen")], ("failed", True)),
        ([event("deadletter", sender="pe-sunat"), event("operator.closed", deadletter="1/2")], ("failed", False)),
        (
            [event("refused"), RECEIVED, decided("pe-vuce", "rejected"), decided("sg-tradenet", "rejected")],
            ("rejected", False),
        ),
    ],
)
def test_a_state_follows_from_what_is_known(events, expected):
    assert state(*events) == expected


def test_a_verdict_is_not_taken_back_by_what_comes_late():
    known = [RECEIVED, decided("pe-vuce", "accepted"), decided("sg-tradenet", "accepted")]
    late = [event("delivered", "pe-vuce"), event("waiting", "sg-tradenet"), event("failed", "pe-vuce"),
            event("no_answer", "pe-vuce"), event("overdue", "pe-vuce"),
            event("conflict", sender="pe-sunat")]  # fmt: skip
    assert state(*known, *late) == ("accepted", False)


def test_after_a_redrive_a_failed_delivery_is_delivered():
    assert state(
        RECEIVED, event("failed", "pe-vuce"), event("delivered", "sg-tradenet"), event("delivered", "pe-vuce")
    ) == (
        "delivered",
        True,
    )


@pytest.mark.parametrize("number", range(40))
def test_events_that_come_twice_and_in_another_order_change_nothing(number):
    told, chance = story(number), random.Random(number)
    once = after(*told)
    again = [*told[:1], *chance.sample(told[1:] * 2, 2 * len(told) - 2)]
    twice = after(*again)
    assert (twice.documents, twice.deliveries) == (once.documents, once.deliveries)
    assert twice.identifiers == once.identifiers


def test_what_names_no_document_opens_none():
    assert not after(event("writeoff"), event("repeat"), event("amends", relates_to="b" * 32)).documents
    assert not after({"event": "answer-unreadable", "at": at(0), "message_id": ""}).documents


def test_a_document_is_found_by_what_tracking_lists():
    changes = after(
        {**RECEIVED, "number": "F-1", "declarant": "20100000001", "sender_id": "X1"},
        event("decided", "pe-vuce", mrn="26PE1", verdict=""),
    )
    assert {(value, kind) for value, kind, _ in changes.identifiers} == {
        ("F-1", "number"), ("20100000001", "declarant"), ("X1", "id"), ("26PE1", "mrn"),
    }  # fmt: skip


def test_a_dead_letter_that_came_back_is_not_closed_afterwards():
    ends = after(
        {"event": "redriven", "at": at(1), "message_id": M, "redrive_of": "swb.deadletter/3/17", "by": "olga"},
        {"event": "operator.closed", "at": at(2), "message_id": M, "deadletter": "3/17", "by": "otto", "why": "late"},
    ).ends
    assert ends == {(3, 17): {"partition": 3, "position": 17, "state": "redriven", "by": "olga", "why": ""}}


def test_an_empty_list_of_windows_leaves_the_state_as_it_is():
    assert state_of("refused", []) == "refused"
    assert message(1) != message(2)
