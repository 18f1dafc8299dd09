"""A window's decision as the Responses it sends: ids, numbers and times derived, so that a repeat is a repeat."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from broker.answers.wco_response import write
from broker.content.payload_path import values
from broker.content.xml import parse
from broker.model.answers import Answer, AnswerError, AnswerStatus, Remark
from broker.model.documents import Payload
from broker.model.ids import Mrn

if TYPE_CHECKING:
    from broker.content.pointers import Pointers
    from broker.model.findings import Finding
    from broker.model.participants import AnswerStep, Participant
    from broker.windows.decide import Decision, Window

_PREDICATE = re.compile(r"\[[^\]\d]")
_DESCRIPTION = 512  # WCO 488, an..512


@dataclass(frozen=True, slots=True)
class WindowReply:
    """One record a window writes to its outbox, and how long it waits before it does."""

    id: str
    """The answer's own id, ``ce_id`` of the record."""
    key: bytes
    content: bytes
    delay: float


def read_payload(content: bytes) -> Payload:
    """The Declaration of a payload as it was delivered; raises Refused when it cannot be read."""
    root, _ = parse(content)
    declaration = next((e for e in root.iter("{*}Declaration")), root)
    return Payload(content, declaration)


def reply(window: Window, content: bytes, pointers: Pointers, received: datetime) -> tuple[WindowReply, ...]:
    """What a window answers to one delivery, in order. The same delivery gives the same bytes again."""
    payload = read_payload(content)
    return replies(window, payload, window.decide(payload, received), pointers, received)


def replies(
    window: Window, payload: Payload, decision: Decision, pointers: Pointers, received: datetime
) -> tuple[WindowReply, ...]:
    """The records in which a window says what it decided, in order; the last one has the verdict."""
    participant = window.participant
    answers = respond(decision, payload, participant, pointers, received)
    return tuple(
        WindowReply(
            answer.answer_id,
            _key(participant, answer),
            _content(participant, answer),
            opens_in(participant.limits.opening, received) + participant.answers.delay * n,
        )
        for n, answer in enumerate(answers, 1)
    )


def opens_in(opening: str, now: datetime) -> float:
    """Seconds until a window with these hours (``07:00-19:00-05:00``) is open; 0 while it is, and for no hours."""
    if not opening:
        return 0.0
    start, end = ((int(t[:2]) * 60 + int(t[3:])) * 60 for t in (opening[:5], opening[6:11]))
    local = now.astimezone(datetime.strptime(opening[11:], "%z").tzinfo)
    second = (local.hour * 60 + local.minute) * 60 + local.second
    return 0.0 if start <= second < end else float((start - second) % 86_400)


def respond(
    decision: Decision, payload: Payload, participant: Participant, pointers: Pointers, received: datetime
) -> tuple[Answer, ...]:
    """The decision in the steps this window takes; the last carries verdict, errors and remarks."""
    reference = next(iter(values(payload.root, "FunctionalReferenceID")), "")
    steps = participant.answers.accepted if decision.is_accepted else participant.answers.rejected
    issued = received.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    answers = [
        Answer(
            window=participant.code,
            answer_id=derived(participant.code, reference, str(n)),
            function_code=step.function,
            reference=reference if step.by == "reference" else "",
            mrn=mrn(participant, reference),
            issued=issued,
            statuses=_statuses(step, issued),
        )
        for n, step in enumerate(steps)
    ]
    verdict = answers[-1]
    answers[-1] = replace(
        verdict,
        errors=tuple(
            AnswerError(f.code, _sentence(f, participant), pointers.chain(countable(f.payload_pointer)))
            for f in decision.findings
            if f.is_error
        ),
        remarks=tuple(
            Remark(f.code, _sentence(f, participant), pointer=pointers.chain(countable(f.payload_pointer)))
            for f in decision.findings
            if not f.is_error
        ),
        accepted=issued if decision.is_accepted else "",
        rejected="" if decision.is_accepted else issued,
    )
    return tuple(answers)


def countable(path: str) -> str:
    """A path up to the first step that only content tells apart: no chain of class ids can say more."""
    predicate = _PREDICATE.search(path)
    return path[: predicate.start()].rpartition("/")[0] if predicate else path


def derived(*parts: str) -> str:
    """32 hex digits from the parts: never drawn anew."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def mrn(participant: Participant, reference: str) -> Mrn:
    """The number the window gives a declaration: its pattern, each ``#`` a digit derived from our reference."""
    digits = iter(str(int(derived(participant.code, reference, "mrn"), 16)))
    return Mrn("".join(next(digits, "0") if letter == "#" else letter for letter in participant.answers.reference))


def _statuses(step: AnswerStep, issued: str) -> tuple[AnswerStatus, ...]:
    return (AnswerStatus(step.status, issued),) if step.status else ()


def _sentence(finding: Finding, participant: Participant) -> str:
    """In the window's own language where the rule has it."""
    wanted = next((lang for lang in participant.languages if lang in finding.messages), "en")
    return finding.messages[wanted][:_DESCRIPTION]


def _key(participant: Participant, answer: Answer) -> bytes:
    keys = {"message": answer.reference, "mrn": answer.mrn, "own": derived(participant.code, answer.answer_id, "key")}
    return (keys[participant.answers.key] or answer.mrn).encode()


def _content(participant: Participant, answer: Answer) -> bytes:
    return write([answer], participant.economy, participant.name)
