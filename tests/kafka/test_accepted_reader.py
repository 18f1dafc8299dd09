"""What the reader takes from the topic of accepted documents, and what it passes over."""

import pytest

from broker.kafka.accepted_reader import AcceptedReader
from broker.relay.accepted_ids import AcceptedIds
from broker.relay.entries import Judged, JudgedCodec
from broker.settings import Settings

ID = b"0123456789abcdef0123456789abcdef"
ACCEPTED = JudgedCodec().encode(Judged(1, "accepted"))


class Read:
    """A record as the client hands it over."""

    def __init__(self, key, value, fault=None):
        self.given = key, value, fault

    def key(self):
        return self.given[0]

    def value(self):
        return self.given[1]

    def error(self):
        return self.given[2]

    def partition(self):
        return 5


@pytest.mark.parametrize(
    ("record", "lane"),
    [
        (Read(ID, ACCEPTED), 5),
        (Read(ID, JudgedCodec().encode(Judged(1, "refused"))), None),
        (Read(ID, None), None),
        (Read(b"z" * 32, ACCEPTED), None),
        (Read(ID, ACCEPTED, "a fault"), None),
    ],
    ids=["accepted", "refused", "forgotten", "no id of ours", "a fault of the client"],
)
def test_an_id_is_known_with_its_lane_once_it_was_accepted(record, lane):
    known = AcceptedIds()
    AcceptedReader(Settings(), known)._note(record)
    assert known.lane_of(ID) == lane
    assert len(known) == (lane is not None)
