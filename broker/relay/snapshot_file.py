"""Entries in the form in which a copy on disk holds them: a million are at hand as soon as their bytes are read.

No object is made of an entry before it is asked for. First stand the entries one after the other, then the digests of
their keys in order, then where the entry of each begins.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from hashlib import blake2b, sha256
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from hashlib import _Hash as HASH
    from typing import BinaryIO

_LENGTHS = struct.Struct("<HI")
"""Of a key and its value, which follow."""
_NUMBER = 8
"""Bytes of a digest, and of a place."""
_CHUNK = 5_000
_DRAWERS = 256


def write(out: BinaryIO, items: Iterable[tuple[bytes, bytes]]) -> tuple[int, str]:
    """Write entries; how many there were, and the digest of all that was written."""
    drawers: list[list[tuple[int, int]]] = [[] for _ in range(_DRAWERS)]  # by the first byte: each is sorted in no time
    place, written, rest = 0, sha256(), iter(items)
    while chunk := list(islice(rest, _CHUNK)):
        entries = []
        for key, value in chunk:
            entries.append(_LENGTHS.pack(len(key), len(value)) + key + value)
            digest = _digest(key)
            drawers[digest >> 56].append((digest, place))
            place += len(entries[-1])
        _write(out, b"".join(entries), written)
    index = [pair for drawer in drawers for pair in sorted(drawer)]
    for numbers in (digest for digest, _ in index), (place for _, place in index):
        _write(out, array("Q", numbers).tobytes(), written)
    return len(index), written.hexdigest()


def _write(out: BinaryIO, data: bytes, written: HASH) -> None:
    out.write(data)
    written.update(data)


def _digest(key: bytes) -> int:
    return int.from_bytes(blake2b(key, digest_size=_NUMBER).digest(), "big")


class SnapshotFile:
    """Entries as they were written: never changed, each key once."""

    def __init__(self, data: bytes, size: int, count: int, digest: str) -> None:
        """So many entries, in so many bytes from the beginning; raises ValueError where it is not what was written."""
        if sha256(memoryview(data)[:size]).hexdigest() != digest:
            raise ValueError("its digest is another")
        self._data, self._end = data, size - 2 * _NUMBER * count
        if count < 0 or self._end < _LENGTHS.size * count:
            raise ValueError("it is too short")
        middle = self._end + _NUMBER * count
        self._digests = memoryview(data)[self._end : middle].cast("Q")
        self._places = memoryview(data)[middle:size].cast("Q")

    def __len__(self) -> int:
        return len(self._digests)

    def get(self, key: bytes) -> bytes | None:
        """The value of a key; None where there is none."""
        digest = _digest(key)
        at = bisect_left(self._digests, digest)
        while at < len(self) and self._digests[at] == digest:
            found, value, _ = self._entry(self._places[at])
            if found == key:
                return value
            at += 1
        return None

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """All entries, in the order in which they were written."""
        place = 0
        while place < self._end:
            key, value, place = self._entry(place)
            yield key, value

    def _entry(self, place: int) -> tuple[bytes, bytes, int]:
        """An entry, and where the next begins."""
        key_length, value_length = _LENGTHS.unpack_from(self._data, place)
        begin = place + _LENGTHS.size
        middle = begin + key_length
        end = middle + value_length
        return self._data[begin:middle], self._data[middle:end], end


NOTHING = SnapshotFile(b"", 0, 0, sha256().hexdigest())
