"""What people do from the console: each is a record on Kafka and an event with who and why, in one go."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import orjson

from broker import log
from broker.kafka import reading
from broker.relay import headers, ids, topics
from broker.relay.dead_letters import DeadLetter
from broker.relay.records import Place, Produced, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from broker.console.access import Person
    from broker.console.project import Row
    from broker.settings import Settings

logger = log.get(__name__)

ACTIONS = ("revealed", "redrove", "closed")
_NOBODY = b"operator"


def event(action: str, person: Person, why: str, **about: Any) -> Produced:  # noqa: ANN401 - fields of an event
    """What somebody did, as a tracking event: ``operator.<action>``."""
    message = str(about.get("message_id") or "")
    now = moment(int(time.time() * 1000))
    told = {
        "v": 1,
        "event": f"operator.{action}",
        "at": now,
        "by": person.name,
        "role": person.role,
        "why": why,
        **about,
    }
    if message:
        told["conversation_id"] = message
    content = orjson.dumps({name: value for name, value in told.items() if value not in (None, "", [])})
    values = {
        headers.CE_VERSION: "1.0",
        headers.CE_SOURCE: headers.SOURCE,
        headers.CE_TYPE: headers.EVENT_TYPE,
        headers.CE_ID: ids.broker_id(message, "", f"operator.{action}", uuid.uuid4().hex),
        headers.CE_TIME: now,
        headers.CONTENT_TYPE: headers.JSON,
        headers.MESSAGE_ID: message,
        headers.CONVERSATION_ID: message,
    }
    subject = message or str(about.get("deadletter", ""))
    logger.info("console.action", action=action, by=person.name, why=why, subject=subject)
    return Produced(topics.TRACKING, message.encode() or _NOBODY, content, headers.encoded(values))


def reveal(settings: Settings, person: Person, why: str, message_id: str) -> None:
    """Told before anything is shown."""
    reading.write(settings, [event("revealed", person, why, message_id=message_id)])


def redrive(settings: Settings, person: Person, why: str, letters: Sequence[Row]) -> tuple[int, list[str]]:
    """Send dead letters back on their way, with their ids; how many, and the names of those that are gone.

    The relay counts each once: a second time has no effect.
    """
    gone, records = [], []
    for letter in letters:
        record = reading.at(settings, Place(topics.DEADLETTER, letter["partition"], letter["position"]))
        if record is None:
            gone.append(name_of(letter))
            continue
        records.append(DeadLetter(record).redriven(person.name))
        records.append(_about("redrove", person, why, letter))
    reading.write(settings, records)
    return len(records) // 2, gone


def close(settings: Settings, person: Person, why: str, letters: Sequence[Row]) -> int:
    """Let dead letters rest: they stay where they are, and nothing is awaited of them."""
    reading.write(settings, [_about("closed", person, why, letter) for letter in letters])
    return len(letters)


def name_of(letter: Row) -> str:
    """``partition/offset``, as ``swb deadletter`` names it."""
    return f"{letter['partition']}/{letter['position']}"


def _about(action: str, person: Person, why: str, letter: Row) -> Produced:
    about = {name: letter[name] for name in ("message_id", "window", "reason")}
    return event(action, person, why, deadletter=name_of(letter), **about)
