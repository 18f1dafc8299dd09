"""Names, in the lane that owns them: what a window's number, or a sender's number for a document, stands for.

What names something that is not known yet waits here, and goes on when it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from broker.answers.wco_response import read_part
from broker.relay import topics
from broker.relay.answers import keep_answer
from broker.relay.entries import Name, Queued, Waiting
from broker.relay.facts import AmendmentFound, AmendmentSent, NumberContested, WindowAnswered
from broker.relay.records import Produced

if TYPE_CHECKING:
    from broker.model.ids import MessageId
    from broker.relay.batch import Batch
    from broker.relay.facts import DocumentNamed, NumberAssigned

WAITING_BYTES = 2 << 20
"""Of all that waits for one name: the entry must stay a record that a topic takes. What is more is a dead letter."""
WAITING_MOST, WAITING_ROOM = 1000, 8 << 20
"""Of all that waits for names of one participant in one lane: how many, and their bytes."""
WAITING_MS = 30 * 86_400_000
"""How long something waits; then it is a dead letter, while its record is still in the outbox."""
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
    if not _wait(batch, fact.owner):
        keep_answer(batch, "answer-waiting-full", "", window)
        return
    batch.emit_event("answer-waiting", "", window=window, mrn=number, origin=str(batch.source.place))
    batch.log("answer.waiting", window=window, mrn=number)


def number_assigned(batch: Batch, fact: NumberAssigned) -> None:
    """The message of a window's number is known: what waited for it goes on.

    An amendment may have the number of what it amends. Any other message is a conflict: the number leads nowhere then.
    """
    name = _name(batch, fact.owner)
    if fact.message_id in name.messages:
        return
    _leave(batch, fact.owner, name)
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
    _leave(batch, fact.owner, name)
    for one in name.waiting:
        batch.send_fact(_found(one.fact(AmendmentSent, fact.owner), fact.message_id))


def amendment_sent(batch: Batch, fact: AmendmentSent) -> None:
    """On to every document of this name; until there is one the amendment waits here."""
    name = _name(batch, fact.owner)
    for message in name.messages:
        batch.send_fact(_found(fact, message))
    if name.messages:
        return
    if not _wait(batch, fact.owner):
        record = batch.source
        batch.dead_letter(Produced(record.topic, record.key, record.value, record.headers), "amendment-waiting")
        return
    batch.emit_event("amendment-waiting", fact.message_id, relates_to=fact.relates_to)


def _found(fact: AmendmentSent, message: MessageId) -> AmendmentFound:
    return AmendmentFound(at=fact.at, amended=message, message_id=fact.message_id, relates_to=fact.relates_to)


# --- both -------------------------------------------------------------------------------------------------------------


def _name(batch: Batch, key: bytes) -> Name:
    return batch.stores.references.get(key) or Name(batch.now)


def _wait(batch: Batch, key: bytes) -> bool:
    """The record in hand waits with what waits already; False where its participant has no room left for it."""
    store, record = batch.stores.references, batch.source
    owner = _queue_key(key)
    queue = _still_waiting(batch, _name(batch, owner).queue)
    name, size = _name(batch, key), len(record.content)
    room = WAITING_ROOM - sum(one.size for one in queue)
    own_room = WAITING_BYTES - sum(len(one.content) for one in name.waiting)
    if size > min(room, own_room) or len(queue) >= WAITING_MOST:
        return False
    queue = (*queue, Queued(key.decode("latin-1"), batch.now, size))
    batch.remember(store, owner, Name(batch.now, queue=queue))
    batch.remember(store, key, Name(batch.now, waiting=(*name.waiting, Waiting.of(record))))
    return True


def _leave(batch: Batch, key: bytes, name: Name) -> None:
    """What waited for a name goes on, and makes room."""
    if name.waiting:
        owner, text = _queue_key(key), key.decode("latin-1")
        queue = tuple(one for one in _name(batch, owner).queue if one.key != text)
        batch.remember(batch.stores.references, owner, Name(batch.now, queue=queue) if queue else None)


def _still_waiting(batch: Batch, queue: tuple[Queued, ...]) -> tuple[Queued, ...]:
    """Without those that have waited too long: they are dead letters now."""
    late = dict.fromkeys(one.key.encode("latin-1") for one in queue if batch.now - one.at > WAITING_MS)
    for key in late:
        forget_name(batch, key)
    return tuple(one for one in queue if one.key.encode("latin-1") not in late)


def forget_name(batch: Batch, key: bytes) -> None:
    """The name is forgotten; what still waits for it is kept among the dead letters."""
    for one in _name(batch, key).waiting:
        batch.dead_letter(Produced(topics.FACTS, key, one.content, one.headers), "waited-too-long")
    batch.remember(batch.stores.references, key, None)


def _queue_key(key: bytes) -> bytes:
    """The entry of the participant whose name it is; no name begins with a line feed."""
    return b"\n" + key.partition(b"\n")[0]
