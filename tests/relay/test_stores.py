"""What a lane remembers: pending until it is committed, forgotten otherwise, the oldest first."""

import io

import pytest

from broker.relay import topics
from broker.relay.entries import Judged, JudgedCodec
from broker.relay.snapshot_file import SnapshotFile, write
from broker.relay.stores import StateStore, Stores


@pytest.fixture
def store():
    return StateStore(topics.DUPLICATES, JudgedCodec())


def keys(store):
    return [key for key, _ in store.items()]


def test_a_change_is_seen_at_once_and_lasts_only_when_it_is_kept(store):
    record = store.put(b"a", Judged(1, "accepted"), 3)
    assert (record.topic, record.key, record.partition) == (topics.DUPLICATES, b"a", 3)
    assert store.get(b"a") == Judged(1, "accepted")
    store.forget()
    assert store.get(b"a") is None
    store.put(b"a", Judged(1, "accepted"), 3)
    store.keep()
    assert (store.get(b"a"), len(store)) == (Judged(1, "accepted"), 1)
    assert store.put(b"a", None, 3).value is None
    assert store.get(b"a") is None


def test_a_copy_on_disk_and_what_changed_since_are_one(store):
    out, codec = io.BytesIO(), JudgedCodec()
    count, checksum = write(out, [(b"%d" % n, codec.encode(Judged(n, "accepted"))) for n in range(10)])
    data = out.getvalue()
    store.restore(SnapshotFile(data, len(data), count, checksum), 10)
    store.load(b"3", None)
    store.load(b"4", codec.encode(Judged(99, "refused")))
    assert (len(store), store.get(b"3"), store.get(b"4").at, store.get(b"5").at) == (9, None, 99, 5)
    assert keys(store)[-1] == b"4"
    copy = store.copy()
    store.clear()
    assert (len(store), len(copy), copy.true_to) == (0, 9, 10)


def test_what_is_old_is_named_the_oldest_first(store):
    for at in (1, 5, 9):
        store.put(b"%d" % at, Judged(at, "accepted"), 0)
    store.keep()
    assert list(store.older_than(9)) == [b"1", b"5"]


def test_an_entry_that_cannot_be_read_counts_as_none(store):
    store.load(b"a", b"rubbish")
    assert store.get(b"a") is None


def test_each_topic_has_its_store():
    stores = Stores()
    assert [stores.of(store.topic) for store in stores.all] == list(stores.all)
    assert {store.topic for store in stores.all} == set(topics.STATE)
