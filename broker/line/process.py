"""The straight line: bytes in -> detect -> validate -> translate -> validate -> route.

It knows no Kafka, no clock and no disk; the relay, the command line, replay and the tests all call it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker import mapping
from broker.content.detect import detect
from broker.line.agreements import admit, insist
from broker.line.route import route
from broker.mapping import translate
from broker.model.errors import Refused
from broker.model.outcomes import Outcome
from broker.validate import validate, validate_payload

if TYPE_CHECKING:
    from broker.mapping import Explanation
    from broker.model.documents import Document, Message
    from broker.model.outcomes import Catalogue


def process(message: Message, catalogue: Catalogue) -> Outcome:
    """Carry one document from its sender to the windows that accept it.

    The outcome is accepted, with a payload and each window's routing, or refused with every finding; a fault of the
    document never raises. Raises :class:`~broker.model.errors.Misconfigured` where our own data is at fault.
    """
    document = None
    try:
        admit(message, catalogue)
        document = detect(message.content, catalogue, message.skipped)
        warnings = validate(document, message.received)
        payload, findings = translate(document, message.id)
        insist(message, catalogue, findings)
        validate_payload(payload, document, catalogue)
    except Refused as refusal:
        return Outcome(message, document.type.name if document else None, refusal.findings, document=document)
    routings = route(document.type, payload, catalogue)
    warned = document.findings + warnings + findings
    return Outcome(message, document.type.name, warned, payload, routings, document)


def recognised(message: Message, catalogue: Catalogue) -> Document | None:
    """The document as the line recognises it; None where it does not."""
    try:
        return detect(message.content, catalogue, message.skipped)
    except Refused:
        return None


def explain(message: Message, catalogue: Catalogue) -> Explanation:
    """Where every value of the payload came from, and what became of every value of the document.

    Raises :class:`~broker.model.errors.Refused` with all findings where the document makes no payload.
    """
    document = detect(message.content, catalogue, message.skipped)
    validate(document, message.received)
    payload, _ = translate(document, message.id)
    validate_payload(payload, document, catalogue)
    return mapping.explain(document, message.id)
