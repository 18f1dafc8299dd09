"""Amendments: what replaces, withdraws or corrects a document reaches every window that got the document.

A document is found by what its sender calls it (sender, kind, number), in the lane that this name leads to
(``broker.relay.references``). The lane of the original says which windows have it; the amendment's own lane delivers to
those that have not had it, each once, whatever the number of originals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.answers.history import Delivered, DeliveryFailed, Related, Routed
from broker.model.documents import Message
from broker.model.ids import ConversationId, DocumentTypeName, MessageId
from broker.relay import headers
from broker.relay.conversations import Conversation
from broker.relay.facts import AmendmentLinked, AmendmentSent, DocumentNamed
from broker.relay.headers import Kind
from broker.relay.notifications import notify_failed
from broker.relay.records import instant
from broker.relay.writeoff import send_grant

if TYPE_CHECKING:
    from broker.model.documents import Payload
    from broker.model.ids import ParticipantCode
    from broker.registry.relations import Names
    from broker.relay.batch import Batch
    from broker.relay.facts import AmendmentFound
    from broker.relay.intake import IncomingDocument


def plan_names(batch: Batch, document: IncomingDocument, names: Names) -> None:
    """What an accepted document calls itself, and what it amends, sent to the lanes that these names lead to."""
    own, relations = names
    if own is not None and own not in [relation.document for relation in relations]:
        name = own.key(document.sender).decode()
        batch.send_fact(DocumentNamed(at=batch.now, message_id=document.message_id, name=name))
    for relation in relations:
        batch.send_fact(
            AmendmentSent(
                at=batch.now,
                name=relation.document.key(document.sender).decode(),
                message_id=document.message_id,
                relates_to=f"{relation.does} {relation.document.kind} {relation.document.number}",
            )
        )


# --- in the lane of the original --------------------------------------------------------------------------------------


def amendment_found(batch: Batch, fact: AmendmentFound) -> None:
    """On to the amendment's own lane, with the windows that have the original; once, however often it comes."""
    original = Conversation.of(batch, fact.amended)
    if original is None or fact.message_id == str(original.history.conversation):
        return
    related = Related(at=batch.at, conversation=ConversationId(fact.message_id), relation="amended_by")
    (novelty,) = original.add(related)
    if novelty == "repeat":
        return
    if novelty == "new":
        original.keep(batch)
    batch.send_fact(
        AmendmentLinked(
            at=batch.now,
            message_id=fact.message_id,
            amends=MessageId(original.history.conversation),
            relates_to=fact.relates_to,
            windows=original.history.windows(),
        )
    )


# --- in the lane of the amendment -------------------------------------------------------------------------------------


def amendment_linked(batch: Batch, fact: AmendmentLinked) -> None:
    """The conversation learns what it amends, and its payload goes to the windows that have had no part of it yet."""
    known = Conversation.of(batch, fact.message_id)
    if known is None:
        return
    missing = [window for window in fact.windows if window not in known.history.windows()]
    payload = _payload(batch, known) if missing else None
    novelties = known.add(Related(at=batch.at, conversation=ConversationId(fact.amends), relation="amends"))
    for window in missing:
        _deliver(batch, known, fact, window, payload)
    if payload is not None:
        received, names = known.received, batch.context.names(payload)
        kind, key = DocumentTypeName(received.document_type), None if known.key is None else known.key.decode("latin-1")
        send_grant(batch, payload, names, fact.message_id, received.sender, kind, key, tuple(missing))
    if missing or novelties == ["new"]:
        known.keep(batch)
    if novelties == ["new"]:
        batch.emit_event("amends", fact.message_id, relates_to=fact.amends)


def _payload(batch: Batch, known: Conversation) -> Payload | None:
    """The amendment's payload, made again; None where its document is gone."""
    received, source = known.received, known.source(batch)
    if source is None:
        return None
    message = MessageId(known.history.conversation)
    return batch.context.process(
        Message(message, source, received.sender, received.skipped, instant(received.at))
    ).payload


def _deliver(
    batch: Batch, known: Conversation, fact: AmendmentLinked, window: ParticipantCode, payload: Payload | None
) -> None:
    received, reason = known.received, "source-gone"
    about = {"sender": received.sender, "window": window, "relates_to": fact.relates_to}
    known.add(Routed(at=batch.at, windows=(window,)))
    if payload is not None:
        extra = {headers.SENDER: received.sender, headers.RELATES_TO: fact.relates_to, **known.headers()}
        route = batch.deliver(window, Kind.PAYLOAD, fact.message_id, known.key, payload.content, extra)
        if route.to == "inbox":
            known.add(Delivered(at=batch.at, window=window))
            batch.emit_event("delivered", fact.message_id, **about)
            return
        if route.to == "retry":
            batch.emit_event("waiting", fact.message_id, **about, reason=route.reason)
            return
        reason = route.reason
    known.add(DeliveryFailed(at=batch.at, window=window, reason=reason))
    notify_failed(
        batch, fact.message_id, received.sender, known.key, window=window, reason=reason,
        document_type=received.document_type,
    )  # fmt: skip
