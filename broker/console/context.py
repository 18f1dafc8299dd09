"""What all pages share, and how the relay's group stands, asked at most every few seconds."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from broker.metrics import Meter
from broker.model.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from broker.console.access import Access, Person
    from broker.console.document import Facts
    from broker.console.feed import Feed
    from broker.console.live import Tail
    from broker.console.store import Store
    from broker.kafka.admin.group_state import GroupState
    from broker.model.participants import Participant
    from broker.settings import Settings

_GROUP_SECONDS = 4.0


@dataclass
class Console:
    """All that the pages need."""

    settings: Settings
    store: Store
    feed: Feed
    tail: Tail
    access: Access
    participants: Mapping[str, Participant]
    mappings: list[dict[str, Any]]
    """Name, title and label of each document type's mapping."""
    facts: Facts
    report: Callable[[str], str]
    """The implementation report of a document type, as a page of its own."""
    coverage: Callable[[str], dict[str, Any]]
    probe: Callable[[], Awaitable[GroupState]]
    """How the relay's group stands; raises Failed."""
    meter: Meter = field(default_factory=Meter)
    _group: tuple[float, GroupState | None, str] = (float("-inf"), None, "")
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def group(self) -> tuple[GroupState | None, str]:
        """How the relay's group stood a few seconds ago, or why nobody knows."""
        async with self._asking:
            if time.monotonic() - self._group[0] > _GROUP_SECONDS:
                try:
                    state = await self.probe()
                    self._group = time.monotonic(), state, ""
                except Failed as error:
                    self._group = time.monotonic(), None, str(error)
        return self._group[1], self._group[2]


CONSOLE = web.AppKey("console", Console)
PERSON: web.RequestKey[Person | None] = web.RequestKey("person")
