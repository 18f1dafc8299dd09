"""What the watchdog looks at, and when: histories as they lie in Kafka, on a virtual clock."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from broker.answers.history import Answered, Delivered, DocumentReceived, History, Overdue, Routed, add, dump
from broker.model.answers import Answer
from broker.model.participants import Wait
from broker.paths import data_root
from broker.registry.statuses import load
from broker.relay.watchdog.policy import WatchdogPolicy
from broker.relay.watchdog.schedule import WatchdogSchedule

STATUSES = load(data_root() / "mappings" / "statuses")
START = datetime(2026, 3, 1, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
PATIENCE = WatchdogPolicy({"receipt": Wait(HOUR), "decision": Wait(8 * HOUR, (16 * HOUR,))})


def at(hours: float) -> str:
    return (START + hours * HOUR).isoformat().replace("+00:00", "Z")


def ms(hours: float) -> int:
    return int((START + hours * HOUR).timestamp() * 1000)


def history(*facts) -> History:
    known = History("c" * 32)
    start = [
        DocumentReceived(at=at(0), sender="co-ica"),
        Routed(at=at(0), windows=("pe-vuce",)),
        Delivered(at=at(0), window="pe-vuce"),
    ]
    for fact in (*start, *facts):
        known, _ = add(known, fact)
    return known


def kept(known: History) -> bytes:
    return orjson.dumps({"key": "k", "history": orjson.Fragment(dump(known)), "at": 0})


def answered(function: str, hours: float) -> Answered:
    said = Answer("pe-vuce", function, function, digest=function)
    return Answered(at=at(hours), answer=said, state=STATUSES.means(said, "dms").state)


@pytest.fixture
def schedule():
    return WatchdogSchedule(STATUSES, PATIENCE, ["pe-vuce"])


def test_it_asks_when_a_limit_has_passed_and_again_until_the_owner_has_told(schedule):
    schedule.note(b"c" * 32, kept(history()), ms(0))
    assert schedule.due(ms(0.9)) == []
    assert schedule.due(ms(1)) == ["c" * 32]
    assert schedule.due(ms(1)) == []
    assert schedule.due(ms(1) + 60_000) == ["c" * 32]
    told = history(Overdue(at=at(1), window="pe-vuce", step="receipt", level=1))
    schedule.note(b"c" * 32, kept(told), ms(1.1))
    assert schedule.due(ms(7.9)) == []
    assert schedule.due(ms(8)) == ["c" * 32]


def test_what_has_ended_is_forgotten_unread(schedule):
    schedule.note(b"c" * 32, kept(history()), ms(0))
    schedule.note(b"c" * 32, kept(history(answered("01", 0.1))), ms(0.1))
    assert schedule.due(ms(2)) == []
    assert len(schedule) == 0


def test_a_tombstone_ends_the_watch(schedule):
    schedule.note(b"c" * 32, kept(history()), ms(0))
    schedule.note(b"c" * 32, None, ms(0))
    assert schedule.due(ms(100)) == []


@pytest.mark.proof
def test_many_are_watched_and_only_the_late_ones_are_asked_for(schedule):
    for n in range(500):
        known = history(answered("01", 0.1)) if n % 10 else history()
        schedule.note(f"{n:032}".encode(), kept(known), ms(n / 1000))
    assert len(schedule.due(ms(24))) == 50
    assert len(schedule) == 50
