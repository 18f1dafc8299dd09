"""``swb deadletter``: listed, looked at, sent back; nothing is written without a yes."""

import pytest

from broker.kafka import reading
from broker.relay import topics
from tests.support.cli_kit import objects, record


@pytest.fixture
def written(monkeypatch):
    letters = [
        record(
            topics.DEADLETTER, b"k", b"<p/>", offset=n, timestamp=1_767_225_600_000 + n, swb_reason=reason,
            swb_destination=f"swb.{window}.inbox", swb_origin_topic="swb.aa-farm.outbox", swb_origin_partition="0",
            swb_origin_offset=str(n), swb_lane="0",
        )
        for n, (reason, window) in enumerate((("missing", "pe-vuce"), ("too-large", "sg-tradenet")))
    ]  # fmt: skip
    found = []
    monkeypatch.setattr(reading, "read", lambda *_, **__: iter(letters))
    monkeypatch.setattr(reading, "write", lambda _, records: found.extend(records))
    return found


def test_a_list_may_be_narrowed(swb, written):
    _, out, _ = swb("deadletter", "list", "-o", "json")
    assert [(one["id"], one["reason"]) for one in objects(out)] == [("0/0", "missing"), ("0/1", "too-large")]
    assert "0/1" not in swb("deadletter", "list", "--reason", "miss")[1]
    assert swb("deadletter", "list", "--participant", "sg-tradenet")[1].endswith("1 dead letter\n")


def test_nothing_is_sent_back_without_a_yes(swb, written):
    code, out, _ = swb("deadletter", "redrive", "0/0")
    assert (code, written) == (0, [])
    assert "would go to" in out
    swb("deadletter", "redrive", "0/0", "--yes")
    assert [(one.key, one.value) for one in written] == [(b"k", b"<p/>")]


def test_who_does_not_say_which_or_names_one_that_is_not_there_is_told(swb, written):
    assert "say which" in swb("deadletter", "redrive")[2]
    code, _, err = swb("deadletter", "redrive", "9/9", "--yes")
    assert (code, "no such dead letter: 9/9" in err, written) == (2, True, [])
