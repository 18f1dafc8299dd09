"""Copies of a lane's memory on the local disk: what a state partition said up to an offset, so that a restart on the
same host reads on from there instead of from the beginning.

A copy is never the truth, only a shorter way to it. It is thrown away when it is damaged, of another topic, or so old
that Kafka may have forgotten which keys were forgotten since.
"""

from __future__ import annotations

import os
import struct
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from confluent_kafka import KafkaException, TopicCollection

from broker import log
from broker.kafka.clients import quiet_admin
from broker.paths import cache
from broker.relay import snapshot_file, topics

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.relay.stores import AnyStore
    from broker.settings import Settings

logger = log.get(__name__)

OLDEST_SECONDS = 12 * 3600
"""Half of ``delete.retention.ms``: until then a tombstone that was written since is still there to be read."""
_VERSION = 3
_WORTH = 20_000
"""So many records are read from Kafka in a fraction of a second: no copy is made for fewer."""
_PART = 8
"""A copy is made when an eighth of the memory has changed since the last."""
_FOOT = struct.Struct("<I")
"""Length of what is told of the entries, which stands before it at the end of the file."""
_SECONDS = 15
_FOR_FILES = str.maketrans("+/", "-_")
"""Ids are told in base 64, which has a slash."""


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

    def is_due(self, store: AnyStore) -> bool:
        """Whether so much has changed since the last copy that one is worth its while."""
        return store.changes > max(_WORTH, len(store) // _PART)

    def save(self, store: AnyStore, lane: int) -> None:
        """Write a copy in place of the last; what goes wrong is told and does no harm."""
        file = self._file(store.topic, lane)
        if file is None:
            return
        part = file.with_name(f"{file.name}.{os.getpid()}.part")
        head = {"version": _VERSION, "topic": store.topic, "true_to": store.true_to, "at": self._clock()}
        told = {"topic": store.topic, "lane": lane}
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with part.open("wb") as out:
                count, digest = snapshot_file.write(out, store.items())
                foot = orjson.dumps({**head, "entries": count, "digest": digest})
                out.write(foot + _FOOT.pack(len(foot)))
            part.replace(file)
            self._tidy()
        except OSError as error:
            logger.warning("snapshot.unwritten", **told, reason=str(error))
        else:
            logger.debug("snapshot.written", **told, entries=count, true_to=store.true_to)

    def load(self, store: AnyStore, lane: int) -> None:
        """Fill an empty shelf from its copy, if there is one that may be trusted."""
        file = self._file(store.topic, lane)
        if file is None or not file.exists():
            return
        try:
            data = file.read_bytes()
            end = len(data) - _FOOT.size
            begin = end - _FOOT.unpack_from(data, end)[0]
            foot = orjson.loads(data[begin:end])
            if self._is_usable(foot, store.topic):
                entries = snapshot_file.SnapshotFile(data, begin, foot["entries"], foot["digest"])
                store.restore(entries, foot["true_to"])
        except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
            logger.warning("snapshot.unread", topic=store.topic, lane=lane, reason=str(error))

    def _is_usable(self, foot: dict[str, Any], topic: str) -> bool:
        age = self._clock() - foot["at"]
        return bool(foot["version"] == _VERSION and foot["topic"] == topic and 0 <= age < OLDEST_SECONDS)

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
