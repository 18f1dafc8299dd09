"""What a worker consists of, as services that start and end together."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from mode import Service, Worker

from broker import log
from broker.kafka.admin import topics as admin
from broker.kafka.lanes.group import Relay
from broker.kafka.lanes.leave import Leave, Reason
from broker.worker.health import Health

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.kafka.lanes.aside import Aside
    from broker.kafka.watchdog import Watchdog
    from broker.metrics import Meter
    from broker.model.outcomes import Catalogue
    from broker.relay.batch import PlanContext
    from broker.settings import Settings
    from broker.worker.http import HealthPort

logger = log.get(__name__)

_BREATH_SECONDS = 0.05
_AGAIN_SECONDS = 5.0
_HEAD_START_SECONDS = 3.0
"""For the messages that wait when the lanes open."""


class Afterwards(Service):  # type: ignore[misc]  # mode publishes no types
    """What can wait until the lanes work: a look at the topics' settings; schemas and mappings compiled, in breaths.

    A message that comes earlier waits for its own type at most.
    """

    mundane_level = "debug"

    def __init__(self, settings: Settings, catalogue: Catalogue, is_open: Callable[[], bool]) -> None:
        super().__init__()
        self._settings = settings
        self._catalogue = catalogue
        self._is_open = is_open

    async def on_start(self) -> None:
        self.add_future(self._work())

    async def _work(self) -> None:
        await _lanes_had_a_start(self._is_open)
        await asyncio.to_thread(admin.tell_faults, self._settings, self._catalogue.participants)
        await self._warm()

    async def _warm(self) -> None:
        types = self._catalogue.document_types.values()
        steps = [self._catalogue.payload_schema, *(part for t in types for part in (t.schema, t.mapping))]
        began = time.monotonic()
        for step in steps:
            at = time.monotonic()
            step.warm()
            await asyncio.sleep(max(_BREATH_SECONDS, time.monotonic() - at))
        logger.info("catalogue.compiled", seconds=round(time.monotonic() - began, 2))


class AlarmService(Service):  # type: ignore[misc]  # mode publishes no types
    """The application that tells dead letters: loaded when the lanes work, and started again whenever it ends.

    It stands alone: whatever ends it, no document waits for it.
    """

    mundane_level = "debug"

    def __init__(self, load: Callable[[], Callable[[], Service]], is_open: Callable[[], bool]) -> None:
        super().__init__()
        self._load = load
        self._is_open = is_open
        self._notification: Service | None = None

    async def on_start(self) -> None:
        self.add_future(self._work())

    async def _work(self) -> None:
        await _lanes_had_a_start(self._is_open)
        make = await asyncio.to_thread(self._load)
        while True:
            self._notification = notification = make()
            try:
                await notification.start()
                await notification.wait_until_stopped()
                reason = notification.crash_reason
            except Exception as error:  # noqa: BLE001 - it is started again, whatever it was
                reason = error
            if self.should_stop:
                return
            logger.warning("alarm.again", reason=repr(reason))
            await self._end()
            await asyncio.sleep(_AGAIN_SECONDS)

    async def on_stop(self) -> None:
        await self._end()

    async def _end(self) -> None:
        notification, self._notification = self._notification, None
        if notification is not None:
            with suppress(Exception):
                await asyncio.wait_for(notification.stop(), _AGAIN_SECONDS)


async def _lanes_had_a_start(is_open: Callable[[], bool]) -> None:
    """Come back when the lanes have been open for a while."""
    while not is_open():  # noqa: ASYNC110 - lanes come and go
        await asyncio.sleep(_BREATH_SECONDS)
    await asyncio.sleep(_HEAD_START_SECONDS)


class WatchService(Service):  # type: ignore[misc]  # mode publishes no types
    """The watchdog beside the relay: without it nobody is told of silence, and nothing else is missing."""

    mundane_level = "debug"

    def __init__(self, watch: Watchdog) -> None:
        super().__init__()
        self._watch = watch

    async def on_start(self) -> None:
        self.add_future(self._watch.run())


class RelayService(Service):  # type: ignore[misc]  # mode publishes no types
    """The relay as a service of the worker: started with it, drained before it ends."""

    mundane_level = "debug"

    def __init__(self, settings: Settings, rules: PlanContext, meter: Meter, aside: Aside | None = None) -> None:
        super().__init__()
        self._settings = settings
        self._rules = rules
        self._aside = aside
        self._meter = meter
        self._stop = asyncio.Event()
        self._relay: Relay | None = None
        self._running: asyncio.Task[None] | None = None

    def lanes(self) -> frozenset[int]:
        """The lanes that this worker holds now."""
        return self._relay.lanes() if self._relay else frozenset()

    def is_open(self) -> bool:
        """Whether this worker has lanes and all of them work."""
        return self._relay is not None and self._relay.is_open

    def health(self) -> Health:
        """How the relay fares."""
        if self._relay is None:
            return Health(is_alive=True, is_ready=False)
        liveness = self._relay.liveness
        self._relay.measure()
        return Health(
            is_alive=not liveness.is_stuck,
            is_ready=self._relay.is_ready,
            lanes=tuple(sorted(self._relay.lanes())),
            moved=liveness.moved,
        )

    async def on_start(self) -> None:
        self._relay = Relay(self._settings, self._rules, self._settings.instance or None, self._meter, self._aside)
        self._running = asyncio.create_task(self._work(self._relay), name="relay")

    async def _work(self, relay: Relay) -> None:
        try:
            await relay.run(self._stop)
        except Leave as leave:
            _leave(leave)
        except Exception as error:  # noqa: BLE001 - whatever ends the relay ends the process
            _leave(Leave(Reason.BROKEN, repr(error)))

    async def on_stop(self) -> None:
        self._stop.set()
        if self._running is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._running, self._settings.drain_seconds + self._settings.session_seconds)


class HealthService(Service):  # type: ignore[misc]  # mode publishes no types
    """The health port of the worker."""

    mundane_level = "debug"

    def __init__(self, settings: Settings, health: Callable[[], Health], meter: Meter) -> None:
        super().__init__()
        self._settings = settings
        self._health = health
        self._meter = meter
        self._port: HealthPort | None = None

    async def on_start(self) -> None:
        from broker.worker.http import HealthPort  # noqa: PLC0415 - a quarter of a second that a worker without it does without

        self._port = HealthPort(self._settings.health_host, self._settings.health_port, self._health, self._meter)
        await self._port.open()

    async def on_stop(self) -> None:
        if self._port is not None:
            await self._port.close()


def run(settings: Settings, *services: Service) -> int:
    """Run until a signal; the exit code. Libraries stay quiet below warnings, which doubles the speed of Faust."""
    for name in ("faust", "mode", "aiokafka"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It says of every inbox that is missing, every few seconds, what destination.failed says when it matters.
    logging.getLogger("aiokafka.cluster").setLevel(logging.CRITICAL)
    worker = Worker(
        *services,
        redirect_stdouts=False,
        quiet=True,
        loglevel=settings.log_level,
        logging_config=log.logging_config(settings.log_format, settings.log_level),
    )
    try:
        worker.execute_from_commandline()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    except KeyboardInterrupt:
        return 0
    return 0


def _leave(leave: Leave) -> None:
    """End the process at once: what was not committed never was, and a supervisor starts the next one."""
    logger.error("worker.leaves", reason=leave.reason.name.lower(), sentence=str(leave), code=int(leave.reason))
    logging.shutdown()
    os._exit(int(leave.reason))
