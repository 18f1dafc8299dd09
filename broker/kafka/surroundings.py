"""What all lanes of a worker share."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiokafka import AIOKafkaConsumer

    from broker.kafka.bounds import Bounds
    from broker.kafka.claims import Claims
    from broker.kafka.destinations import Destinations
    from broker.kafka.draft import Rules
    from broker.kafka.origin import Origins
    from broker.kafka.snapshots import Snapshots
    from broker.kafka.transactions import Transactions
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
