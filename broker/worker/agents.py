"""What reads topics through Faust: the mock windows, and who tells operations of dead letters."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from broker import log
from broker.kafka.faust.app import raw
from broker.model.errors import Refused
from broker.relay import headers, topics
from broker.windows.faults import NONE, play
from broker.windows.respond import reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import faust

    from broker.content.pointers import Pointers
    from broker.model.ids import ParticipantCode
    from broker.windows.decide import Window
    from broker.windows.faults import Faults
    from broker.windows.respond import WindowReply

logger = log.get(__name__)

_IN_HAND = 1000
"""Payloads a mock window may have before it at once."""
_RETRY_SECONDS = 1.0
_SAID_OF_DEAD_LETTERS = (headers.REASON, headers.DESTINATION, headers.MESSAGE_ID, headers.WINDOW, headers.ORIGIN_TOPIC)


def tell_dead_letters(app: faust.App) -> faust.App:
    """The application with an agent that says every dead letter once, on whichever worker: operations are to hear of
    the first.
    """

    async def tell(stream: faust.Stream[bytes]) -> None:
        async for event in stream.events():
            given = dict(event.message.headers or {})
            said = {name: given.get(name, b"").decode("utf-8", "replace") for name in _SAID_OF_DEAD_LETTERS}
            place = f"{event.message.partition}/{event.message.offset}"
            logger.warning("deadletter.arrived", id=place, **{k.removeprefix("swb_"): v for k, v in said.items() if v})

    app.agent(raw(app, topics.DEADLETTER), name="tell_dead_letters")(tell)
    return app


def answer_payloads(
    app: faust.App,
    windows: Mapping[ParticipantCode, Window],
    pointers: Pointers,
    faults: Mapping[ParticipantCode, Faults],
) -> None:
    """An agent for each window: payloads from its inbox, answers to its outbox, at least once, under derived ids."""
    for code, window in windows.items():

        def decide(content: bytes, message: str, at: datetime, window: Window = window) -> tuple[WindowReply, ...]:
            script = faults.get(window.participant.code, NONE)
            return play(script, message, reply(window, content, pointers, at))

        agent = _window_agent(code, raw(app, topics.outbox(code)), decide)
        app.agent(raw(app, topics.inbox(code)), name=f"window_{code}")(agent)


def _window_agent(
    code: str, answers: faust.TopicT[bytes], decide: Callable[[bytes, str, datetime], tuple[WindowReply, ...]]
) -> Callable[[faust.Stream[bytes]], Any]:
    async def answer(event: faust.EventT[bytes]) -> None:
        """Every reply to one payload, each when its time has come; tried again until Kafka takes it."""
        given = dict(event.message.headers or {})
        if given.get(headers.CE_TYPE) != b"swb.payload":
            return
        message = given.get(headers.MESSAGE_ID, b"").decode()
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


async def _send(answers: faust.TopicT[bytes], code: str, one: WindowReply) -> None:
    given = {
        headers.CE_VERSION: "1.0",
        headers.CE_ID: one.id,
        headers.CE_SOURCE: code,
        headers.CE_TYPE: headers.ANSWER_TYPE,
        headers.CONTENT_TYPE: headers.XML,
    }
    while True:
        try:
            await (await answers.send(key=one.key, value=one.content, headers=list(headers.encoded(given))))
        except Exception as error:  # noqa: BLE001 - at least once: nothing but success ends it
            logger.warning("window.retries", window=code, reason=repr(error))
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return
