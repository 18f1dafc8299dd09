"""What all lanes of a worker share."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiokafka import AIOKafkaConsumer

    from broker.kafka.lanes.claim_check import Claims
    from broker.kafka.lanes.snapshots import Snapshots
    from broker.kafka.lanes.transaction_admin import Transactions
    from broker.kafka.offsets import Bounds
    from broker.kafka.origins import Origins
    from broker.relay.batch import Rules
    from broker.relay.circuit_breaker import Destinations
    from broker.settings import Settings


@dataclass
class Surroundings:
    """What all lanes of a worker share."""

    settings: Settings
    rules: Rules
    consumer: AIOKafkaConsumer
    bounds: Bounds
    destinations: Destinations
    origins: Origins
    claims: Claims
    snapshots: Snapshots
    transactions: Transactions
    now: Callable[[], int] = lambda: int(time.time() * 1000)
    """Milliseconds since 1970."""
    moved: Callable[[int], None] = lambda _: None
    """Told how many records a commit has moved."""
