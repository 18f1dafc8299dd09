"""Reads what every lane accepted, a moment behind, so that a worker knows the ids of lanes that are not its own."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from broker import log
from broker.relay import topics

if TYPE_CHECKING:
    from confluent_kafka import Message

    from broker.relay.accepted_ids import AcceptedIds
    from broker.settings import Settings

logger = log.get(__name__)

_CHUNK = 2000
_POLL_SECONDS = 0.2
_AGAIN_SECONDS = 5.0
_BREATH_SECONDS = 0.01
"""Between chunks of a long backlog: the lanes go first."""
_SIGN = b'"accepted"'
_ID_CHARACTERS = 32


class AcceptedReader:
    """A thread that reads ``swb.duplicates`` from its beginning on; what goes wrong is logged and tried again."""

    def __init__(self, settings: Settings, known: AcceptedIds) -> None:
        self._settings = settings
        self._known = known
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="accepted-reader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Read no more; the thread ends by itself within a moment."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._read()
            except KafkaException as error:
                logger.warning("accepted.unread", reason=error.args[0].str())
                self._stop.wait(_AGAIN_SECONDS)

    def _read(self) -> None:
        consumer = Consumer(
            {
                **self._settings.librdkafka(),
                "group.id": "swb-accepted",  # never joined: partitions are assigned, nothing is committed
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 100,
                "queued.max.messages.kbytes": 4096,
                "log_level": 0,
            }
        )
        try:
            partitions = consumer.list_topics(topics.DUPLICATES, timeout=_AGAIN_SECONDS).topics[topics.DUPLICATES]
            places = [TopicPartition(topics.DUPLICATES, number, OFFSET_BEGINNING) for number in partitions.partitions]
            if not places:
                self._stop.wait(_AGAIN_SECONDS)
                return
            consumer.assign(places)
            while not self._stop.is_set():
                messages = consumer.consume(_CHUNK, _POLL_SECONDS)
                for message in messages:
                    self._note(message)
                if len(messages) == _CHUNK:
                    time.sleep(_BREATH_SECONDS)
        finally:
            consumer.close()

    def _note(self, message: Message) -> None:
        key, value = message.key(), message.value()
        if message.error() is None and key and value and len(key) == _ID_CHARACTERS and _SIGN in value:
            try:
                self._known.add(key, message.partition() or 0)
            except ValueError:  # no id of ours
                return
