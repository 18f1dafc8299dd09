"""Which conversations to look at, and when: the watchdog's memory. No Kafka here.

A history is parsed only when its first limit may have passed: nearly all conversations have ended by then.
"""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING

from broker import log
from broker.relay import topics
from broker.relay.entries import RememberedCodec
from broker.relay.watchdog.policy import STEPS, next_due

if TYPE_CHECKING:
    from collections.abc import Iterable

    from broker.answers.history import History
    from broker.model.ids import ParticipantCode
    from broker.registry.statuses import Statuses
    from broker.relay.watchdog.policy import WatchdogPolicy

_CODEC = RememberedCodec()
logger = log.get(__name__)

_AGAIN_MS = 60_000
"""Until an owner that was asked to look is asked again."""


class WatchdogSchedule:
    """Histories as they were last written, each with the time of the next look."""

    def __init__(self, statuses: Statuses, policy: WatchdogPolicy, windows: Iterable[ParticipantCode]) -> None:
        self._statuses = statuses
        self._policy = policy
        limits = [policy.limit(window, step) for window in windows for step in STEPS]
        self._soonest = min((int(limit.after.total_seconds() * 1000) for limit in limits if limit), default=0)
        self._known: dict[bytes, tuple[int, bytes]] = {}
        self._looks: list[tuple[int, int, bytes]] = []
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._known)

    def clear(self) -> None:
        """Nothing is watched any more."""
        self._known.clear()
        self._looks.clear()

    def note(self, key: bytes, value: bytes | None, at: int) -> None:
        """One record of ``swb.conversations``, written at that time (milliseconds)."""
        self._known.pop(key, None)
        if value is not None:
            self._watch(key, value, at + self._soonest)

    def due(self, now: int) -> list[str]:
        """The conversations whose owners are to look now, because a limit has passed."""
        found = []
        while self._looks and self._looks[0][0] <= now:
            _, number, key = heapq.heappop(self._looks)
            known = self._known.get(key)
            if known is None or known[0] != number:
                continue
            try:
                at = self._next(known[1])
            except (ValueError, KeyError, TypeError, AttributeError) as error:  # of a newer release, or damaged
                place = {"topic": topics.CONVERSATIONS, "key": key.decode("utf-8", "replace")}
                logger.error("state.unreadable", **place, reason=repr(error)[:200])  # noqa: TRY400 - no traceback for data
                at = None
            if at is None:
                del self._known[key]
            elif at > now:
                self._watch(key, known[1], at)
            else:
                found.append(key.decode("utf-8", "replace"))
                self._watch(key, known[1], now + _AGAIN_MS)
        return found

    def _watch(self, key: bytes, value: bytes, at: int) -> None:
        number = next(self._numbers)
        self._known[key] = (number, value)
        heapq.heappush(self._looks, (at, number, key))

    def _next(self, value: bytes) -> int | None:
        due = next_due(_history(value), self._statuses, self._policy)
        return None if due is None else int(due.timestamp() * 1000)


def _history(value: bytes) -> History:
    return _CODEC.decode(value).history
