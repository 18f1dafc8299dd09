import io
import json
import logging
import sys
import warnings

import pytest
import structlog

from broker import log
from broker.model.ids import MessageId


@pytest.fixture
def out():
    """What a process that logs JSON writes."""
    stream = io.StringIO()
    root, hook = logging.getLogger(), sys.excepthook
    handlers, level = root.handlers[:], root.level
    log.configure("json", "debug", stream)
    yield stream
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)
    sys.excepthook = hook
    structlog.reset_defaults()


def lines(out):
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_an_event_is_one_json_line_with_its_fields(out):
    log.get("broker.relay").info("message.delivered", participant="sg-tradenet", milliseconds=1.5)
    [line] = lines(out)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "message.delivered",
        "level": "info",
        "logger": "broker.relay",
        "participant": "sg-tradenet",
        "milliseconds": 1.5,
    }


def test_ids_are_bound_for_a_block_and_no_longer(out):
    logger = log.get("broker.relay")
    with log.about(MessageId("a" * 32), sender="pe-sunat"):
        logger.info("message.received")
    logger.info("lane.idle")
    first, second = lines(out)
    assert (first["message_id"], first["conversation_id"], first["sender"]) == ("a" * 32, "a" * 32, "pe-sunat")
    assert "message_id" not in second


def test_content_is_never_written(out):
    secret = "<Invoice>Juana Prieto</Invoice>"
    log.get("broker").info("message.received", content=secret, payload=secret, value=secret, raw=secret.encode())
    assert "Prieto" not in out.getvalue()
    assert set(lines(out)[0]) == {"event", "level", "logger", "timestamp"}


@pytest.mark.parametrize("name", ["faust", "mode.services", "aiokafka.consumer.group_coordinator"])
def test_libraries_speak_in_the_same_form(out, name):
    logging.getLogger(name).warning("Joined group %s\n+--table--+\n| x |", "swb-relay")
    [line] = lines(out)
    assert (line["event"], line["logger"], line["level"]) == ("Joined group swb-relay", name, "warning")
    assert line["detail"] == "+--table--+\n| x |"


def test_warnings_and_exceptions_are_lines_too(out):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old way", DeprecationWarning, stacklevel=1)
    hidden = "never shown"
    try:
        raise ValueError("no such lane")
    except ValueError:
        log.get("broker").exception("lane.failed")
    warned, failed = lines(out)
    assert "old way" in json.dumps(warned)
    assert failed["exception"][0]["exc_type"] == "ValueError"
    assert hidden not in json.dumps(failed)


def test_a_crash_is_a_line(out):
    error = RuntimeError("out of luck")
    sys.excepthook(RuntimeError, error, None)
    [line] = lines(out)
    assert (line["event"], line["level"]) == ("process.crashed", "critical")


def test_people_on_a_terminal_read_plain_lines():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    config = log.logging_config("auto", "info", stream)
    assert config["formatters"]["swb"]["form"] == "console"
    assert log.logging_config("auto", "info", io.StringIO())["formatters"]["swb"]["form"] == "json"
