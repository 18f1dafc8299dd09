"""What a lane remembers, written and read; entries of release 0.1.0 are read as they are."""

from dataclasses import replace
from decimal import Decimal

import orjson
import pytest
from structlog.testing import capture_logs

from broker.answers.history import DocumentReceived, History, dump
from broker.relay import ledger, topics
from broker.relay.entries import Certificates, Judged, Name, Remembered, Waiting
from broker.relay.ledger import Grant, Ledger, Line
from broker.relay.records import Produced
from broker.relay.stores import Stores

M = "a" * 32
HISTORY = History(M, (DocumentReceived(at="2026-06-01T00:00:00.000Z", sender="a"),))
FIRST = Ledger("C-1", Grant(M, "a", (Line(1, "KGM", Decimal(8200), ("080610",)),)))
LEDGER, OLD_LEDGER = replace(FIRST, issuer="a", kind="851"), replace(FIRST, version=1)
WAITING = Waiting((("ce_type", b"swb.fact.answer"), ("swb_record_id", b"\xff")), b"<R>\xe9</R>")
ENTRIES = {
    "duplicates": (Judged(5, "accepted", "ff"), Judged(5, "redriven")),
    "conversations": (Remembered(5, "k\xff", HISTORY), Remembered(5, None, HISTORY)),
    "references": (Name(5, (M,)), Name(5, waiting=(WAITING, WAITING))),
    "writeoff": (Certificates(5, (LEDGER, replace(LEDGER, issuer="b"))), Certificates(5, ())),
}


@pytest.mark.parametrize(("store", "entry"), [(name, e) for name, some in ENTRIES.items() for e in some])
def test_an_entry_is_read_as_it_was_written(store, entry):
    found = getattr(Stores(), store)
    record = found.put(b"key", entry, 3)
    assert found.get(b"key") == entry
    assert record == Produced(found.topic, b"key", record.value, partition=3)
    assert orjson.loads(record.value)["at"] == 5


KEPT = [["ce_type", "swb.fact.answer"], ["swb_record_id", "\xff"]]
OLD = {
    "a verdict": ("duplicates", {"sha256": "ff", "verdict": "refused", "at": 5}, Judged(5, "refused", "ff")),
    "a redrive": ("duplicates", {"redrive_of": "swb.deadletter/0/1", "at": 5}, Judged(5, "redriven")),
    "a window's number": ("references", {"message_id": M, "at": 5}, Name(5, (M,))),
    "a number waited for": (
        "references",
        {"waiting": [[*KEPT, ["", "<R>\xe9</R>"]]], "at": 5},
        Name(5, waiting=(WAITING,)),
    ),
    "a sender's number": (
        "references",
        {"messages": [M], "waiting": [[KEPT, "<R>\xe9</R>"]], "at": 5},
        Name(5, (M,), (WAITING,)),
    ),
    "a conversation": (
        "conversations",
        {"key": "k", "history": orjson.Fragment(dump(HISTORY)), "at": 5},
        Remembered(5, "k", HISTORY),
    ),
    "a certificate": (
        "writeoff",
        {"ledger": orjson.Fragment(ledger.dump(OLD_LEDGER)), "at": 5},
        Certificates(5, (OLD_LEDGER,)),
    ),
}


@pytest.mark.parametrize("name", OLD)
def test_what_0_1_0_remembered_is_read_on(name):
    store, value, entry = OLD[name]
    found = getattr(Stores(), store)
    found.load(b"key", orjson.dumps(value))
    assert found.get(b"key") == entry


@pytest.mark.parametrize("value", [b"", b"[]", b"{}", b"\xff", b'{"at": 5, "v": 9, "verdict": "accepted"}', b"null"])
@pytest.mark.parametrize("store", ENTRIES)
def test_an_entry_that_cannot_be_read_counts_as_none_and_is_alarmed(store, value):
    found = getattr(Stores(), store)
    found.load(b"key", value)
    with capture_logs() as logged:
        assert found.get(b"key") is None
    assert [(line["event"], line["topic"]) for line in logged] == [("state.unreadable", found.topic)]


def test_what_is_older_than_a_time_is_found_behind_an_entry_that_cannot_be_read():
    found = Stores().duplicates
    found.load(b"odd", b"\xff")
    found.load(b"old", b'{"at": 5}')
    found.load(b"new", b'{"at": 15}')
    assert list(found.older_than(10)) == [b"old"]
    assert found.topic == topics.DUPLICATES
