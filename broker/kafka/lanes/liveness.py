"""Whether a worker is alive: a message moved lately, or nothing waits. That its port answers would prove nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Liveness:
    """Counts what moves, and how long records have been waiting while nothing did."""

    def __init__(self, limit: float, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._since: float | None = None
        self.moved = 0
        """Records moved since the start."""

    def count(self, records: int) -> None:
        """So many records were moved just now."""
        self.moved += records
        self._since = None

    def look(self, *, is_waiting: bool) -> None:
        """Told now and then whether records lie before the worker."""
        if not is_waiting:
            self._since = None
        elif self._since is None:
            self._since = self._clock()

    @property
    def is_doubtful(self) -> bool:
        """Half of the limit has passed so: time to ask whether Kafka is there at all."""
        return self._since is not None and self._clock() - self._since >= self._limit / 2

    @property
    def is_stuck(self) -> bool:
        """Records have been waiting for the whole limit, Kafka being there, and none has moved."""
        return self._since is not None and self._clock() - self._since >= self._limit
