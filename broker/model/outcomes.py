"""What the line works with and what it gives: the catalogue of data, and the outcome of one message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from broker.model.schemas import NO_CHECKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.model.documents import Document, DocumentType, Envelope, Message, Payload
    from broker.model.findings import Finding
    from broker.model.ids import DocumentTypeName, ParticipantCode
    from broker.model.participants import Participant, Routing
    from broker.model.schemas import CodeLists, DocumentSchema, IdentifierChecks


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that differs between documents, countries and versions, read once."""

    document_types: Mapping[DocumentTypeName, DocumentType]
    envelopes: tuple[Envelope, ...]
    participants: Mapping[ParticipantCode, Participant]
    code_lists: Mapping[str, CodeLists]
    payload_schema: DocumentSchema
    """Of MetaData with Declaration or Response."""
    roots: Mapping[str, tuple[DocumentType, ...]] = field(default_factory=dict)
    """Clark name of a root element to the document types that have it."""
    max_content: int = 16 * 1024 * 1024
    """Bytes of one document, attachments included."""
    identifiers: IdentifierChecks = NO_CHECKS
    decisions: str = ""
    """The digest of everything that makes a decision: routing, the windows' rules, what codes mean."""

    def windows(self) -> tuple[Participant, ...]:
        return tuple(p for p in self.participants.values() if p.kind == "window")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message on the line: accepted with a payload, or refused with findings."""

    message: Message
    document_type: DocumentTypeName | None
    findings: tuple[Finding, ...] = ()
    payload: Payload | None = None
    routings: tuple[Routing, ...] = ()
    document: Document | None = None
    """The content as recognised; None where it was not."""

    @property
    def is_accepted(self) -> bool:
        return self.payload is not None

    @property
    def windows(self) -> tuple[ParticipantCode, ...]:
        """The windows that take it."""
        return tuple(r.participant for r in self.routings if r.is_accepted)
