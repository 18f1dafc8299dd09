"""Records as they are read: places, headers of any bytes, where a partition goes on."""

import pytest

from broker.relay.records import Consumed, Place, Produced, WireFault


def test_a_place_survives_its_headers():
    place = Place("swb.aa.outbox", 3, 7)
    given = tuple((name, text.encode()) for name, text in place.headers().items())
    assert Consumed("swb.intake", 0, 0, None, None, given).origin == place
    assert str(place) == "swb.aa.outbox/3/7"
    with pytest.raises(ValueError, match="invalid literal"):
        _ = Consumed("swb.intake", 0, 0, None, None).origin


def test_the_first_header_of_a_name_counts_and_any_bytes_are_a_text():
    record = Consumed("t", 0, 0, None, None, (("a", b"\xe9"), ("a", b"x")))
    assert (record.header("a"), record.header("b"), record.content) == ("é", "", b"")
    assert Produced("t", None, None, (("a", b"x"),)).header("a") == "x"


def test_after_what_cannot_be_told_apart_the_partition_goes_on():
    assert Consumed("t", 0, 5, None, None).following == 6
    assert Consumed("t", 0, 5, None, None, fault=WireFault("undecodable", 9)).following == 10
