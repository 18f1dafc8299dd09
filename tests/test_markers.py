"""How a lane finds out what its last transaction was to be, and ends what Kafka left open of it."""

from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from broker.kafka.markers import Markers, was_committed
from broker.kafka.transactions import Identity, Look, Open, Told

PLACE = TopicPartition("swb.win.inbox", 0)


class Kafka:
    """One lane's coordinator and one partition; ``looks`` are answers, or what goes wrong."""

    def __init__(self, *looks, state, epoch):
        self.looks, self.state, self.epoch, self.ended = list(looks), state, epoch, []

    async def told_of(self, _):
        return Told(self.state, 7, self.epoch)

    def fence(self):
        """A producer that has started."""
        self.epoch += 2 if self.state == "Ongoing" else 1
        self.state = "Empty"
        return SimpleNamespace(_txn_manager=SimpleNamespace(producer_id=7, producer_epoch=self.epoch))

    async def partitions_of(self, _):
        return {PLACE}

    async def look(self, *_):
        look = self.looks.pop(0)
        if isinstance(look, Exception):
            raise look
        return look

    async def end(self, identity, partitions, *, is_commit):
        assert identity.epoch == self.epoch
        self.ended.append((sorted(partitions), is_commit))


def left():
    return Look(open={PLACE: Open(5, 0)})


def unseen():
    return Look(unseen={PLACE})


async def opened(kafka, markers, *, heard=True):
    await markers.before_fencing()
    producer = kafka.fence()
    if heard:
        await markers.after_fencing(producer)


@pytest.mark.parametrize(
    ("state", "is_commit"), [("CompleteCommit", True), ("Ongoing", False), ("CompleteAbort", False)]
)
async def test_what_is_open_ends_as_it_was_meant(state, is_commit):
    kafka = Kafka(left(), state=state, epoch=4)
    await opened(kafka, Markers(0, kafka, ["swb.win.inbox"]))
    assert kafka.ended == [([PLACE], is_commit)]


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize(
    ("state", "is_commit"), [("CompleteCommit", True), ("Ongoing", False), ("CompleteAbort", False)]
)
async def test_it_is_known_still_when_the_lane_must_open_again(state, is_commit, heard):
    kafka = Kafka(*([KafkaConnectionError()] if heard else []), left(), state=state, epoch=4)
    markers = Markers(0, kafka, ["swb.win.inbox"])
    if heard:
        with pytest.raises(KafkaConnectionError):
            await opened(kafka, markers)
    else:
        await opened(kafka, markers, heard=False)
    await opened(kafka, markers)
    assert kafka.ended == [([PLACE], is_commit)]


async def test_where_nobody_can_be_asked_nothing_is_written_and_the_end_is_remembered(monkeypatch):
    monkeypatch.setattr("broker.kafka.markers._LEADERS_SECONDS", 0)
    kafka = Kafka(unseen(), unseen(), unseen(), left(), Look(), state="CompleteAbort", epoch=4)
    markers = Markers(0, kafka, ["swb.win.inbox"])
    await opened(kafka, markers)
    assert await markers.unseen(["swb.other.inbox"]) == set()
    assert await markers.unseen(["swb.win.inbox", "swb.other.inbox"]) == {"swb.win.inbox"}
    kafka.state = "CompleteCommit"  # of other topics, meanwhile
    await opened(kafka, markers)
    assert await markers.unseen(["swb.win.inbox"]) == set()
    assert kafka.ended == [([PLACE], False)]


@pytest.mark.parametrize(
    ("state", "epoch", "committed"),
    [
        ("CompleteCommit", 5, True), ("PrepareCommit", 5, True), ("Ongoing", 5, True),  # it ended before the fencing
        ("CompleteCommit", 6, False), ("Ongoing", 6, False),  # something was aborted for it
        ("CompleteAbort", 5, False), ("PrepareAbort", 5, False),
        ("Empty", 5, None),
    ],
)  # fmt: skip
def test_how_the_last_transaction_ended(state, epoch, committed):
    assert was_committed(Told(state, 7, 4), Identity("swb-relay.0", 7, epoch)) is committed
    assert was_committed(Told(state, 8, 4), Identity("swb-relay.0", 7, epoch)) is None
