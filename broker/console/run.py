"""The console as a process: the feed in a thread, the pages in a loop, until it is asked to stop."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import TYPE_CHECKING, Any

from aiohttp import web

from broker import log, paths
from broker.console.access import Access
from broker.console.context import Console
from broker.console.document import Facts
from broker.console.feed import Feed
from broker.console.live import Tail
from broker.console.site import site
from broker.console.store import Store
from broker.kafka.admin.group_state import GroupProbe
from broker.model.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from broker.content.pointers import Pointers
    from broker.mapping import Explanation
    from broker.model.documents import Message
    from broker.model.participants import Participant
    from broker.settings import Settings

logger = log.get(__name__)

_STOP_SECONDS = 5.0


def database(settings: Settings) -> str:
    """The read model's address: what is set, else a file in the cache, one for each Kafka."""
    if settings.console_database:
        return settings.console_database
    folder = paths.cache() / "console"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = "".join(c if c.isalnum() else "-" for c in settings.bootstrap)[:80]
    return f"sqlite:///{folder / name}.sqlite"


def run(  # noqa: PLR0917 - what the composition root knows
    settings: Settings,
    participants: Mapping[str, Participant],
    mappings: list[dict[str, Any]],
    explain: Callable[[Message, str], Explanation],
    pointers: Pointers,
    cut: Callable[[bytes, int], bytes | None],
    report: Callable[[str], str],
    coverage: Callable[[str], dict[str, Any]],
    *,
    rebuild: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve until a signal; Misconfigured when the port or the database cannot be had. ``tell`` hears the way in."""
    store = Store(database(settings))
    if rebuild:
        store.clear()
    access = Access(settings)

    async def serve() -> None:
        stop, ended = threading.Event(), asyncio.Event()
        tail = Tail(asyncio.get_running_loop())
        feed = Feed(settings, store, tail.heard)
        facts = Facts(settings, store, explain, pointers, cut)
        probe = GroupProbe(settings, participants)
        console = Console(
            settings, store, feed, tail, access, participants, mappings, facts, report, coverage, probe.state
        )
        runner = web.AppRunner(site(console), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, settings.console_host, settings.console_port).start()
        except OSError as error:
            await runner.cleanup()
            where = f"{settings.console_host}:{settings.console_port}"
            raise Misconfigured(f"The console cannot be served at {where}: {error.strerror or error}") from error
        host, port = runner.addresses[0][:2]
        address = f"http://{host}:{port}/"
        logger.info("console.opened", address=address, database=store.shown)
        tell(f"{address}sign-in?token={access.made}" if access.made else address)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        reading = threading.Thread(target=feed.run, args=(stop,), name="feed", daemon=True)
        reading.start()
        await ended.wait()
        stop.set()
        await runner.cleanup()
        await probe.close()
        await asyncio.to_thread(reading.join, _STOP_SECONDS)

    try:
        asyncio.run(serve())
    finally:
        store.close()
