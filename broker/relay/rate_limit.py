"""How many records a minute each participant takes, as agreed with it (``limits.rate``). Shared by a worker's lanes."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MINUTE = 60.0


class RateLimit:
    """What was handed to each inbox within the last minute, and so when it takes one more.

    A worker has the share of each rate that it has of the lanes, so that all workers together keep it. One that starts
    knows of nothing handed over before.
    """

    def __init__(self, rates: Mapping[str, int], clock: Callable[[], float]) -> None:
        self._rates = rates
        self._clock = clock
        self._share = 1.0
        self._sent: defaultdict[str, deque[float]] = defaultdict(deque)

    def share(self, lanes: int, of: int) -> None:
        """So many of the lanes are this worker's."""
        self._share = lanes / of

    def is_kept(self, participant: str) -> bool:
        """Whether anything was agreed with it."""
        return participant in self._rates

    def until(self, participant: str) -> float:
        """The earliest moment (of the clock) at which it takes one more; 0 while it does."""
        if participant not in self._rates:
            return 0.0
        most, sent = max(1, int(self._rates[participant] * self._share)), self._sent[participant]
        while sent and sent[0] + _MINUTE <= self._clock():
            sent.popleft()
        return 0.0 if len(sent) < most else sent[len(sent) - most] + _MINUTE

    def sent(self, participant: str) -> None:
        """One more was handed over."""
        if participant in self._rates:
            self._sent[participant].append(self._clock())
