"""``swb inbox``: what a participant received, one line each, oldest first."""

import pytest

from broker.cli import inbox
from broker.kafka import reading
from tests.support.cli_kit import MESSAGE, objects, record

TOPIC = "swb.pe-vuce.inbox"


@pytest.fixture(autouse=True)
def records(monkeypatch):
    found = [
        record(TOPIC, b"k", b"<late/>", offset=1, timestamp=2_000, ce_type="swb.notice", swb_message_id=MESSAGE),
        record(TOPIC, None, b"<p/>", offset=0, timestamp=1_000, ce_type="swb.payload", swb_message_id=MESSAGE),
    ]
    monkeypatch.setattr(reading, "read", lambda *_, **__: iter(found))
    return found


def test_the_oldest_comes_first(swb):
    first, second = objects(swb("inbox", "pe-vuce", "-o", "json")[1])
    assert [(one["kind"], one["key"], one["content"]) for one in (first, second)] == [
        ("payload", None, "<p/>"), ("notice", "k", "<late/>"),
    ]  # fmt: skip
    assert first["at"].startswith("1970-01-01T00:00:01")


def test_a_payload_is_for_the_window_that_reads_it(records):
    assert [inbox.told(one, "pe-vuce")["window"] for one in records] == [None, "pe-vuce"]


def test_nobody_else_has_an_inbox(swb):
    code, _, err = swb("inbox", "nobody")
    assert (code, "nobody is not a participant" in err) == (2, True)
