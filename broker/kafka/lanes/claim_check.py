"""The claim check: large contents of the relay's own topics lie in an object store, named by their SHA-256.

Only ``swb.retry.*`` and ``swb.deadletter`` use it; participants always get the bytes themselves. An object is written
before the record that names it, and verified when it is read. A dead letter always fits: where key or headers are too
large, the whole record lies in the store, and the dead letter says its place, its reason and where it is. Objects go
away when no record can name them any more; in a folder they are their owner's alone.
"""

from __future__ import annotations

import base64
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

import obstore
import orjson

from broker import log
from broker.model.errors import Failed, Misconfigured
from broker.object_store import object_store
from broker.paths import cache
from broker.relay import headers, topics
from broker.relay.ids import content_id

if TYPE_CHECKING:
    from broker.relay.records import Consumed, Produced
    from broker.settings import Settings


logger = log.get(__name__)


_WHOLE = "record"
"""The third word of a claim whose object holds key and headers too."""
_CARRIED_BYTES = 512 * 1024
"""Of key and headers that a dead letter carries itself: all that the broker writes, and more than a sender may."""
_KEPT_KEY_BYTES, _KEPT_HEADER_BYTES = 256, 4096
_HEADROOM = 16 * 1024
_AGAIN_SECONDS = 86_400
_SPARE_DAYS = 7
_NAME = re.compile("[0-9a-f]{64}")


class Claims:
    """The object store of an installation; opened at the first large content."""

    def __init__(self, settings: Settings) -> None:
        self._limit = settings.inline_bytes
        self._most = settings.max_record_bytes - _HEADROOM
        self._kept_days = settings.kept_deadletter_days + _SPARE_DAYS
        self._url = settings.claims
        self._opened: Any = None
        self._written: dict[str, float] = {}

    def open(self) -> None:
        """Open the store now; raises Misconfigured where the setting names none."""
        try:
            self._store  # noqa: B018 - it is opened when it is asked for
        except Exception as error:
            raise Misconfigured(f"SWB_CLAIMS {self._url}: {str(error).splitlines()[0]}") from error

    def is_large(self, record: Produced) -> bool:
        """Whether its content goes to the store: large, and on a topic that allows it."""
        is_own = record.topic == topics.DEADLETTER or topics.waiting_for(record.topic) is not None
        return is_own and len(record.value or b"") > self._limit

    async def stowed(self, record: Produced) -> Produced:
        """The record as it is to be written: with a claim where it is large and the store takes it."""
        is_bulky = record.topic == topics.DEADLETTER and _carried(record) > _CARRIED_BYTES
        if not (is_bulky or self.is_large(record)):
            return record
        try:
            return await (self._stow_whole(record) if is_bulky else self.stow(record))
        except Failed as error:
            logger.warning("claim.unwritten", topic=record.topic, reason=str(error))
        slim = _slim(record) if is_bulky else record
        if record.topic == topics.DEADLETTER and len(slim.value or b"") + _carried(slim) > self._most:
            return replace(slim, value=b"")  # its place and the reason; the record itself lies where it lay
        return slim

    async def stow(self, record: Produced) -> Produced:
        """The record with a claim instead of its content, which lies in the store. Raises Failed."""
        name = await self._put(record.value or b"")
        claim = (headers.CLAIM, f"{name} {len(record.value or b'')}".encode())
        return replace(record, value=b"", headers=(*_without_claim(record.headers), claim))

    async def _stow_whole(self, record: Produced) -> Produced:
        told = {
            "key": None if record.key is None else base64.b64encode(record.key).decode(),
            "headers": [[name, base64.b64encode(value).decode()] for name, value in _without_claim(record.headers)],
        }
        content = orjson.dumps(told) + b"\n" + (record.value or b"")
        name = await self._put(content)
        slim = _slim(record)
        claim = (headers.CLAIM, f"{name} {len(content)} {_WHOLE}".encode())
        return replace(slim, value=b"", headers=(*_without_claim(slim.headers), claim))

    async def _put(self, content: bytes) -> str:
        name = content_id(content)
        if time.monotonic() - self._written.get(name, float("-inf")) > _AGAIN_SECONDS:
            try:
                await obstore.put_async(self._store, name, content)
                self._make_private(name)
            except Exception as error:
                raise Failed(f"the object store takes no claim check: {error}") from error
            self._written[name] = time.monotonic()
        return name

    def _make_private(self, name: str) -> None:
        """In a folder: for its owner alone."""
        at = urlparse(self._url)
        if not self._url or at.scheme == "file":
            folder = Path(unquote(at.path)) if self._url else cache() / "claims"
            (folder / name).chmod(0o600)

    async def clean(self) -> int:
        """Remove what no record can name any more; how many objects that were. Raises Failed."""
        oldest = datetime.now(UTC) - timedelta(days=self._kept_days)
        try:
            gone = [
                str(one["path"])
                for found in obstore.list(self._store)
                for one in found
                if _NAME.fullmatch(str(one["path"])) and one["last_modified"] < oldest
            ]
            for name in gone:
                await obstore.delete_async(self._store, name)
                self._written.pop(name, None)
        except Exception as error:
            raise Failed(f"the object store cannot be cleaned: {error}") from error
        return len(gone)

    async def fetch(self, record: Consumed) -> Consumed:
        """The record with its content, verified. Raises Failed when the store does not have it or has another."""
        name = _claimed(record)
        try:
            content = bytes(await (await obstore.get_async(self._store, name)).bytes_async())
        except Exception as error:
            raise Failed(f"the content of claim {name} cannot be read: {error}") from error
        return _verified(record, name, content)

    def read(self, record: Consumed) -> Consumed:
        """The same, for who does not wait asynchronously; a record without a claim as it is."""
        if not record.header(headers.CLAIM):
            return record
        name = _claimed(record)
        try:
            content = bytes(obstore.get(self._store, name).bytes())
        except Exception as error:
            raise Failed(f"the content of claim {name} cannot be read: {error}") from error
        return _verified(record, name, content)

    @property
    def _store(self) -> Any:  # noqa: ANN401 - obstore has a class for each kind of store
        if self._opened is None:
            self._opened = object_store(self._url)
        return self._opened


def _claimed(record: Consumed) -> str:
    """The name of the object; Failed where the header names none."""
    name = record.header(headers.CLAIM).partition(" ")[0]
    if not _NAME.fullmatch(name):
        raise Failed(f"the claim names no object: {name[:100]!r}")
    return name


def _verified(record: Consumed, name: str, content: bytes) -> Consumed:
    if content_id(content) != name:
        raise Failed(f"the content of claim {name} is not what was put there")
    kept = _without_claim(record.headers)
    if record.header(headers.CLAIM).split()[2:] != [_WHOLE]:
        return replace(record, value=content, headers=kept)
    head, _, value = content.partition(b"\n")
    told = orjson.loads(head)
    whole = tuple((str(name), base64.b64decode(text)) for name, text in told["headers"])
    key = None if told["key"] is None else base64.b64decode(told["key"])
    own = tuple(header for header in kept if header[0].startswith("swb_"))  # as they are now, if it is on its way again
    return replace(record, key=key, value=value, headers=headers.of_sender(whole) + own)


def _carried(record: Produced) -> int:
    return len(record.key or b"") + sum(len(name) + len(value) for name, value in record.headers)


def _slim(record: Produced) -> Produced:
    """The record with what of its key and headers is small: all that the broker wrote."""
    kept = tuple(header for header in record.headers if len(header[0]) + len(header[1]) <= _KEPT_HEADER_BYTES)
    while sum(len(name) + len(value) for name, value in kept) > _CARRIED_BYTES:
        kept = kept[len(kept) // 2 :]  # the broker's own stand last
    return replace(record, key=record.key and record.key[:_KEPT_KEY_BYTES], headers=kept)


def _without_claim(given: tuple[headers.Header, ...]) -> tuple[headers.Header, ...]:
    return tuple(header for header in given if header[0] != headers.CLAIM)
