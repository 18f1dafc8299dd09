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
from broker.relay.notifications import tell_failed
from broker.relay.records import Produced

if TYPE_CHECKING:
    from broker.registry.relations import Names
    from broker.relay.batch import Draft
    from broker.relay.intake import Received
    from broker.relay.records import Consumed
    from broker.relay.stores import Entry

WAITING_BYTES = 2 << 20
"""Of all that waits for one name: the entry must stay a record that a topic takes. What is more is a dead letter."""
_MOST = 20
"""Documents of one sender under one number that are remembered, the latest ones."""


def plan_names(draft: Draft, document: Received, names: Names, content: bytes, extra: dict[str, str]) -> None:
    """What an accepted document calls itself, and what it amends, told to the lanes that these names lead to."""
    own, relations = names
    if own is not None and own not in [relation.document for relation in relations]:
        draft.tell(Fact.NAMED, own.key(document.sender), {"message_id": document.message_id})
    for relation in relations:
        values = {
            headers.CE_TYPE: Fact.AMENDS.ce_type,
            headers.CE_TIME: draft.at,
            headers.MESSAGE_ID: document.message_id,
            headers.SENDER: document.sender,
            headers.RELATES_TO: f"{relation.does} {relation.document.kind} {relation.document.number}",
            headers.RECORD_ID: "" if document.key is None else document.key.decode("latin-1"),
            **extra,
        }
        key = relation.document.key(document.sender)
        draft.emit(Produced(topics.ANSWERS, key, content, headers.encoded(values)))


# --- in the lane of the name ------------------------------------------------------------------------------------------


def _named(draft: Draft, record: Consumed) -> None:
    """A document has this name; amendments that waited for it go on."""
    message = orjson.loads(record.content)["message_id"]
    key, entry = _entry(draft, record)
    if message in entry["messages"]:
        return
    waiting = entry["waiting"]
    draft.remember(draft.memory.references, key, {"messages": [*entry["messages"], message][-_MOST:], "waiting": []})
    for kept, content in waiting:
        _forward(draft, message, content.encode("latin-1"), tuple((n, v.encode("latin-1")) for n, v in kept))


def _amends(draft: Draft, record: Consumed) -> None:
    """On to every document of this name; until there is one the amendment waits here."""
    key, entry = _entry(draft, record)
    for message in entry["messages"]:
        _forward(draft, message, record.content, record.headers)
    if not entry["messages"]:
        if sum(len(content) for _, content in entry["waiting"]) + len(record.content) > WAITING_BYTES:
            draft.bury(Produced(record.topic, record.key, record.value, record.headers), "amendment-waiting")
            return
        kept = [[n, v.decode("latin-1")] for n, v in record.headers], record.content.decode("latin-1")
        draft.remember(draft.memory.references, key, {**entry, "waiting": [*entry["waiting"], kept]})
        draft.track(
            "amendment-waiting", record.header(headers.MESSAGE_ID), relates_to=record.header(headers.RELATES_TO)
        )


def _entry(draft: Draft, record: Consumed) -> tuple[bytes, Entry]:
    key = record.key or b""
    return key, draft.memory.references.get(key) or {"messages": [], "waiting": []}


def _forward(draft: Draft, original: str, content: bytes, kept: tuple[headers.Header, ...]) -> None:
    others = tuple(header for header in kept if header[0] != headers.CE_TYPE)
    values = ((headers.CE_TYPE, Fact.AMENDED.ce_type.encode()), *others)
    draft.emit(Produced(topics.ANSWERS, original.encode(), content, values))


# --- in the lane of the original --------------------------------------------------------------------------------------


def _amended(draft: Draft, record: Consumed) -> None:
    """The amendment to each window that got the original and not yet the amendment; once, however often it is told."""
    original = Conversation.of(draft, (record.key or b"").decode())
    amendment = MessageId(record.header(headers.MESSAGE_ID))
    if original is None or str(amendment) == str(original.history.conversation):
        return
    related = Related(at=draft.at, conversation=ConversationId(amendment), relation="amended_by")
    if original.add(related) != ["new"]:
        return
    original.keep(draft)
    draft.tell(Fact.RELATED, amendment.encode(), {"message_id": amendment, "amends": original.history.conversation})
    had = record.header(headers.DELIVERED_TO).split(",")
    for window in original.history.windows():
        if window not in had:
            _deliver(draft, record, amendment, window)


def _deliver(draft: Draft, record: Consumed, amendment: MessageId, window: ParticipantCode) -> None:
    names = (headers.SENDER, headers.DOCUMENT_TYPE, headers.MAPPING, headers.RELATES_TO)
    extra = {name: record.header(name) for name in names}
    key = record.header(headers.RECORD_ID).encode("latin-1") or None
    sender = ParticipantCode(record.header(headers.SENDER))
    about = {"sender": sender, "window": window, "relates_to": record.header(headers.RELATES_TO)}
    way = draft.deliver(window, Kind.PAYLOAD, amendment, key, record.content, extra)
    if way.to == "inbox":
        draft.track("delivered", amendment, **about)
        draft.tell(Fact.DELIVERED, amendment.encode(), {"message_id": amendment, "window": window})
    elif way.to == "retry":
        draft.track("waiting", amendment, **about, reason=way.reason)
    else:
        kind = record.header(headers.DOCUMENT_TYPE)
        tell_failed(draft, amendment, sender, key, window=window, reason=way.reason, document_type=kind)


def _related(draft: Draft, record: Consumed) -> None:
    """The amendment's own conversation learns what it amends."""
    fact = orjson.loads(record.content)
    known = Conversation.of(draft, fact["message_id"])
    related = Related(at=draft.at, conversation=ConversationId(fact["amends"]), relation="amends")
    if known is not None and known.add(related) == ["new"]:
        known.keep(draft)
        draft.track("amends", fact["message_id"], relates_to=fact["amends"])


AMENDMENTS = {Fact.NAMED: _named, Fact.AMENDS: _amends, Fact.AMENDED: _amended, Fact.RELATED: _related}
