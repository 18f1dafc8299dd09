"""A document as it came, on an outbox or over the intake topic."""

import pytest

from broker.relay import headers, ids, topics
from broker.relay.intake import received
from broker.relay.records import Consumed, Place

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def record(topic, value=b"x", **given):
    return Consumed(topic, 1, 5, b"k", value, headers.encoded(given), 1_000)


def test_from_an_outbox_what_it_says_of_itself_is_not_believed():
    found = received(record(topics.outbox("aa"), ce_id="7", traceparent=TRACE, swb_oversize="9", swb_part="2 3"), 100)
    assert (found.sender, found.origin, found.message_id) == (
        "aa", Place(topics.outbox("aa"), 1, 5), ids.message_id("aa", "7"),
    )  # fmt: skip
    assert (found.oversize, found.part, found.trace_id) == (0, 0, TRACE.split("-")[1])


def test_over_the_intake_it_keeps_its_origin_and_its_place_in_the_envelope():
    given = {**Place(topics.outbox("aa"), 2, 9).headers(), "ce_id": "7#2", "swb_part": "2 28"}
    found = received(record(topics.INTAKE, **given), 100)
    assert (found.origin.offset, found.part, found.skipped, found.name) == (
        9, 2, 28, ids.message_id("aa", "7#2").encode(),
    )  # fmt: skip


def test_without_an_id_it_is_named_by_its_content_and_too_much_is_known_as_such():
    found = received(record(topics.outbox("aa"), b"x" * 101), 100)
    assert (found.message_id, found.oversize) == (ids.message_id("aa", ids.content_id(b"x" * 101)), 101)


def test_what_comes_from_no_outbox_is_no_document():
    with pytest.raises(ValueError, match="is no outbox"):
        received(record(topics.INTAKE, **Place("swb.facts", 0, 0).headers()), 100)
