"""Which lane accepted a message id, for all lanes: so that the same document counts once, whatever key it comes under.

A lane remembers in ``swb.duplicates`` what it judged itself. Of what other lanes accepted a worker knows the ids, eight
bytes and a lane each: it reads all partitions of that topic, a moment behind.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left

_RECENT = 100_000


class AcceptedIds:
    """Message ids and the lane that accepted each. One thread adds, others look up."""

    def __init__(self, recent: int = _RECENT) -> None:
        self._most = recent
        self._recent: dict[int, int] = {}
        self._settled: tuple[array[int], array[int]] = (array("Q"), array("L"))

    def __len__(self) -> int:
        return len(self._recent) + len(self._settled[0])

    def add(self, message: bytes, lane: int) -> None:
        """A lane accepted the id."""
        self._recent[_number(message)] = lane
        if len(self._recent) >= self._most:
            self._settle()

    def lane_of(self, message: bytes) -> int | None:
        """The lane that accepted the id; None where nobody is known to have done so."""
        number = _number(message)
        if (lane := self._recent.get(number)) is not None:
            return lane
        numbers, lanes = self._settled
        at = bisect_left(numbers, number)
        return lanes[at] if at < len(numbers) and numbers[at] == number else None

    def _settle(self) -> None:
        """What is recent joins the rest, in order: sixteen bytes an id instead of a hundred."""
        numbers, lanes = self._settled
        known = dict(zip(numbers, lanes, strict=True)) | self._recent
        ordered = sorted(known)
        self._settled = (array("Q", ordered), array("L", (known[number] for number in ordered)))
        self._recent = {}


def _number(message: bytes) -> int:
    """The first half of an id, which is a digest already."""
    return int(message[:16], 16)
