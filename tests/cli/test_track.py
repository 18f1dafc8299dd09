"""``swb track``: what became of a message, out of its events."""

import json

import pytest

from broker.kafka import reading
from broker.relay import topics
from tests.support.cli_kit import MESSAGE, record

AT = "2026-01-01T00:00:00Z"
EVENTS = [
    {"event": "received", "at": AT, "message_id": MESSAGE, "sender": "pe-sunat", "document_type": "invoice/x",
     "routed": [{"window": "pe-vuce", "rule": "PE-01"}]},
    {"event": "delivered", "at": AT, "message_id": MESSAGE, "sender": "pe-sunat", "window": "pe-vuce"},
]  # fmt: skip


@pytest.fixture(autouse=True)
def tracking(monkeypatch):
    found = [record(topics.TRACKING, MESSAGE.encode(), json.dumps(event).encode()) for event in EVENTS]
    monkeypatch.setattr(reading, "partition_of", lambda *_: 0)
    monkeypatch.setattr(reading, "read", lambda *_: iter(found))


def test_a_message_is_told_from_its_receipt_to_each_window(swb):
    code, out, _ = swb("track", MESSAGE)
    assert code == 0
    assert out.splitlines()[0] == f"{MESSAGE}  invoice/x  from pe-sunat"
    assert "pe-vuce (PE-01)" in out
    assert f"delivered  {AT}" in out


def test_of_what_is_unknown_nothing_is_told(swb):
    code, out, err = swb("track", "f" * 32)
    assert (code, out, err) == (1, "", f"Nothing is known of {'f' * 32}.\n")
