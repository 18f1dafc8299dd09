"""What was agreed with a sender (``limits`` and ``policy`` of its participant.toml), as far as the line keeps it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from broker.model.errors import Refused
from broker.model.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from broker.model.documents import Message
    from broker.model.outcomes import Catalogue
    from broker.model.participants import Participant

_UNMAPPED = "mapping.unmapped"


def admit(message: Message, catalogue: Catalogue) -> None:
    """Raises Refused when the content is larger than its sender may send."""
    sender = _sender(message, catalogue)
    size, limit = len(message.content), sender.limits.size if sender else None
    if sender and limit is not None and size > limit:
        sentence = f"The message has {size:,} bytes; {sender.name} may send {limit:,}."
        raise Refused([Finding("content.too-large", sentence)])


def insist(message: Message, catalogue: Catalogue, findings: Iterable[Finding]) -> None:
    """Raises Refused when a strict sender's document holds a value that no row takes."""
    sender = _sender(message, catalogue)
    if sender and sender.policy.strict:
        lost = [replace(f, severity=Severity.ERROR) for f in findings if f.code == _UNMAPPED]
        if lost:
            raise Refused(lost)


def _sender(message: Message, catalogue: Catalogue) -> Participant | None:
    return None if message.sender is None else catalogue.participants.get(message.sender)
