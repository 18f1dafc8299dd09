"""The composition root: settings, catalogue, relay and Faust put together into a worker or the mock windows."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import faust
from mode import Service

from broker import catalogue as catalogues
from broker import home, log, topics
from broker.errors import Misconfigured, Refused
from broker.http import Health, HealthPort
from broker.kafka import admin
from broker.kafka.draft import Rules
from broker.kafka.leave import Leave, Reason
from broker.kafka.relay import Relay
from broker.kafka.transport import ReadCommitted
from broker.kafka.vigil import Vigil
from broker.kafka.watch import Watch
from broker.line import process
from broker.relations import load as load_relations
from broker.watchdog import Patience
from broker.windows.answers import reply
from broker.windows.decide import windows as windows_of
from broker.windows.faults import NONE, play, read_faults
from broker.writeoff import granting_families, grants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from broker.home import Home
    from broker.model import Catalogue, DocumentTypeName, MessageId, ParticipantCode, Payload
    from broker.settings import Settings
    from broker.windows.answers import Reply
    from broker.windows.decide import Window
    from broker.windows.faults import Faults
    from broker.writeoff import Grant

logger = log.get(__name__)

ALARM_GROUP = "swb-alarm"
WINDOWS_GROUP = "swb-windows"
_IN_HAND = 1000
"""Payloads a mock window may have before it at once."""
_RETRY_SECONDS = 1.0
_SAID_OF_DEAD_LETTERS = (topics.REASON, topics.DESTINATION, topics.MESSAGE_ID, topics.WINDOW, topics.ORIGIN_TOPIC)
_BREATH_SECONDS = 0.05
_HEAD_START_SECONDS = 3.0
"""For the messages that wait when the lanes open."""


# --- the worker -------------------------------------------------------------------------------------------------------


def run_worker(settings: Settings) -> int:
    """Relay documents and answers until asked to stop; the exit code says why it ended (``broker.kafka.leave``)."""
    logger.info("worker.starting", bootstrap=settings.bootstrap, instance=settings.instance or None)
    catalogue = catalogues.load(max_content=settings.max_content_bytes)
    logger.info("catalogue.loaded", types=len(catalogue.document_types), participants=len(catalogue.participants))
    rules = rules_of(settings, catalogue, home.load(catalogues.data_root(), catalogue))
    admin.wait(settings, catalogue.participants)
    app = faust_app(settings, ALARM_GROUP)
    tell_dead_letters(app)
    vigil = Vigil(rules.statuses, rules.patience, [window.code for window in catalogue.windows()])
    relay = RelayService(settings, rules)
    beside = [WatchService(Watch(settings, vigil, relay.lanes)), Afterwards(settings, catalogue, relay.is_open)]
    if settings.health_port:
        beside.append(HealthService(settings, relay.health))
    return run(settings, app, relay, *beside)


def rules_of(settings: Settings, catalogue: Catalogue, home: Home) -> Rules:
    """What the relay's plan is given to know."""

    def mapping_label(name: DocumentTypeName) -> str:
        document_type = catalogue.document_types.get(name)
        return document_type.mapping.id if document_type else ""

    mappings = catalogues.data_root() / "mappings"
    relations, granting = load_relations(mappings / "relations.toml"), granting_families(mappings / "writeoff.toml")

    def grant(name: DocumentTypeName, payload: Payload, message: MessageId, sender: ParticipantCode) -> Grant | None:
        return grants(payload.root, message, sender) if name.partition("/")[0] in granting else None

    return Rules(
        process=lambda message: process(message, catalogue),
        participants={str(code): participant for code, participant in catalogue.participants.items()},
        teller=home,
        mapping_label=mapping_label,
        meaning=home.meaning,
        statuses=home.statuses,
        max_content=settings.max_content_bytes,
        retry_limit_ms=int(settings.retry_limit_seconds * 1000),
        patience=Patience.of(catalogue),
        names=lambda payload: relations.names(payload.root),
        grant=grant,
    )


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
        while not self._is_open():  # noqa: ASYNC110 - lanes come and go
            await asyncio.sleep(_BREATH_SECONDS)
        await asyncio.sleep(_HEAD_START_SECONDS)
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


class WatchService(Service):  # type: ignore[misc]  # mode publishes no types
    """The watchdog beside the relay: without it nobody is told of silence, and nothing else is missing."""

    mundane_level = "debug"

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    async def on_start(self) -> None:
        self.add_future(self._watch.run())


class RelayService(Service):  # type: ignore[misc]  # mode publishes no types
    """The relay as a service of the worker: started with it, drained before it ends."""

    mundane_level = "debug"

    def __init__(self, settings: Settings, rules: Rules) -> None:
        super().__init__()
        self._settings = settings
        self._rules = rules
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
        return Health(
            is_alive=not liveness.is_stuck,
            is_ready=self._relay.is_open,
            lanes=tuple(sorted(self._relay.lanes())),
            moved=liveness.moved,
        )

    async def on_start(self) -> None:
        self._relay = Relay(self._settings, self._rules, self._settings.instance or None)
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

    def __init__(self, settings: Settings, health: Callable[[], Health]) -> None:
        super().__init__()
        self._port = HealthPort(settings.health_host, settings.health_port, health)

    async def on_start(self) -> None:
        await self._port.open()

    async def on_stop(self) -> None:
        await self._port.close()


def _leave(leave: Leave) -> None:
    """End the process at once: what was not committed never was, and a supervisor starts the next one."""
    logger.error("worker.leaves", reason=leave.reason.name.lower(), sentence=str(leave), code=int(leave.reason))
    logging.shutdown()
    os._exit(int(leave.reason))


def tell_dead_letters(app: faust.App) -> None:
    """An agent that says every dead letter once, on whichever worker: operations are to hear of the first."""

    async def tell(stream: faust.Stream[bytes]) -> None:
        async for event in stream.events():
            headers = dict(event.message.headers or {})
            said = {name: headers.get(name, b"").decode("utf-8", "replace") for name in _SAID_OF_DEAD_LETTERS}
            place = f"{event.message.partition}/{event.message.offset}"
            logger.warning("deadletter.arrived", id=place, **{k.removeprefix("swb_"): v for k, v in said.items() if v})

    app.agent(_raw(app, topics.DEADLETTER), name="tell_dead_letters")(tell)


# --- the mock windows -------------------------------------------------------------------------------------------------


def run_windows(settings: Settings, codes: Sequence[str] = (), faults: str = "") -> int:
    """Run the mock windows (all when none is named) until asked to stop; Misconfigured for a code that is none."""
    catalogue = catalogues.load(max_content=settings.max_content_bytes)
    known = windows_of(catalogue)
    script = read_faults(faults)
    unknown = sorted({*codes, *script} - set(known))
    if unknown:
        raise Misconfigured(f"{', '.join(unknown)}: not among the windows {', '.join(sorted(known))}")
    chosen = {code: window for code, window in known.items() if not codes or code in codes}
    group = f"swb.{codes[0]}.window" if len(codes) == 1 else WINDOWS_GROUP
    app = windows_app(settings, group, chosen, home.load(catalogues.data_root(), catalogue), script)
    _wait_for_boxes(settings, chosen)
    return run(settings, app)


def windows_app(
    settings: Settings,
    group: str,
    windows: Mapping[ParticipantCode, Window],
    home: Home,
    faults: Mapping[ParticipantCode, Faults],
) -> faust.App:
    """One agent for each window: payloads from its inbox, answers to its outbox, at least once, under derived ids."""
    app = faust_app(settings, group)
    for code, window in windows.items():
        answers = _raw(app, topics.outbox(code))

        def decide(content: bytes, message: str, at: datetime, window: Window = window) -> tuple[Reply, ...]:
            script = faults.get(window.participant.code, NONE)
            return play(script, message, reply(window, content, home.pointers, at))

        agent = _window_agent(code, answers, decide)
        app.agent(_raw(app, topics.inbox(code)), name=f"window_{code}")(agent)
    return app


def _window_agent(
    code: str, answers: faust.TopicT[bytes], decide: Callable[[bytes, str, datetime], tuple[Reply, ...]]
) -> Callable[[faust.Stream[bytes]], Any]:
    async def answer(event: faust.EventT[bytes]) -> None:
        """Every reply to one payload, each when its time has come; tried again until Kafka takes it."""
        headers = dict(event.message.headers or {})
        if headers.get(topics.CE_TYPE) != b"swb.payload":
            return
        message = headers.get(topics.MESSAGE_ID, b"").decode()
        received = datetime.fromtimestamp(event.message.timestamp, UTC)
        try:
            replies = decide(event.value, message, received)
        except Refused as refusal:
            logger.warning("window.unreadable", window=code, message_id=message, reason=str(refusal))
            return
        began = time.monotonic()
        for one in replies:
            await asyncio.sleep(max(0.0, one.delay - (time.monotonic() - began)))
            await _send(answers, code, one)
        logger.info("window.answered", window=code, message_id=message, conversation_id=message, answers=len(replies))

    async def work(stream: faust.Stream[bytes]) -> None:
        """Payloads are decided side by side and acknowledged in order, once their answers lie in Kafka."""
        in_hand: asyncio.Queue[tuple[faust.EventT[bytes], asyncio.Task[None]]] = asyncio.Queue(_IN_HAND)

        async def acknowledge() -> None:
            while True:
                event, task = await in_hand.get()
                try:
                    await task
                except Exception:
                    logger.exception("window.broken", window=code)
                event.ack()

        acknowledging = asyncio.create_task(acknowledge())
        try:
            async for event in stream.noack().events():
                await in_hand.put((event, asyncio.create_task(answer(event))))
        finally:
            acknowledging.cancel()

    return work


async def _send(answers: faust.TopicT[bytes], code: str, one: Reply) -> None:
    headers = {
        topics.CE_VERSION: "1.0",
        topics.CE_ID: one.id,
        topics.CE_SOURCE: code,
        topics.CE_TYPE: topics.ANSWER_TYPE,
        topics.CONTENT_TYPE: topics.XML,
    }
    while True:
        try:
            await (await answers.send(key=one.key, value=one.content, headers=list(topics.headers(headers))))
        except Exception as error:  # noqa: BLE001 - at least once: nothing but success ends it
            logger.warning("window.retries", window=code, reason=repr(error))
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return


def _wait_for_boxes(settings: Settings, codes: Iterable[str]) -> None:
    admin.wait_for(settings, {name for code in codes for name in (topics.inbox(code), topics.outbox(code))})


# --- Faust ------------------------------------------------------------------------------------------------------------


class _App(faust.App):  # type: ignore[misc]
    """A Faust application that keeps nothing on disk."""

    def _create_directories(self) -> None:
        """No table of ours lies in a folder: Faust would make some wherever the process was started."""


def faust_app(settings: Settings, group: str) -> faust.App:
    """A Faust application that reads committed records only, makes no topics or folders and serves no pages."""
    app = _App(
        group,
        broker=[f"kafka://{address}" for address in settings.bootstrap.split(",")],
        broker_credentials=_credentials(settings),
        broker_session_timeout=settings.session_seconds,
        broker_heartbeat_interval=settings.heartbeat_seconds,
        broker_rebalance_timeout=settings.rebalance_seconds,
        broker_max_poll_records=settings.batch_records,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=settings.max_record_bytes,
        producer_acks=-1,
        producer_linger=0.005,
        producer_max_batch_size=256 * 1024,
        producer_max_request_size=settings.max_record_bytes,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        stream_wait_empty=True,
        store="memory://",
        value_serializer="raw",
        web_enabled=False,
        logging_config=log.logging_config(settings.log_format, settings.log_level),
    )
    app.transport = ReadCommitted(app.conf.broker_consumer, app, loop=app.loop)
    return app


def _credentials(settings: Settings) -> faust.auth.Credentials | None:
    context = settings.ssl_context()
    if settings.security == "sasl_ssl":
        return faust.SASLCredentials(
            username=settings.username,
            password=settings.password.get_secret_value(),
            ssl_context=context,
            mechanism=settings.sasl_mechanism,
        )
    return faust.SSLCredentials(context) if context is not None else None


def _raw(app: faust.App, name: str) -> faust.TopicT[bytes]:
    return app.topic(name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")


def run(settings: Settings, app: faust.App, *services: Service) -> int:
    """Run until a signal; the exit code. Faust's own loggers stay quiet below warnings, which doubles its speed."""
    for name in ("faust", "mode", "aiokafka"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It says of every inbox that is missing, every few seconds, what destination.failed says when it matters.
    logging.getLogger("aiokafka.cluster").setLevel(logging.CRITICAL)
    worker = faust.Worker(
        app,
        *services,
        redirect_stdouts=False,
        quiet=True,
        loglevel=settings.log_level,
        logging_config=log.logging_config(settings.log_format, settings.log_level),
    )
    worker.spinner = None  # it would write to standard output
    try:
        worker.execute_from_commandline()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    except KeyboardInterrupt:
        return 0
    return 0
