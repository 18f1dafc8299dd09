import hashlib

import pytest

from broker.relay import headers, ids, topics
from broker.relay.records import Consumed, Place, moment


def test_a_message_id_is_derived_from_participant_and_id():
    expected = hashlib.sha256(b"pe-sunat\nF001-1").hexdigest()[:32]
    assert ids.message_id("pe-sunat", "F001-1") == expected
    assert ids.is_message_id(expected)
    assert len(expected) <= 35  # FunctionalReferenceID, an..35


def test_the_same_id_of_two_participants_is_two_messages():
    assert ids.message_id("pe-sunat", "1") != ids.message_id("co-ica", "1")


def test_the_brokers_ids_tell_apart_what_differs():
    found = {ids.broker_id("m", "w", kind, cause) for kind in ("payload", "answer") for cause in ("", "a", "b")}
    assert len(found) == 6


@pytest.mark.parametrize("code", ["pe-vuce", "sg-tradenet", "asean-sw"])
def test_topics_name_their_participant(code):
    assert topics.writer_of(topics.outbox(code)) == code
    assert topics.reader_of(topics.inbox(code)) == code
    assert topics.waiting_for(topics.retry(code)) == code
    assert topics.writer_of(topics.inbox(code)) is None
    assert topics.reader_of(topics.FACTS) is None


def test_the_group_works_on_every_outbox_and_never_on_an_inbox():
    worked = topics.worked_topics(["b", "a"])
    assert worked == ["swb.a.outbox", "swb.b.outbox", "swb.intake", "swb.facts", "swb.retry.a", "swb.retry.b"]
    assert set(worked) < set(topics.all_topics(["a", "b"]))


def test_a_header_that_is_no_utf_8_is_read_as_latin_1_so_that_ids_that_differ_stay_apart():
    record = Consumed("t", 0, 0, None, b"", (("ce_id", b"\xff1"), ("ce_id", b"2")))
    other = Consumed("t", 0, 0, None, b"", (("ce_id", b"\xfe1"),))
    assert (record.header("ce_id"), other.header("ce_id")) == ("\xff1", "\xfe1")
    assert record.header("absent") == ""


def test_a_hopped_record_says_where_it_lay():
    place = Place("swb.a.outbox", 3, 77)
    assert Consumed("swb.intake", 0, 0, b"k", b"", headers.encoded(place.headers())).origin == place
    with pytest.raises(ValueError):
        _ = Consumed("swb.intake", 0, 0, b"k", b"").origin


def test_moments_are_utc_with_milliseconds():
    assert moment(1_700_000_000_123) == "2023-11-14T22:13:20.123Z"
