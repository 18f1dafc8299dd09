"""Names, in the lane that owns them: what a window's number, or a sender's number for a document, stands for.

What names something that is not known yet waits here, and goes on when it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from broker.answers.wco_response import read_part
from broker.relay.answers import keep_answer
from broker.relay.entries import Name, Waiting
from broker.relay.facts import AmendmentFound, AmendmentSent, NumberContested, WindowAnswered
from broker.relay.records import Produced

if TYPE_CHECKING:
    from broker.model.ids import MessageId
    from broker.relay.batch import Batch
    from broker.relay.facts import DocumentNamed, NumberAssigned

WAITING_BYTES = 2 << 20
"""Of all that waits for one name: the entry must stay a record that a topic takes. What is more is a dead letter."""
_MOST = 20
"""Documents of one sender under one number that are remembered, the latest ones."""


# --- a window's number for a message ----------------------------------------------------------------------------------


def answered_by_number(batch: Batch, fact: WindowAnswered) -> None:
    """On to the conversation that the number belongs to; until that is known the answer waits here."""
    name = _name(batch, fact.owner)
    if len(name.messages) > 1:
        keep_answer(batch, "answer-ambiguous", "", fact.window)
        return
    if name.messages:
        message = name.messages[-1]
        if message == read_part(fact.content, fact.window, fact.record_id, fact.position).reference:
            keep_answer(batch, "answer-unmatched", message, fact.window)  # it comes from there, where nobody knows it
        else:
            batch.send_fact(replace(fact, owner=message.encode()))
        return
    window, _, number = fact.owner.decode("utf-8", "replace").partition("\n")
    if not _has_room(name, fact.content):
        keep_answer(batch, "answer-waiting-full", "", window)
        return
    _wait(batch, fact.owner, name)
    batch.emit_event("answer-waiting", "", window=window, mrn=number, origin=str(batch.source.place))
    batch.log("answer.waiting", window=window, mrn=number)


def number_assigned(batch: Batch, fact: NumberAssigned) -> None:
    """The message of a window's number is known: what waited for it goes on.

    An amendment may have the number of what it amends. Any other message is a conflict: the number leads nowhere then.
    """
    name = _name(batch, fact.owner)
    if fact.message_id in name.messages:
        return
    for one in name.waiting:
        batch.send_fact(one.fact(WindowAnswered, fact.message_id.encode()))
    others = tuple(one for one in name.messages if one not in fact.related)
    batch.remember(batch.stores.references, fact.owner, Name(batch.now, (*others, fact.message_id)[-_MOST:]))
    for message, other in ((fact.message_id, others[0]), (others[-1], fact.message_id)) if others else ():
        batch.send_fact(
            NumberContested(at=batch.now, message_id=message, window=fact.window, mrn=fact.mrn, other=other)
        )


# --- a sender's number for a document ---------------------------------------------------------------------------------


def document_named(batch: Batch, fact: DocumentNamed) -> None:
    """A document has this name; amendments that waited for it go on."""
    name = _name(batch, fact.owner)
    if fact.message_id in name.messages:
        return
    messages = (*name.messages, fact.message_id)[-_MOST:]
    batch.remember(batch.stores.references, fact.owner, Name(batch.now, messages))
    for one in name.waiting:
        batch.send_fact(_found(one.fact(AmendmentSent, fact.owner), fact.message_id))


def amendment_sent(batch: Batch, fact: AmendmentSent) -> None:
    """On to every document of this name; until there is one the amendment waits here."""
    name = _name(batch, fact.owner)
    for message in name.messages:
        batch.send_fact(_found(fact, message))
    if name.messages:
        return
    record = batch.source
    if not _has_room(name, record.content):
        batch.dead_letter(Produced(record.topic, record.key, record.value, record.headers), "amendment-waiting")
        return
    _wait(batch, fact.owner, name)
    batch.emit_event("amendment-waiting", fact.message_id, relates_to=fact.relates_to)


def _found(fact: AmendmentSent, message: MessageId) -> AmendmentFound:
    return AmendmentFound(at=fact.at, amended=message, message_id=fact.message_id, relates_to=fact.relates_to)


# --- both -------------------------------------------------------------------------------------------------------------


def _name(batch: Batch, key: bytes) -> Name:
    return batch.stores.references.get(key) or Name(batch.now)


def _has_room(name: Name, content: bytes) -> bool:
    return sum(len(one.content) for one in name.waiting) + len(content) <= WAITING_BYTES


def _wait(batch: Batch, key: bytes, name: Name) -> None:
    """The record in hand waits with what waits already."""
    waiting = (*name.waiting, Waiting.of(batch.source))
    batch.remember(batch.stores.references, key, Name(batch.now, waiting=waiting))
