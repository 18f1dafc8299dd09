"""The composition root: settings, catalogue, relay and Faust put together into a worker or the mock windows."""

from __future__ import annotations

import os
import resource
import socket
import sys
from dataclasses import asdict, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from broker import __version__, log, metrics
from broker import catalogue as catalogues
from broker import settings as settings_module
from broker.answers import way_back
from broker.archive import Archive
from broker.content.parts import PartReader, split
from broker.kafka.admin import topics as admin
from broker.kafka.admin import upgrade
from broker.kafka.lanes.aside import Aside, serve
from broker.kafka.lanes.claim_check import Claims
from broker.kafka.watchdog import Watchdog
from broker.line.process import explain, process, recognised
from broker.metrics import Meter
from broker.model.errors import Failed, Misconfigured
from broker.registry.relations import load as load_relations
from broker.relay import topics
from broker.relay.batch import PlanContext
from broker.relay.elsewhere import carry_out
from broker.relay.ledger import granting_families, grants
from broker.relay.watchdog.policy import WatchdogPolicy
from broker.relay.watchdog.schedule import WatchdogSchedule
from broker.windows.decide import windows as windows_of
from broker.windows.faults import read_faults
from broker.workbench.soundness import ensure_sound
from broker.worker.services import Afterwards, AlarmService, HealthService, RelayService, WatchService, run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from broker.answers.way_back import WayBack
    from broker.mapping import Explanation
    from broker.model.documents import Message, Payload
    from broker.model.ids import DocumentTypeName, MessageId, ParticipantCode
    from broker.model.outcomes import Catalogue, Outcome
    from broker.relay.ledger import Grant
    from broker.settings import Settings

logger = log.get(__name__)

ALARM_GROUP = "swb-alarm"
WINDOWS_GROUP = "swb-windows"
_ASIDE = "from broker.app import serve_aside; serve_aside()"
_ASIDE_BYTES = 1 << 30
"""Of address space: what takes more is refused its memory, not the worker."""
_ASIDE_SHARE = 0.6
"""Of the time after which a worker counts as stuck: so long one document may take."""


def run_worker(settings: Settings) -> int:
    """Relay documents and answers until asked to stop; the exit code says why it ended (``kafka.lanes.leave``)."""
    log.name_process(settings.instance or f"{socket.gethostname()}/{os.getpid()}")
    logger.info("worker.starting", bootstrap=settings.bootstrap, instance=settings.instance or None)
    Claims(settings).open()
    catalogue = catalogues.load(max_content=settings.max_content_bytes)
    logger.info("catalogue.loaded", types=len(catalogue.document_types), participants=len(catalogue.participants))
    ensure_sound(catalogues.data_root())
    kept = Archive(settings.claims)
    digest = kept.keep(catalogues.data_root(), catalogue)
    logger.info("catalogue.kept", catalogue=digest, decisions=catalogue.decisions, engine=__version__)
    rules = rules_of(settings, catalogue, way_back.load(catalogues.data_root(), catalogue, _found_in(kept)))
    admin.wait(settings, catalogue.participants)
    upgrade.refuse_leftovers(settings)
    schedule = WatchdogSchedule(rules.statuses, rules.watchdog_policy, [window.code for window in catalogue.windows()])
    meter = Meter()
    for document_type in catalogue.document_types.values():
        meter.set(metrics.MAPPING_INFO, 1, mapping=document_type.mapping.id)
    aside = Aside(_ASIDE, settings.stuck_seconds * _ASIDE_SHARE)
    relay = RelayService(settings, replace(rules, process=_timed(rules.process, meter)), meter, aside)
    beside = [
        WatchService(Watchdog(settings, schedule, relay.lanes)),
        Afterwards(settings, catalogue, relay.is_open),
        AlarmService(lambda: _alarm(settings), relay.is_open),
    ]
    if settings.health_port:
        beside.append(HealthService(settings, relay.health, meter))
    return run(settings, relay, *beside)


def serve_aside() -> None:
    """In the process beside a worker: large documents through the line and home, each within its memory."""
    resource.setrlimit(resource.RLIMIT_AS, (_ASIDE_BYTES, _ASIDE_BYTES))
    taken, sys.stdout = sys.stdout.buffer, sys.stderr
    settings = settings_module.load()
    catalogue = catalogues.load(max_content=settings.max_content_bytes)
    home = way_back.load(catalogues.data_root(), catalogue, _found_in(Archive(settings.claims)))
    rules = rules_of(settings, catalogue, home)
    serve(lambda task: carry_out(task, rules.process, rules.render), sys.stdin.buffer, taken)


def _timed(line: Callable[[Message], Outcome], meter: Meter) -> Callable[[Message], Outcome]:
    """The line, with the time that each document took on it."""

    def timed(message: Message) -> Outcome:
        began = perf_counter()
        outcome = line(message)
        meter.observe(metrics.LINE_SECONDS, perf_counter() - began, document_type=str(outcome.document_type or ""))
        return outcome

    return timed


def _found_in(kept: Archive) -> Callable[[str], Catalogue | None]:
    """The kept catalogue of a mapping; none while the store does not give it, and the answer says so."""

    def found(mapping: str) -> Catalogue | None:
        try:
            return kept.holding(mapping)
        except (Failed, Misconfigured) as error:
            logger.warning("catalogue.unread", mapping=mapping, reason=str(error))
            return None

    return found


def _alarm(settings: Settings) -> Callable[[], Any]:
    """What makes the application that tells dead letters, once Faust is loaded."""
    from broker.kafka.faust.app import faust_app  # noqa: PLC0415 - the same
    from broker.worker.agents import tell_dead_letters  # noqa: PLC0415 - half a second that no document shall wait for

    return lambda: tell_dead_letters(faust_app(settings, ALARM_GROUP))


def rules_of(settings: Settings, catalogue: Catalogue, home: WayBack) -> PlanContext:
    """What the relay's plan is given to know."""

    def mapping_label(name: DocumentTypeName) -> str:
        document_type = catalogue.document_types.get(name)
        return document_type.mapping.id if document_type else ""

    mappings = catalogues.data_root() / "mappings"
    relations, granting = load_relations(mappings / "relations.toml"), granting_families(mappings / "writeoff.toml")

    def grant(name: DocumentTypeName, payload: Payload, message: MessageId, sender: ParticipantCode) -> Grant | None:
        return grants(payload.root, message, sender) if name.partition("/")[0] in granting else None

    return PlanContext(
        process=lambda message: process(message, catalogue),
        split=lambda content: split(content, catalogue.envelopes),
        part=PartReader(catalogue.envelopes),
        participants={str(code): participant for code, participant in catalogue.participants.items()},
        render=home,
        recognise=lambda message: recognised(message, catalogue),
        mapping_label=mapping_label,
        meaning=home.meaning,
        statuses=home.statuses,
        max_content=settings.max_content_bytes,
        retry_limit_ms=int(settings.retry_limit_seconds * 1000),
        watchdog_policy=WatchdogPolicy.of(catalogue),
        names=lambda payload: relations.names(payload.root),
        declarant=lambda payload: relations.declarant(payload.root),
        grant=grant,
    )


def run_windows(settings: Settings, codes: Sequence[str] = (), faults: str = "") -> int:
    """Run the mock windows (all when none is named) until asked to stop; Misconfigured for a code that is none."""
    from broker.kafka.faust.app import faust_app  # noqa: PLC0415 - the same
    from broker.worker.agents import answer_payloads  # noqa: PLC0415 - the worker, too, comes from here

    catalogue = catalogues.load(max_content=settings.max_content_bytes)
    known = windows_of(catalogue)
    script = read_faults(faults)
    unknown = sorted({*codes, *script} - set(known))
    if unknown:
        raise Misconfigured(f"{', '.join(unknown)}: not among the windows {', '.join(sorted(known))}")
    chosen = {code: window for code, window in known.items() if not codes or code in codes}
    group = f"swb.{codes[0]}.window" if len(codes) == 1 else WINDOWS_GROUP
    app = faust_app(settings, group)
    answer_payloads(app, chosen, way_back.load(catalogues.data_root(), catalogue).pointers, script)
    admin.wait_for(settings, {name for code in chosen for name in (topics.inbox(code), topics.outbox(code))})
    return run(settings, app)


def run_console(settings: Settings, *, rebuild: bool = False, tell: Callable[[str], None] = lambda _: None) -> None:
    """Serve the console until asked to stop; Misconfigured where it cannot be."""
    from broker.console.run import run as serve  # noqa: PLC0415 - a database and pages, which no worker needs
    from broker.mapping.lineage.report_page import page  # noqa: PLC0415
    from broker.workbench import evidence  # noqa: PLC0415

    catalogue = catalogues.load(max_content=settings.max_content_bytes)
    kept = _found_in(Archive(settings.claims))
    types = {str(name): document_type for name, document_type in catalogue.document_types.items()}

    def explained(message: Message, mapping: str) -> Explanation:
        here = types.get(mapping.partition("@")[0])
        at_hand = catalogue if here is not None and here.mapping.id == mapping else kept(mapping) or catalogue
        return explain(message, at_hand)

    serve(
        settings,
        {str(code): participant for code, participant in catalogue.participants.items()},
        [
            {"name": name, "title": found.title, "label": found.mapping.id, "version": _version(found.mapping.id)}
            for name, found in sorted(types.items())
        ],
        explained,
        catalogues.payload_pointers(),
        PartReader(catalogue.envelopes),
        lambda name: page(evidence.report_of(types[name], catalogue)),
        lambda name: asdict(evidence.coverage_of(types[name], catalogue)),
        rebuild=rebuild,
        tell=tell,
    )


def _version(label: str) -> str:
    """``1.8+0123abcd`` of a mapping's label."""
    version, _, digest = label.partition("@")[2].partition("+")
    return f"{version}+{digest.removeprefix('sha256:')[:8]}"
