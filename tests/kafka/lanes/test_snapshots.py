"""Copies of a lane's memory: read back as written, and never believed where they might be wrong."""

import os
import time

import orjson
import pytest

from broker.kafka.lanes.snapshots import OLDEST_SECONDS, Snapshots
from broker.relay import topics
from broker.relay.entries import JudgedCodec
from broker.relay.stores import StateStore
from broker.settings import Settings

TOPIC = topics.DUPLICATES
NOW = time.time()


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def snapshots(folder, clock):
    return Snapshots(Settings(state_folder=str(folder)), clock, {TOPIC: "one"})


def entries(count):
    return {b"key-%d" % n: os.urandom(n % 300) for n in range(count)}


def shelf_of(given, true_to=77):
    store = StateStore(TOPIC, JudgedCodec())
    for key, value in given.items():
        store.load(key, value)
    store.true_to = true_to
    return store


def loaded(snapshots, lane=3):
    store = StateStore(TOPIC, JudgedCodec())
    snapshots.load(store, lane)
    return store


def test_a_copy_is_read_back_as_it_was_written_with_its_order(snapshots):
    given = entries(25_000)
    snapshots.save(shelf_of(given), 3)
    store = loaded(snapshots)
    assert store.true_to == 77
    assert list(store.items()) == list(given.items())


def test_what_came_from_a_copy_is_changed_and_copied_like_anything_else(snapshots):
    given = {b"key-%d" % n: orjson.dumps({"at": n, "verdict": "dead"}) for n in range(25_000)}
    snapshots.save(shelf_of(given), 3)
    store = loaded(snapshots)
    for key, value in (
        (b"key-0", None),
        (b"key-12000", b'{"at": 30000, "verdict": "dead"}'),
        (b"new", b'{"at": 30001, "verdict": "dead"}'),
    ):
        store.load(key, value)
        given.pop(key, None)
        given |= {key: value} if value else {}
    assert list(store.items()) == list(given.items())
    assert len(store) == 25_000
    assert store.get(b"key-0") is None
    assert [store.get(key).at for key in (b"key-1", b"key-12000", b"new")] == [1, 30_000, 30_001]
    assert list(store.older_than(3)) == [b"key-1", b"key-2"]
    assert len(list(store.older_than(30_001))) == 24_999
    snapshots.save(store.copy(), 3)
    assert list(loaded(snapshots).items()) == list(given.items())


@pytest.mark.parametrize("digest", [lambda _: 7, lambda key: key[-1] << 56])
def test_keys_of_one_digest_are_told_apart(snapshots, monkeypatch, digest):
    monkeypatch.setattr("broker.relay.snapshot_file._digest", digest)
    given = {b"key-%d" % n: orjson.dumps({"at": n, "verdict": "dead"}) for n in range(100)}
    snapshots.save(shelf_of(given), 3)
    store = loaded(snapshots)
    assert [store.get(key).at for key in given] == list(range(100))
    assert store.get(b"key-100") is None


def test_a_copy_of_which_most_has_changed_is_held_no_more(snapshots):
    snapshots.save(shelf_of(entries(100)), 3)
    store = loaded(snapshots)
    for n in range(60):
        store.load(b"key-%d" % n, b"{}")
    assert list(store.items()) == [*list(loaded(snapshots).items())[60:], *((b"key-%d" % n, b"{}") for n in range(60))]
    assert len(store) == 100


def test_another_lane_and_another_topic_have_none(snapshots, folder, clock):
    snapshots.save(shelf_of(entries(10)), 3)
    assert loaded(snapshots, lane=2).true_to is None
    made_anew = Snapshots(Settings(state_folder=str(folder)), clock, {TOPIC: "two"})
    assert loaded(made_anew).true_to is None
    unknown = Snapshots(Settings(state_folder=str(folder)), clock, {})
    unknown.save(shelf_of(entries(10)), 3)
    assert loaded(unknown).true_to is None


@pytest.mark.parametrize("age", [OLDEST_SECONDS, -1])
def test_a_copy_that_is_too_old_or_of_the_future_is_not_used(snapshots, clock, age):
    snapshots.save(shelf_of(entries(10)), 3)
    clock.now += age - 1 if age > 0 else age
    assert (loaded(snapshots).true_to is None) == (age < 0)
    clock.now += 1
    assert (loaded(snapshots).true_to is None) == (age > 0)


@pytest.mark.proof
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1000] + bytes([data[-1000] ^ 1]) + data[-999:],
        lambda data: data[data.rindex(b"{") :],
        lambda data: data + b"\x07",
        lambda _: b"",
        lambda _: b"\x00" * 5000,
        lambda _: b"[1, 2]\n",
        lambda data: data[: data.rindex(b"{")] + b"{}\x02\x00\x00\x00",
    ],
)
def test_a_damaged_copy_is_not_used(snapshots, folder, damage):
    snapshots.save(shelf_of(entries(25_000)), 3)
    (file,) = folder.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    store = loaded(snapshots)
    assert store.true_to is None
    assert not len(store)


def test_a_folder_that_takes_nothing_does_no_harm(tmp_path, clock):
    (tmp_path / "state").write_text("a file, no folder")
    snapshots = Snapshots(Settings(state_folder=str(tmp_path / "state")), clock, {TOPIC: "one"})
    snapshots.save(shelf_of(entries(10)), 3)
    assert loaded(snapshots).true_to is None


def test_what_nobody_may_use_any_more_goes_away(snapshots, folder, clock):
    folder.mkdir()
    old = folder / "other-1"
    old.write_bytes(b"x")
    os.utime(old, (NOW - OLDEST_SECONDS - 1, NOW - OLDEST_SECONDS - 1))
    clock.now = NOW
    snapshots.save(shelf_of(entries(10)), 3)
    assert not old.exists()


def test_a_copy_is_due_when_much_has_changed(snapshots):
    store = StateStore(TOPIC, JudgedCodec())
    for n in range(20_000):
        store.load(b"%d" % n, b"v")
    assert not snapshots.is_due(store)
    store.load(b"one more", b"v")
    assert snapshots.is_due(store)
    store.copy()
    assert not snapshots.is_due(store)
