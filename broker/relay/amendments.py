"""Amendments: what replaces, withdraws or corrects a document reaches every window that got the document.

A document is found by what its sender calls it (sender, kind, number), in the lane that this name leads to
(``broker.relay.references``); the lane of the original then delivers the amendment to the original's other windows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.answers.history import Related
from broker.model.ids import ConversationId, MessageId
from broker.relay import headers
from broker.relay.conversations import Conversation
from broker.relay.facts import AmendmentLinked, AmendmentSent, DocumentNamed, PayloadDelivered
from broker.relay.headers import Kind
from broker.relay.notifications import notify_failed

if TYPE_CHECKING:
    from broker.model.ids import ParticipantCode
    from broker.registry.relations import Names
    from broker.relay.batch import Batch
    from broker.relay.facts import AmendmentFound
    from broker.relay.intake import IncomingDocument


def plan_names(  # noqa: PLR0917 - what is known of an accepted document
    batch: Batch,
    document: IncomingDocument,
    names: Names,
    content: bytes,
    document_type: str,
    mapping: str,
    delivered: list[ParticipantCode],
) -> None:
    """What an accepted document calls itself, and what it amends, sent to the lanes that these names lead to."""
    own, relations = names
    if own is not None and own not in [relation.document for relation in relations]:
        name = own.key(document.sender).decode()
        batch.send_fact(DocumentNamed(at=batch.now, message_id=document.message_id, name=name))
    for relation in relations:
        batch.send_fact(
            AmendmentSent(
                owner=relation.document.key(document.sender),
                message_id=document.message_id,
                sender=document.sender,
                relates_to=f"{relation.does} {relation.document.kind} {relation.document.number}",
                key="" if document.key is None else document.key.decode("latin-1"),
                document_type=document_type,
                mapping=mapping,
                delivered_to=",".join(delivered),
                content=content,
            )
        )


# --- in the lane of the original --------------------------------------------------------------------------------------


def amendment_found(batch: Batch, fact: AmendmentFound) -> None:
    """The amendment to each window that got the original and not yet the amendment; once, however often it comes."""
    original = Conversation.of(batch, fact.owner.decode())
    if original is None or fact.message_id == str(original.history.conversation):
        return
    related = Related(at=batch.at, conversation=ConversationId(fact.message_id), relation="amended_by")
    if original.add(related) != ["new"]:
        return
    original.keep(batch)
    amends = MessageId(original.history.conversation)
    batch.send_fact(AmendmentLinked(at=batch.now, message_id=fact.message_id, amends=amends))
    had = fact.delivered_to.split(",")
    for window in original.history.windows():
        if window not in had:
            _deliver(batch, fact, window)


def _deliver(batch: Batch, fact: AmendmentFound, window: ParticipantCode) -> None:
    extra = {
        headers.SENDER: fact.sender,
        headers.DOCUMENT_TYPE: fact.document_type,
        headers.MAPPING: fact.mapping,
        headers.RELATES_TO: fact.relates_to,
    }
    key = fact.key.encode("latin-1") or None
    about = {"sender": fact.sender, "window": window, "relates_to": fact.relates_to}
    route = batch.deliver(window, Kind.PAYLOAD, fact.message_id, key, fact.content, extra)
    if route.to == "inbox":
        batch.emit_event("delivered", fact.message_id, **about)
        batch.send_fact(PayloadDelivered(at=batch.now, message_id=fact.message_id, window=window))
    elif route.to == "retry":
        batch.emit_event("waiting", fact.message_id, **about, reason=route.reason)
    else:
        notify_failed(
            batch, fact.message_id, fact.sender, key, window=window, reason=route.reason,
            document_type=fact.document_type,
        )  # fmt: skip


def amendment_linked(batch: Batch, fact: AmendmentLinked) -> None:
    """The amendment's own conversation learns what it amends."""
    known = Conversation.of(batch, fact.message_id)
    related = Related(at=batch.at, conversation=ConversationId(fact.amends), relation="amends")
    if known is not None and known.add(related) == ["new"]:
        known.keep(batch)
        batch.emit_event("amends", fact.message_id, relates_to=fact.amends)
