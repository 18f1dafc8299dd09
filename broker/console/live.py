"""The live tail: what is read goes to everybody who watches, and who cannot keep up is told how much was left out."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from broker.console.project import Event

_ROOM = 500
_KEPT = 200


class Watcher:
    """One reader of the tail."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[int, Event]] = deque()
        self.left_out = 0
        self.woken = asyncio.Event()


class Tail:
    """Hands events from the feed's thread to the pages."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._watchers: set[Watcher] = set()
        self._last: deque[tuple[int, Event]] = deque(maxlen=_KEPT)
        self._number = 0
        self.is_over = False

    def heard(self, event: Event) -> None:
        """An event was read (in the feed's thread)."""
        self._loop.call_soon_threadsafe(self._hand_on, event)

    def watch(self, after: int = -1) -> Watcher:
        """A new reader; it begins with what it missed since that number, as far as it is kept."""
        watcher = Watcher()
        watcher.waiting.extend(item for item in self._last if after >= 0 and item[0] > after)
        self._watchers.add(watcher)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        self._watchers.discard(watcher)

    def end(self) -> None:
        """All readers are told that it is over."""
        self.is_over = True
        for watcher in self._watchers:
            watcher.woken.set()

    def _hand_on(self, event: Event) -> None:
        self._number += 1
        item = self._number, event
        self._last.append(item)
        for watcher in self._watchers:
            if len(watcher.waiting) >= _ROOM:
                watcher.left_out += 1
            else:
                watcher.waiting.append(item)
            watcher.woken.set()
