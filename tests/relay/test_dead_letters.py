import pytest

from broker.model.errors import Failed
from broker.relay import headers, topics
from broker.relay.dead_letters import DeadLetter
from broker.relay.records import Consumed
from broker.relay.tracking_view import story


def letter(destination, **extra):
    values = {
        "ce_id": "1", "ce_type": "swb.payload", "swb_message_id": "m", "swb_reason": "missing", "swb_lane": "3",
        "swb_destination": destination, "swb_buried_at": "2026-01-01T00:00:00.000Z", "swb_origin_topic": "swb.a.outbox",
        "swb_origin_partition": "3", "swb_origin_offset": "7", **extra,
    }  # fmt: skip
    return DeadLetter(Consumed(topics.DEADLETTER, 1, 42, b"k", b"content", headers.encoded(values), 1_000))


def test_a_delivery_returns_to_the_queue_of_its_destination_as_it_was():
    back = letter("swb.pe-vuce.inbox").redriven("ana")
    assert (back.topic, back.partition, back.key, back.value) == ("swb.retry.pe-vuce", 3, b"k", b"content")
    assert dict(back.headers) == {
        "ce_id": b"1",
        "ce_type": b"swb.payload",
        "swb_message_id": b"m",
        "swb_redrive_of": b"swb.deadletter/1/42",
        "swb_redriven_by": b"ana",
    }


def test_a_document_returns_over_the_intake_topic_and_says_where_it_lay():
    back = letter("swb.pe-sunat.outbox").redriven("ana")
    assert (back.topic, back.partition) == (topics.INTAKE, 3)
    assert back.header("swb_origin_offset") == "7"


def test_an_answer_returns_under_its_own_key():
    back = letter(topics.FACTS, swb_window="pe-vuce").redriven("ana")
    assert (back.topic, back.partition, back.key) == (topics.FACTS, None, b"k")
    assert back.header("swb_window") == "pe-vuce"
    assert back.header("swb_origin_topic") == "swb.a.outbox"


def test_a_claim_goes_with_it_and_tells_its_size():
    claimed = letter("swb.pe-vuce.inbox", swb_claim="abc 5000000")
    assert claimed.as_json()["bytes"] == 5_000_000
    assert claimed.redriven("ana").header("swb_claim") == "abc 5000000"


def test_what_says_no_destination_stays():
    with pytest.raises(Failed, match="1/42"):
        letter("").redriven("ana")


def test_received_delivered_and_decided_are_separate_facts():
    events = [
        {"event": "received", "at": "1", "sender": "a", "routed": [{"window": w, "rule": f"{w}-1"} for w in "xy"]},
        {"event": "delivered", "at": "1", "window": "x"},
        {"event": "waiting", "at": "1", "window": "y", "reason": "missing"},
    ]
    told = story("m", events)
    assert told["received"] == {"at": "1"}
    x, y = told["deliveries"]
    assert (x["rule"], x["delivered"], x["decided"]) == ("x-1", {"at": "1"}, None)
    assert (y["waiting"], y["delivered"]) == ({"at": "1", "reason": "missing"}, None)


def test_nothing_known_is_told_as_nothing():
    told = story("m", [])
    assert told["received"] is None
    assert told["deliveries"] == told["events"] == told["refused"] == []


def test_a_refusal_is_no_receipt():
    told = story("m", [{"event": "refused", "at": "1", "sender": "a", "findings": [{"code": "type.unknown"}]}])
    assert told["received"] is None
    assert told["refused"][0]["findings"] == [{"code": "type.unknown"}]
    assert told["sender"] == "a"
