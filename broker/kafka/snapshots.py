"""Copies of a lane's memory on the local disk: what a state partition said up to an offset, so that a restart on the
same host reads on from there instead of from the beginning.

A copy is never the truth, only a shorter way to it. It is thrown away when it is damaged, of another topic, or so old
that Kafka may have forgotten which keys were forgotten since.
"""

from __future__ import annotations

import marshal
import os
import struct
import threading
import time
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import orjson
from confluent_kafka import KafkaException, TopicCollection

from broker import log, topics
from broker.jars import cache
from broker.kafka.clients import quiet_admin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import BinaryIO

    from broker.kafka.memory import Shelf
    from broker.settings import Settings

logger = log.get(__name__)

OLDEST_SECONDS = 12 * 3600
"""Half of ``delete.retention.ms``: until then a tombstone that was written since is still there to be read."""
_VERSION = 1
_WORTH = 20_000
"""So many records are read from Kafka in a fraction of a second: no copy is made for fewer."""
_PART = 8
"""A copy is made when an eighth of the memory has changed since the last."""
_CHUNK, _PARTS = 10_000, 32
"""A copy has parts of so many entries, and not many more parts than that."""
_MARSHAL = 2
"""Its oldest form that knows bytes; every Python reads it."""
_HEAD = struct.Struct("<QI")
_SECONDS = 15
_FOR_FILES = str.maketrans("+/", "-_")
"""Ids are told in base 64, which has a slash."""


class Damaged(Exception):
    """A copy that is not what was written."""


class Snapshots:
    """The copies of one installation, in one folder; a file for each topic and lane."""

    def __init__(
        self, settings: Settings, clock: Callable[[], float] = time.time, ids: dict[str, str] | None = None
    ) -> None:
        self._settings = settings
        self._folder = Path(settings.state_folder) if settings.state_folder else cache() / "state"
        self._clock = clock
        self._ids = ids
        self._one_at_a_time = threading.Lock()

    def is_due(self, shelf: Shelf) -> bool:
        """Whether so much has changed since the last copy that one is worth its while."""
        return shelf.changes > max(_WORTH, len(shelf) // _PART)

    def save(self, topic: str, lane: int, parts: Sequence[dict[bytes, bytes]], true_to: int) -> None:
        """Write a copy in place of the last; what goes wrong is told and does no harm."""
        file = self._file(topic, lane)
        if file is None:
            return
        part = file.with_name(f"{file.name}.{os.getpid()}.part")
        count = sum(map(len, parts))
        head = {"version": _VERSION, "topic": topic, "true_to": true_to, "at": self._clock(), "entries": count}
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with part.open("wb") as out:
                out.write(orjson.dumps(head) + b"\n")
                for chunk in _chunks(parts, max(_CHUNK, count // _PARTS)):
                    out.write(chunk)
            part.replace(file)
            self._tidy()
        except OSError as error:
            logger.warning("snapshot.unwritten", topic=topic, lane=lane, reason=str(error))
        else:
            logger.debug("snapshot.written", topic=topic, lane=lane, entries=count, true_to=true_to)

    def load(self, shelf: Shelf, lane: int) -> None:
        """Fill an empty shelf from its copy, if there is one that may be trusted."""
        file = self._file(shelf.topic, lane)
        if file is None or not file.exists():
            return
        try:
            with file.open("rb") as data:
                head = orjson.loads(data.readline())
                if self._is_usable(head, shelf.topic):
                    shelf.restore(_whole(data, head["entries"]), head["true_to"])
        except (OSError, ValueError, KeyError, TypeError, struct.error, Damaged) as error:
            logger.warning("snapshot.unread", topic=shelf.topic, lane=lane, reason=str(error))

    def _is_usable(self, head: dict[str, Any], topic: str) -> bool:
        age = self._clock() - head["at"]
        return bool(head["version"] == _VERSION and head["topic"] == topic and 0 <= age < OLDEST_SECONDS)

    def _file(self, topic: str, lane: int) -> Path | None:
        """The file is named by the topic's id: a topic that was made anew has another."""
        with self._one_at_a_time:
            if self._ids is None:
                self._ids = _topic_ids(self._settings)
            name = self._ids.get(topic)
        return self._folder / f"{name}-{lane}" if name else None

    def _tidy(self) -> None:
        """Files that nobody may use any more, of whatever installation, go away."""
        for file in self._folder.iterdir():
            if file.stat().st_mtime < self._clock() - OLDEST_SECONDS:
                file.unlink(missing_ok=True)


def _topic_ids(settings: Settings) -> dict[str, str]:
    """The ids of the state topics; empty, which means no copies, where Kafka does not tell them."""
    client = quiet_admin(settings)
    asked = client.describe_topics(TopicCollection(list(topics.STATE)), request_timeout=_SECONDS)
    try:
        found = {name: future.result().topic_id for name, future in asked.items()}
    except KafkaException as error:
        logger.warning("snapshot.none", reason=error.args[0].str())
        return {}
    return {name: str(topic_id).translate(_FOR_FILES) for name, topic_id in found.items()}


def _chunks(parts: Iterable[dict[bytes, bytes]], size: int) -> Iterator[bytes]:
    """So many entries at a time, with length and checksum before them."""
    items = chain.from_iterable(part.items() for part in parts)
    while chunk := dict(islice(items, size)):
        body = marshal.dumps(chunk, _MARSHAL)
        yield _HEAD.pack(len(body), crc32(body)) + body


def _whole(data: BinaryIO, count: int) -> list[dict[bytes, bytes]]:
    parts = list(_entries(data))
    if (found := sum(map(len, parts))) != count:
        raise Damaged(f"it has {found} of {count} entries")
    return parts


def _entries(data: BinaryIO) -> Iterator[dict[bytes, bytes]]:
    while raw := data.read(_HEAD.size):
        size, checksum = _HEAD.unpack(raw)
        body = data.read(size)
        if len(body) != size or crc32(body) != checksum:
            raise Damaged("its checksum is another")
        yield marshal.loads(body)  # noqa: S302 - a file of our own, and what was written by its checksum
