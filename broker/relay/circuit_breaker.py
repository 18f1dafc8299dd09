"""How each destination fares: open, or left alone for a while. Shared by all lanes of a worker."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from broker import log
from broker.relay.rate_limit import RateLimit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from broker.settings import Settings

logger = log.get(__name__)


@dataclass(slots=True)
class _Trouble:
    reason: str
    failures: int
    until: float


class CircuitBreakers:
    """The circuit of each participant's inbox, broken by a failure and tried again when its backoff has passed, and the
    pace that it keeps.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float],
        chance: Callable[[], float] = random.random,
        rates: Mapping[str, int] | None = None,
    ) -> None:
        self._first = settings.retry_first_seconds
        self._longest = settings.retry_longest_seconds
        self._alarm = settings.circuit_failures
        self._clock = clock
        self._chance = chance
        self._troubles: dict[str, _Trouble] = {}
        self.rate_limit = RateLimit(rates or {}, clock)

    def trouble(self, participant: str) -> str:
        """Why nothing is sent there now; empty when something may be."""
        trouble = self._troubles.get(participant)
        if trouble and self._clock() < trouble.until:
            return trouble.reason
        return "rate" if self._clock() < self.rate_limit.until(participant) else ""

    def is_broken(self, participant: str) -> bool:
        """Whether its last records failed and it has taken none since."""
        return participant in self._troubles

    def until(self, participant: str) -> float:
        """The earliest moment (of the clock) at which it may be tried."""
        trouble = self._troubles.get(participant)
        return max(trouble.until if trouble else 0.0, self.rate_limit.until(participant))

    def failed(self, participant: str, reason: str) -> None:
        """It did not take a record: wait twice as long as before, with jitter, up to the limit."""
        before = self._troubles.get(participant)
        if before and self._clock() < before.until:
            return  # another lane has found out already
        failures = before.failures + 1 if before else 1
        wait = min(self._longest, self._first * 2 ** min(failures - 1, 30)) * (0.5 + self._chance() / 2)
        self._troubles[participant] = _Trouble(reason, failures, self._clock() + wait)
        tell_log = logger.error if failures >= self._alarm else logger.warning
        tell_log(
            "destination.failed", participant=participant, reason=reason, failures=failures, seconds=round(wait, 2)
        )

    def worked(self, participant: str) -> None:
        if self._troubles.pop(participant, None):
            logger.info("destination.recovered", participant=participant)
