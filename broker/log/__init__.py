"""Logs: one JSON line per event for everything the process says, its libraries included; coloured on a terminal.

Events are ``noun.verb`` with values as fields: ``log.info("message.delivered", participant="sg-tradenet")``. Content is
never among them: values of those names and bytes are taken out before anything is written.
"""

from __future__ import annotations

import logging
import logging.config
import os
import sys
from typing import TYPE_CHECKING, Any, Literal, TextIO

import orjson
import structlog

from broker.harmless import all_harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from types import TracebackType

    from structlog.typing import EventDict, Processor, WrappedLogger

    from broker.model.ids import ConversationId, MessageId

Format = Literal["auto", "json", "console"]
CONTENT = frozenset({"content", "payload", "document", "value", "body"})
"""Fields that never reach a log, whatever they hold."""


def get(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose calls are events."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def about(
    message_id: MessageId, conversation_id: ConversationId | None = None, **fields: str
) -> AbstractContextManager[None]:
    """Within it every line carries these ids. (Bound for a block, since a task outlives its messages.)"""
    bound = {"message_id": message_id, "conversation_id": conversation_id or message_id, **fields}
    return structlog.contextvars.bound_contextvars(**bound)


def name_process(name: str) -> None:
    """From now on every line carries the name of this worker."""
    structlog.contextvars.bind_contextvars(worker=name)


def configure(form: Format = "auto", level: str = "info", stream: TextIO | None = None) -> None:
    """Send all logging of this process through one form; warnings and a crash too."""
    logging.config.dictConfig(logging_config(form, level, stream))
    logging.captureWarnings(True)
    sys.excepthook = _crashed
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_COMMON,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def logging_config(form: Format = "auto", level: str = "info", stream: TextIO | None = None) -> dict[str, Any]:
    """What :func:`configure` gives to ``dictConfig``; an application that configures logging itself takes it from here.

    The stream is the process's own standard error, which a redirection of ``sys.stderr`` does not reach.
    """
    out = stream or sys.__stderr__ or sys.stderr
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"swb": {"()": _formatter, "form": _chosen(form, out)}},
        "handlers": {"swb": {"class": "broker.log.calm.CalmHandler", "formatter": "swb", "stream": out}},
        "root": {"handlers": ["swb"], "level": level.upper()},
    }


def _chosen(form: Format, out: TextIO) -> Format:
    if form != "auto":
        return form
    return "console" if out.isatty() else "json"


def _formatter(form: Format) -> structlog.stdlib.ProcessorFormatter:
    own: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if form == "console":
        own.append(structlog.dev.ConsoleRenderer(colors="NO_COLOR" not in os.environ, sort_keys=False))
    else:
        tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        own += [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer(_json)]
    return structlog.stdlib.ProcessorFormatter(
        processors=own, foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *_COMMON, _first_line]
    )


def _json(event: Mapping[str, object], default: Callable[[object], object], **_: object) -> str:
    return orjson.dumps(event, default=default, option=orjson.OPT_NON_STR_KEYS).decode()


def _no_content(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The event without what may be content."""
    for name in [n for n, v in event.items() if n in CONTENT or isinstance(v, bytes | bytearray | memoryview)]:
        del event[name]
    return event


def _harmless(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The event with nothing in it that a terminal would act on, whoever wrote it."""
    return {name: all_harmless(value) for name, value in event.items()}


def _first_line(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A library's text of several lines, told in one, the rest as ``detail``."""
    head, _, detail = str(event["event"]).strip().partition("\n")
    event["event"] = head
    if detail:
        event["detail"] = detail
    return event


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("broker").critical("process.crashed", exc_info=(kind, error, trace))


_COMMON: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    _no_content,
    _harmless,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
