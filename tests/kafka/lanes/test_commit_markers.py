"""How a lane finds out what its last transaction was to be, and ends what Kafka left open of it."""

from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from broker.kafka.lanes.commit_markers import CommitMarkers, MarkerMissing, was_committed
from broker.kafka.lanes.transaction_admin import Identity, Look, Open, TransactionState
from broker.relay import topics

PLACE = TopicPartition("swb.win.inbox", 0)


class Kafka:
    """One lane's coordinator and its partitions; ``looks`` are answers, or what goes wrong; after them all is ended."""

    def __init__(self, *looks, state, epoch, places=(PLACE,)):
        self.looks, self.state, self.epoch, self.places, self.ended = list(looks), state, epoch, set(places), []

    async def told_of(self, _):
        return TransactionState(self.state, 7, self.epoch)

    def fence(self):
        """A producer that has started."""
        self.epoch += 2 if self.state == "Ongoing" else 1
        self.state = "Empty"
        return SimpleNamespace(_txn_manager=SimpleNamespace(producer_id=7, producer_epoch=self.epoch))

    async def partitions_of(self, _):
        return self.places

    async def look(self, *_):
        look = self.looks.pop(0) if self.looks else Look()
        if isinstance(look, Exception):
            raise look
        return look

    async def end(self, identity, partitions, *, is_commit):
        assert identity.epoch == self.epoch
        self.ended.append((sorted(partitions), is_commit))


@pytest.fixture(autouse=True)
def _without_patience(monkeypatch):
    for name in ("_LEADERS_SECONDS", "_PATIENCE_SECONDS"):
        monkeypatch.setattr(f"broker.kafka.lanes.commit_markers.{name}", 0)


def left(*places):
    return Look(open=dict.fromkeys(places or (PLACE,), Open(5, 0, epoch=4)))


def unseen(*places):
    return Look(unseen=set(places or (PLACE,)))


async def opened(kafka, commit_markers, *, heard=True):
    await commit_markers.before_fencing()
    producer = kafka.fence()
    if heard:
        await commit_markers.after_fencing(producer)


@pytest.mark.parametrize(
    ("state", "is_commit"), [("CompleteCommit", True), ("Ongoing", False), ("CompleteAbort", False)]
)
async def test_what_is_open_ends_as_it_was_meant(state, is_commit):
    kafka = Kafka(left(), state=state, epoch=4)
    await opened(kafka, CommitMarkers(0, kafka, ["swb.win.inbox"]))
    assert kafka.ended == [([PLACE], is_commit)]


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize(
    ("state", "is_commit"), [("CompleteCommit", True), ("Ongoing", False), ("CompleteAbort", False)]
)
async def test_it_is_known_still_when_the_lane_must_open_again(state, is_commit, heard):
    kafka = Kafka(*([KafkaConnectionError()] if heard else []), left(), state=state, epoch=4)
    commit_markers = CommitMarkers(0, kafka, ["swb.win.inbox"])
    if heard:
        with pytest.raises(KafkaConnectionError):
            await opened(kafka, commit_markers)
    else:
        await opened(kafka, commit_markers, heard=False)
    await opened(kafka, commit_markers)
    assert kafka.ended == [([PLACE], is_commit)]


async def test_where_nobody_can_be_asked_nothing_is_written_and_the_end_is_remembered():
    kafka = Kafka(unseen(), unseen(), unseen(), left(), Look(), state="CompleteAbort", epoch=4)
    commit_markers = CommitMarkers(0, kafka, ["swb.win.inbox"])
    await opened(kafka, commit_markers)
    assert await commit_markers.unsettled(["swb.other.inbox"]) == set()
    assert await commit_markers.unsettled(["swb.win.inbox", "swb.other.inbox"]) == {"swb.win.inbox"}
    kafka.state = "CompleteCommit"  # of other topics, meanwhile
    await opened(kafka, commit_markers)
    assert await commit_markers.unsettled(["swb.win.inbox"]) == set()
    assert kafka.ended == [([PLACE], False)]


@pytest.mark.parametrize(("epoch", "is_commit"), [(5, True), (6, False), (7, False)])
async def test_where_a_worker_died_after_fencing_its_epoch_tells(epoch, is_commit):
    kafka = Kafka(left(), state="Empty", epoch=epoch)
    commit_markers = CommitMarkers(0, kafka, ["swb.win.inbox"])
    await opened(kafka, commit_markers)
    await commit_markers.end_offsets()
    assert kafka.ended == [([PLACE], is_commit), ([], is_commit)]


@pytest.mark.parametrize(
    ("state", "is_commit"), [("CompleteCommit", True), ("Ongoing", False), ("CompleteAbort", False)]
)
async def test_the_offsets_end_as_the_last_transaction_did(state, is_commit):
    kafka = Kafka(state=state, epoch=4)
    commit_markers = CommitMarkers(0, kafka, ["swb.win.inbox"])
    await opened(kafka, commit_markers)
    await opened(kafka, commit_markers)  # they were told of too late: the lane opens again
    await commit_markers.end_offsets()
    assert kafka.ended == [([], is_commit)]


@pytest.mark.parametrize("after", [left, unseen])
async def test_an_end_that_is_left_out_too_is_written_again_and_stays_what_it_was(after):
    kafka = Kafka(left(), after(), left(), Look(), state="CompleteCommit", epoch=4)
    commit_markers = CommitMarkers(0, kafka, ["swb.win.inbox"])
    await opened(kafka, commit_markers)
    kafka.state = "CompleteAbort"  # of other topics, meanwhile
    assert await commit_markers.unsettled(["swb.win.inbox"]) == set()
    assert kafka.ended == [([PLACE], True)] * 2


async def test_no_end_comes_before_the_one_before_it_is_seen():
    """An end decides over all that is open, also over what was meant to end the other way."""
    other = TopicPartition("swb.other.inbox", 3)
    kafka = Kafka(unseen(), state="CompleteAbort", epoch=4, places=(PLACE, other))
    commit_markers = CommitMarkers(0, kafka, ["swb.win.inbox", "swb.other.inbox"])
    await opened(kafka, commit_markers)
    kafka.state = "CompleteCommit"
    kafka.looks += [left(PLACE, other), left(other)]
    await opened(kafka, commit_markers)
    assert kafka.ended == [([other], True)]
    kafka.looks += [left(PLACE, other), Look(), Look()]
    assert await commit_markers.unsettled(["swb.win.inbox", "swb.other.inbox"]) == set()
    assert kafka.ended == [([other], True), ([other], True), ([PLACE], False)]


@pytest.mark.parametrize("topic", [topics.DUPLICATES, topics.INTAKE, topics.retry("win")])
async def test_what_the_lane_reads_itself_must_be_seen_before_it_reads(topic):
    mine, another = TopicPartition(topic, 0), TopicPartition(topic, 1)
    kafka = Kafka(unseen(another), unseen(mine), left(mine), left(mine), state="CompleteCommit", epoch=4)
    kafka.places = {mine, another}
    await opened(kafka, CommitMarkers(0, kafka, [topic]))
    for _ in range(2):
        with pytest.raises(MarkerMissing):
            await opened(kafka, CommitMarkers(0, kafka, [topic]))


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
    assert was_committed(TransactionState(state, 7, 4), Identity("swb-relay.0", 7, epoch)) is committed
    assert was_committed(TransactionState(state, 8, 4), Identity("swb-relay.0", 7, epoch)) is None
