"""The claim check: large contents of the relay's own topics lie in an object store, named by their SHA-256.

Only ``swb.retry.*`` and ``swb.deadletter`` use it; participants always get the bytes themselves. An object is written
before the record that names it, verified when it is read, and never deleted by the relay: the store's own retention,
longer than that of the dead letters, does that.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import obstore

from broker import log
from broker.model.errors import Failed, Misconfigured
from broker.object_store import object_store
from broker.relay import headers, topics
from broker.relay.ids import content_id

if TYPE_CHECKING:
    from broker.relay.records import Consumed, Produced
    from broker.settings import Settings


logger = log.get(__name__)


class Claims:
    """The object store of an installation; opened at the first large content."""

    def __init__(self, settings: Settings) -> None:
        self._limit = settings.inline_bytes
        self._url = settings.claims
        self._opened: Any = None
        self._written: set[str] = set()

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
        if not self.is_large(record):
            return record
        try:
            return await self.stow(record)
        except Failed as error:
            logger.warning("claim.unwritten", topic=record.topic, reason=str(error))
            return record  # the topics have room for it; only their readers would rather not

    async def stow(self, record: Produced) -> Produced:
        """The record with a claim instead of its content, which lies in the store. Raises Failed."""
        content = record.value or b""
        name = content_id(content)
        if name not in self._written:
            try:
                await obstore.put_async(self._store, name, content)
            except Exception as error:
                raise Failed(f"the object store takes no claim check: {error}") from error
            self._written.add(name)
        claim = (headers.CLAIM, f"{name} {len(content)}".encode())
        return replace(record, value=b"", headers=(*_without_claim(record.headers), claim))

    async def fetch(self, record: Consumed) -> Consumed:
        """The record with its content, verified. Raises Failed when the store does not have it or has another."""
        name = record.header(headers.CLAIM).partition(" ")[0]
        try:
            content = bytes(await (await obstore.get_async(self._store, name)).bytes_async())
        except Exception as error:
            raise Failed(f"the content of claim {name} cannot be read: {error}") from error
        return _verified(record, name, content)

    def read(self, record: Consumed) -> Consumed:
        """The same, for who does not wait asynchronously; a record without a claim as it is."""
        name = record.header(headers.CLAIM).partition(" ")[0]
        if not name:
            return record
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


def _verified(record: Consumed, name: str, content: bytes) -> Consumed:
    if content_id(content) != name:
        raise Failed(f"the content of claim {name} is not what was put there")
    return replace(record, value=content, headers=_without_claim(record.headers))


def _without_claim(given: tuple[headers.Header, ...]) -> tuple[headers.Header, ...]:
    return tuple(header for header in given if header[0] != headers.CLAIM)
