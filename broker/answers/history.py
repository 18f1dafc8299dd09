"""The history of one message: facts as frozen values, as JSON, and what a new fact adds to it.

Three facts are never mixed: received (the broker has it), delivered (a window has it), decided (a window spoke). A
history is what lies in ``swb.conversations``; ``broker.answers.conversation`` derives the state from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from broker.model.answers import Answer, AnswerError, Remark, chain_text
from broker.model.ids import ConversationId, ParticipantCode  # noqa: TC001 - the same

# ``at`` is RFC 3339 in UTC with milliseconds, given by whoever saw it happen.


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentReceived:
    """The broker took the message in; where it lies, and which mapping read it."""

    at: str
    sender: ParticipantCode
    document_type: str = ""
    topic: str = ""
    partition: int = 0
    offset: int = 0
    part: int = 0
    """Which document of the envelope there it is, from 1; 0 where it is all that lies there."""
    skipped: int = 0
    """Lines of the envelope's documents before it."""
    content_sha256: str = ""
    mapping: str = ""
    kind: Literal["received"] = "received"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRefused:
    """The message is at fault; the codes of its findings."""

    at: str
    codes: tuple[str, ...] = ()
    kind: Literal["refused"] = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """The windows that take it (none: not routed), and why the others do not."""

    at: str
    windows: tuple[ParticipantCode, ...]
    reasons: tuple[tuple[ParticipantCode, str], ...] = ()
    kind: Literal["routed"] = "routed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The payload lies in the window's inbox. ``cause`` names the message of an amendment that was brought here too."""

    at: str
    window: ParticipantCode
    cause: str = ""
    kind: Literal["delivered"] = "delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFailed:
    """A delivery (or, without a window, the document) became a dead letter."""

    at: str
    reason: str
    window: ParticipantCode | None = None
    kind: Literal["failed"] = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A window spoke; ``state`` is what its code means in the dictionary, or empty with the reason."""

    at: str
    answer: Answer
    state: str
    why: str = ""
    kind: Literal["answered"] = "answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """A step takes longer than agreed; ``level`` counts the escalations from 1."""

    at: str
    window: ParticipantCode
    step: str
    level: int
    kind: Literal["overdue"] = "overdue"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """The policy stopped waiting for a window."""

    at: str
    window: ParticipantCode
    kind: Literal["no_answer"] = "no_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Another conversation that this one amends, or is amended by."""

    at: str
    conversation: ConversationId
    relation: Literal["amends", "amended_by"]
    kind: Literal["related"] = "related"


Fact = (
    DocumentReceived | DocumentRefused | Routed | Delivered | DeliveryFailed | Answered | Overdue | NoAnswer | Related
)


@dataclass(frozen=True, slots=True)
class History:
    """All that happened to one message, in the order in which it became known."""

    conversation: ConversationId
    facts: tuple[Annotated[Fact, Field(discriminator="kind")], ...] = ()
    version: Literal[1] = 1

    def windows(self) -> tuple[ParticipantCode, ...]:
        """Every window it was routed or delivered to, by name."""
        routed = {w for fact in self.facts if isinstance(fact, Routed) for w in fact.windows}
        return tuple(sorted(routed | {f.window for f in self.facts if isinstance(f, Delivered)}))

    def has_delivery(self, window: ParticipantCode) -> bool:
        """Whether that window's answers count."""
        return any(isinstance(f, Delivered) and f.window == window for f in self.facts)

    def answers(self, window: ParticipantCode | None = None) -> tuple[Answered, ...]:
        answered = (f for f in self.facts if isinstance(f, Answered))
        return tuple(f for f in answered if window is None or f.answer.window == window)


@cache
def _history() -> TypeAdapter[History]:
    """Made when it is needed first: it takes a twentieth of a second, and a worker that starts has none to spare."""
    return TypeAdapter(History)


@cache
def _answered() -> TypeAdapter[Answered]:
    return TypeAdapter(Answered)


def dump(history: History) -> bytes:
    """The history as JSON."""
    return _history().dump_json(history)


def load(content: bytes) -> History:
    """The history that dump wrote; ValueError for anything else."""
    return _history().validate_json(content)


Novelty = Literal["new", "repeat", "conflict", "full"]
MOST_RELATED = 200
"""Conversations that one amends, or is amended by, in one history."""
MOST_ANSWERS = 200
"""Of one window in one history; the richest sequence known has some twenty."""
TRIMMED = "answer.trimmed"
_ROOM, _MOST = 1 << 20, 6 << 20
"""Bytes of a history: up to the first answers are kept whole, up to the second what matters of them."""
_FEW, _SHORT = 10, 512
"""Parts of a trimmed answer, and characters of its texts (WCO: 512)."""


def add(history: History, fact: Fact) -> tuple[History, Novelty]:
    """The history with the fact, and whether it is new, known already, or known under the same name with other content.

    A repeat changes nothing. A conflict is kept, once for each different content; the caller raises the alarm. A window
    that answers without end is kept out once the history is full; of a huge answer is kept what matters.
    """
    name, content = _name(fact), _content(fact)
    known = [_content(other) for other in history.facts if _name(other) == name]
    if content in known:
        return history, "repeat"
    if isinstance(fact, Related) and sum(isinstance(f, Related) for f in history.facts) >= MOST_RELATED:
        return history, "full"
    if isinstance(fact, Answered):
        kept = _with_room(history, fact)
        if kept is None:
            return history, "full"
        fact = kept
    return replace(history, facts=(*history.facts, fact)), "conflict" if known else "new"


def _with_room(history: History, fact: Answered) -> Answered | None:
    """The answer whole, or what matters of it, as far as the history has room: it must stay a record a topic takes."""
    if len(history.answers(fact.answer.window)) >= MOST_ANSWERS:
        return None
    used = len(dump(history))
    if used + len(_answered().dump_json(fact)) <= _ROOM:
        return fact
    trimmed = replace(fact, answer=_trimmed(fact.answer))
    return trimmed if used + len(_answered().dump_json(trimmed)) <= _MOST else None


def _trimmed(answer: Answer) -> Answer:
    """The first errors, statuses and remarks with texts of a line; the digest still tells of the whole."""
    return replace(
        answer,
        errors=tuple(
            AnswerError(e.code[:_SHORT], e.text[:_SHORT], e.pointer if len(chain_text(e.pointer)) <= _SHORT else ())
            for e in answer.errors[:_FEW]
        ),
        statuses=tuple(replace(s, code=s.code[:_SHORT], pointer=()) for s in answer.statuses[:_FEW]),
        remarks=tuple(Remark(text=r.text[:_SHORT]) for r in answer.remarks[:_FEW]),
        changes=(),
        details=(),
        tolerated=(*answer.tolerated[:_FEW], TRIMMED),
    )


def _name(fact: Fact) -> tuple[object, ...]:
    """What makes two facts the same fact."""
    if isinstance(fact, Answered):
        return fact.kind, fact.answer.window, fact.answer.answer_id
    if isinstance(fact, Related):
        return fact.kind, fact.conversation, fact.relation
    parts = ("window", "cause", "reason", "step", "level")
    return fact.kind, *(getattr(fact, part, None) for part in parts)


def _content(fact: Fact) -> object:
    """The content of a fact: all but when it became known; of an answer, its digest."""
    return fact.answer.digest if isinstance(fact, Answered) else replace(fact, at="")
