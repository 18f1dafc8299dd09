"""Which lane accepted a message id, for all lanes: so that the same document counts once, whatever key it comes under.

A lane remembers in ``swb.duplicates`` what it judged itself. Of what other lanes accepted a worker knows the ids, eight
bytes each: it reads all partitions of that topic, a moment behind.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left

_DRAWERS = 4096
"""By the first bits of an id, so that each is short and an id is put into its place in no time."""
_LANE_BITS = 10
_LANES = (1 << _LANE_BITS) - 1


class AcceptedIds:
    """Message ids and the lane that accepted each. One thread adds, others look up.

    Of an id 54 bits are kept. Should two ids be alike in them, a document goes to one lane more and is judged there.
    """

    def __init__(self) -> None:
        self._drawers = [array("Q") for _ in range(_DRAWERS)]

    def __len__(self) -> int:
        return sum(map(len, self._drawers))

    def add(self, message: bytes, lane: int) -> None:
        """A lane accepted the id."""
        drawer, number = self._place(message)
        at = bisect_left(drawer, number)
        if at < len(drawer) and drawer[at] >> _LANE_BITS == number >> _LANE_BITS:
            drawer[at] = number | (lane & _LANES)
        else:
            drawer.insert(at, number | (lane & _LANES))

    def lane_of(self, message: bytes) -> int | None:
        """The lane that accepted the id; None where nobody is known to have done so."""
        drawer, number = self._place(message)
        at = bisect_left(drawer, number)
        for found in drawer[at : at + 2]:  # what is added in this moment may move it on by one
            if found >> _LANE_BITS == number >> _LANE_BITS:
                return found & _LANES
        return None

    def _place(self, message: bytes) -> tuple[array[int], int]:
        number = int(message[:16], 16) & ~_LANES
        return self._drawers[number >> 52], number
