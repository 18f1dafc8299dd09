"""Entries as a copy on disk holds them: each found by its key, none believed that was not written so."""

import io

import pytest

from broker.relay.snapshot_file import NOTHING, SnapshotFile, write

ITEMS = [(b"k%d" % n, b"value %d" % n) for n in range(500)]


def written():
    out = io.BytesIO()
    count, digest = write(out, ITEMS)
    return out.getvalue(), count, digest


def test_every_entry_is_found_and_no_other():
    data, count, digest = written()
    found = SnapshotFile(data, len(data), count, digest)
    assert len(found) == 500
    assert list(found.items()) == ITEMS
    assert all(found.get(key) == value for key, value in ITEMS)
    assert found.get(b"k500") is None


def test_a_byte_that_is_another_is_found_out():
    data, count, digest = written()
    for broken in (b"x" + data[1:], data[:-1] + bytes([data[-1] ^ 1])):
        with pytest.raises(ValueError, match="digest is another"):
            SnapshotFile(broken, len(data), count, digest)


def test_nothing_holds_nothing():
    assert (len(NOTHING), NOTHING.get(b"k"), list(NOTHING.items())) == (0, None, [])
