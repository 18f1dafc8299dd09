"""What a lane remembers: one type of entry for each state topic, with its codec.

An entry is JSON, with ``at``, the time of its last change in milliseconds. An entry without ``v`` is of version 1. What
release 0.1.0 wrote is read as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import orjson
from pydantic import TypeAdapter

from broker.answers.history import History, dump
from broker.model.ids import MessageId
from broker.relay.headers import Header  # noqa: TC001 - as above
from broker.relay.ledger import dump as dump_ledger
from broker.relay.ledger import load as load_ledger
from broker.relay.records import Consumed

if TYPE_CHECKING:
    from broker.relay.facts import LaneFact
    from broker.relay.ledger import Ledger

E = TypeVar("E")
F = TypeVar("F", bound="LaneFact")


class NewerEntry(ValueError):
    """An entry that a later release wrote."""


class Codec(Protocol[E]):
    """How the entries of one state topic are written and read."""

    def encode(self, entry: E) -> bytes:
        """The entry as JSON."""

    def decode(self, value: bytes) -> E:
        """The entry that encode wrote; raises ValueError, KeyError or TypeError for anything else."""


def written_at(value: bytes) -> int | None:
    """When an entry last changed; None where it does not say."""
    try:
        at = orjson.loads(value)["at"]
    except (ValueError, KeyError, TypeError):
        return None
    return at if isinstance(at, int) else None


def _loaded(value: bytes, version: int = 1) -> dict[str, Any]:
    data = orjson.loads(value)
    if not isinstance(data, dict):
        raise TypeError("an entry is an object")
    if data.get("v", 1) > version:
        raise NewerEntry(f"version {data['v']}")
    return data


# --- swb.duplicates ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Judged:
    """That a document was judged, or that a dead letter was redriven; the key says which."""

    at: int
    verdict: Literal["accepted", "refused", "dead", "redriven"]
    sha256: str = ""
    """Of the document's content."""


class JudgedCodec:
    def encode(self, entry: Judged) -> bytes:
        return orjson.dumps(entry)

    def decode(self, value: bytes) -> Judged:
        data = _loaded(value)
        if "redrive_of" in data:  # so 0.1.0 wrote it
            return Judged(data["at"], "redriven")
        return Judged(data["at"], data["verdict"], data.get("sha256", ""))


# --- swb.conversations ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Remembered:
    """A conversation: its history, and the key of its document as Latin-1."""

    at: int
    key: str | None
    history: History
    v: Literal[1] = 1


@cache
def _remembered() -> TypeAdapter[Remembered]:
    """Made when it is needed first: it takes a twentieth of a second, and a worker that starts has none to spare."""
    return TypeAdapter(Remembered)


class RememberedCodec:
    def encode(self, entry: Remembered) -> bytes:
        return orjson.dumps({"key": entry.key, "history": orjson.Fragment(dump(entry.history)), "at": entry.at})

    def decode(self, value: bytes) -> Remembered:
        return _remembered().validate_json(value)


# --- swb.references ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """A fact that waits for a name to be known, as its record was."""

    headers: tuple[Header, ...]
    content: bytes

    @classmethod
    def of(cls, record: Consumed) -> Waiting:
        return cls(record.headers, record.content)

    def fact(self, kind: type[F], owner: bytes) -> F:
        """The fact, with that key."""
        return kind.decoded(Consumed("", 0, 0, owner, self.content, self.headers))


@dataclass(frozen=True, slots=True)
class Queued:
    """One fact that waits: for which name (as Latin-1), since when, and its bytes."""

    key: str
    at: int
    size: int


@dataclass(frozen=True, slots=True)
class Name:
    """What a name stands for: a sender's number for a document, or a window's number for a message."""

    at: int
    messages: tuple[MessageId, ...] = ()
    """The messages of that name, the latest ones."""
    waiting: tuple[Waiting, ...] = ()
    """What came before there was any."""
    queue: tuple[Queued, ...] = ()
    """Of a participant's own entry: all that waits for names of it in this lane, the oldest first."""


class NameCodec:
    def encode(self, entry: Name) -> bytes:
        waiting = [
            [[[name, value.decode("latin-1")] for name, value in one.headers], one.content.decode("latin-1")]
            for one in entry.waiting
        ]
        queue = [[one.key, one.at, one.size] for one in entry.queue]
        return orjson.dumps(
            {"messages": entry.messages, "waiting": waiting, "at": entry.at, **({"queue": queue} if queue else {})}
        )

    def decode(self, value: bytes) -> Name:
        data = _loaded(value)
        known = [data["message_id"]] if "message_id" in data else data.get("messages", [])
        waiting = tuple(_waiting(one) for one in data.get("waiting", []))
        queue = tuple(Queued(*one) for one in data.get("queue", []))
        return Name(data["at"], tuple(MessageId(one) for one in known), waiting, queue)


def _waiting(written: list[Any]) -> Waiting:
    """A pair of headers and content; of a window's number 0.1.0 wrote the headers, and the content as the last one."""
    if len(written) == 2 and isinstance(written[1], str):
        kept, content = written
    else:
        *kept, (_, content) = written
    return Waiting(tuple((name, text.encode("latin-1")) for name, text in kept), content.encode("latin-1"))


# --- swb.writeoff -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Certificates:
    """All certificates of one number, each with what windows drew on it: several issuers may use the same."""

    at: int
    ledgers: tuple[Ledger, ...]


class CertificatesCodec:
    def encode(self, entry: Certificates) -> bytes:
        kept = [orjson.Fragment(dump_ledger(ledger)) for ledger in entry.ledgers]
        return orjson.dumps({"v": 2, "ledgers": kept, "at": entry.at})

    def decode(self, value: bytes) -> Certificates:
        data = _loaded(value, 2)
        kept = [data["ledger"]] if "ledger" in data else data["ledgers"]  # version 1 had one
        return Certificates(data["at"], tuple(load_ledger(orjson.dumps(one)) for one in kept))
