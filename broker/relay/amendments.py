"""Amendments: what replaces, withdraws or corrects a document reaches every window that got the document.

A document is found by what its sender calls it (sender, kind, number), in the lane that this name leads to; the lane of
the original then delivers the amendment to the original's other windows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from broker.answers.history import Related
from broker.model.ids import ConversationId, MessageId, ParticipantCode
from broker.relay import headers, topics
from broker.relay.conversations import Conversation
from broker.relay.facts import Fact
from broker.relay.headers import Kind
from broker.relay.notifications import notify_failed
from broker.relay.records import Produced

if TYPE_CHECKING:
    from broker.registry.relations import Names
    from broker.relay.batch import Batch
    from broker.relay.intake import IncomingDocument
    from broker.relay.records import Consumed
    from broker.relay.stores import Entry

WAITING_BYTES = 2 << 20
"""Of all that waits for one name: the entry must stay a record that a topic takes. What is more is a dead letter."""
_MOST = 20
"""Documents of one sender under one number that are remembered, the latest ones."""


def plan_names(batch: Batch, document: IncomingDocument, names: Names, content: bytes, extra: dict[str, str]) -> None:
    """What an accepted document calls itself, and what it amends, told to the lanes that these names lead to."""
    own, relations = names
    if own is not None and own not in [relation.document for relation in relations]:
        batch.send_fact(Fact.NAMED, own.key(document.sender), {"message_id": document.message_id})
    for relation in relations:
        values = {
            headers.CE_TYPE: Fact.AMENDS.ce_type,
            headers.CE_TIME: batch.at,
            headers.MESSAGE_ID: document.message_id,
            headers.SENDER: document.sender,
            headers.RELATES_TO: f"{relation.does} {relation.document.kind} {relation.document.number}",
            headers.RECORD_ID: "" if document.key is None else document.key.decode("latin-1"),
            **extra,
        }
        key = relation.document.key(document.sender)
        batch.write(Produced(topics.ANSWERS, key, content, headers.encoded(values)))


# --- in the lane of the name ------------------------------------------------------------------------------------------


def _named(batch: Batch, record: Consumed) -> None:
    """A document has this name; amendments that waited for it go on."""
    message = orjson.loads(record.content)["message_id"]
    key, entry = _entry(batch, record)
    if message in entry["messages"]:
        return
    waiting = entry["waiting"]
    batch.remember(batch.stores.references, key, {"messages": [*entry["messages"], message][-_MOST:], "waiting": []})
    for kept, content in waiting:
        _forward(batch, message, content.encode("latin-1"), tuple((n, v.encode("latin-1")) for n, v in kept))


def _amends(batch: Batch, record: Consumed) -> None:
    """On to every document of this name; until there is one the amendment waits here."""
    key, entry = _entry(batch, record)
    for message in entry["messages"]:
        _forward(batch, message, record.content, record.headers)
    if not entry["messages"]:
        if sum(len(content) for _, content in entry["waiting"]) + len(record.content) > WAITING_BYTES:
            batch.dead_letter(Produced(record.topic, record.key, record.value, record.headers), "amendment-waiting")
            return
        kept = [[n, v.decode("latin-1")] for n, v in record.headers], record.content.decode("latin-1")
        batch.remember(batch.stores.references, key, {**entry, "waiting": [*entry["waiting"], kept]})
        batch.emit_event(
            "amendment-waiting", record.header(headers.MESSAGE_ID), relates_to=record.header(headers.RELATES_TO)
        )


def _entry(batch: Batch, record: Consumed) -> tuple[bytes, Entry]:
    key = record.key or b""
    return key, batch.stores.references.get(key) or {"messages": [], "waiting": []}


def _forward(batch: Batch, original: str, content: bytes, kept: tuple[headers.Header, ...]) -> None:
    others = tuple(header for header in kept if header[0] != headers.CE_TYPE)
    values = ((headers.CE_TYPE, Fact.AMENDED.ce_type.encode()), *others)
    batch.write(Produced(topics.ANSWERS, original.encode(), content, values))


# --- in the lane of the original --------------------------------------------------------------------------------------


def _amended(batch: Batch, record: Consumed) -> None:
    """The amendment to each window that got the original and not yet the amendment; once, however often it is told."""
    original = Conversation.of(batch, (record.key or b"").decode())
    amendment = MessageId(record.header(headers.MESSAGE_ID))
    if original is None or str(amendment) == str(original.history.conversation):
        return
    related = Related(at=batch.at, conversation=ConversationId(amendment), relation="amended_by")
    if original.add(related) != ["new"]:
        return
    original.keep(batch)
    batch.send_fact(
        Fact.RELATED, amendment.encode(), {"message_id": amendment, "amends": original.history.conversation}
    )
    had = record.header(headers.DELIVERED_TO).split(",")
    for window in original.history.windows():
        if window not in had:
            _deliver(batch, record, amendment, window)


def _deliver(batch: Batch, record: Consumed, amendment: MessageId, window: ParticipantCode) -> None:
    names = (headers.SENDER, headers.DOCUMENT_TYPE, headers.MAPPING, headers.RELATES_TO)
    extra = {name: record.header(name) for name in names}
    key = record.header(headers.RECORD_ID).encode("latin-1") or None
    sender = ParticipantCode(record.header(headers.SENDER))
    about = {"sender": sender, "window": window, "relates_to": record.header(headers.RELATES_TO)}
    route = batch.deliver(window, Kind.PAYLOAD, amendment, key, record.content, extra)
    if route.to == "inbox":
        batch.emit_event("delivered", amendment, **about)
        batch.send_fact(Fact.DELIVERED, amendment.encode(), {"message_id": amendment, "window": window})
    elif route.to == "retry":
        batch.emit_event("waiting", amendment, **about, reason=route.reason)
    else:
        kind = record.header(headers.DOCUMENT_TYPE)
        notify_failed(batch, amendment, sender, key, window=window, reason=route.reason, document_type=kind)


def _related(batch: Batch, record: Consumed) -> None:
    """The amendment's own conversation learns what it amends."""
    fact = orjson.loads(record.content)
    known = Conversation.of(batch, fact["message_id"])
    related = Related(at=batch.at, conversation=ConversationId(fact["amends"]), relation="amends")
    if known is not None and known.add(related) == ["new"]:
        known.keep(batch)
        batch.emit_event("amends", fact["message_id"], relates_to=fact["amends"])


AMENDMENTS = {Fact.NAMED: _named, Fact.AMENDS: _amends, Fact.AMENDED: _amended, Fact.RELATED: _related}
