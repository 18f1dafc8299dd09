"""What all lanes of a worker share."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from broker.metrics import Meter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from broker.kafka.lanes.aside import Aside
    from broker.kafka.lanes.claim_check import Claims
    from broker.kafka.lanes.fetched import Fetched
    from broker.kafka.lanes.snapshots import Snapshots
    from broker.kafka.lanes.transaction_admin import TransactionAdmin
    from broker.kafka.offsets import Offsets
    from broker.kafka.origins import OriginReader
    from broker.relay.batch import PlanContext
    from broker.relay.circuit_breaker import CircuitBreakers
    from broker.settings import Settings


async def _at_once() -> None:
    """Nothing is waited for."""


@dataclass
class WorkerContext:
    """What all lanes of a worker share."""

    settings: Settings
    rules: PlanContext
    fetched: Fetched
    bounds: Offsets
    circuits: CircuitBreakers
    origins: OriginReader
    claims: Claims
    snapshots: Snapshots
    transactions: TransactionAdmin
    now: Callable[[], int] = lambda: int(time.time() * 1000)
    """Milliseconds since 1970."""
    meter: Meter = field(default_factory=Meter)
    moved: Callable[[int], None] = lambda _: None
    """Told how many records a commit has moved."""
    aside: Aside | None = None
    """The process for what takes long; without it all is done here."""
    settled: Callable[[], Awaitable[None]] = _at_once
    """Comes back when the group is not dividing its partitions anew."""
