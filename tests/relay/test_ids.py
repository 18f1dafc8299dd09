"""Ids are derived: the same thing has the same id, and no two things share one."""

import hashlib

from broker.relay import ids


def test_a_message_id_is_the_beginning_of_a_digest_over_sender_and_id():
    expected = hashlib.sha256(b"aa-farm\n42").hexdigest()[:32]
    assert ids.message_id("aa-farm", "42") == expected
    assert ids.is_message_id(expected)
    assert not ids.is_message_id(expected.upper())


def test_a_window_s_record_is_named_by_its_id_or_by_a_digest():
    assert ids.record_id("w1", b"x") == "w1"
    assert ids.record_id("", b"x") == ids.content_id(b"x")
    assert ids.record_id("w" * 201, b"x") == ids.content_id(b"w" * 201)


def test_what_differs_in_any_part_has_another_id():
    parts = [("m", "w", "k", "c"), ("m", "w", "k", ""), ("m", "w", "", "c"), ("n", "w", "k", "c"), ("m", "wk", "", "c")]
    assert len({ids.broker_id(*one) for one in parts}) == len(parts)
    assert ids.part_id("e", 2) == "e#2"
    assert ids.reference_key("w", "MRN1") == b"w\nMRN1"
