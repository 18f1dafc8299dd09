"""Messages and documents: what arrived, what it was recognised as, and the payload made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from broker.model.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from lxml import etree

    from broker.model.findings import Finding
    from broker.model.ids import DocumentTypeName, MessageId, ParticipantCode
    from broker.model.issuance import Issuance
    from broker.model.schemas import DocumentMapping, DocumentSchema

    Test = Callable[[etree._Element], object]  # noqa: SLF001 - the public name of the type
    """A compiled XPath that is asked of a root element."""


@dataclass(frozen=True, slots=True)
class Message:
    """What arrived: who sent it and the bytes, never altered."""

    id: MessageId
    content: bytes
    sender: ParticipantCode | None = None
    skipped: int = 0
    """Lines of the sender's envelope that stood before this document and were other documents."""
    received: datetime | None = None
    """When it came: what is not in force then is refused. None: the calendar is not asked."""


@dataclass(frozen=True, slots=True)
class Document:
    """A content as recognised: its type, the parsed root without its envelopes, and where it lay in the bytes."""

    type: DocumentType
    root: etree._Element
    envelopes: tuple[Opened, ...] = ()
    line_offset: int = 0
    """Added to a node's line: the lines of the envelope before content that was carried as text."""
    findings: tuple[Finding, ...] = ()
    """Warnings of what was tolerated."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A wrapping that is taken off before a document is recognised (``mappings/envelopes``)."""

    name: str
    root: str
    content: str
    form: Literal["element", "text", "base64", "salted"]
    """How it holds the document: as an element, as text, as text in base64, or as JSON with salted values."""
    namespaces: Mapping[str, str]
    why: str
    when: Test | None = None
    """Compiled XPath 1.0 test on the root, where envelopes share one; None: always."""
    parts: tuple[str, ...] = ()
    """Clark names of the steps from the root to each document, where it may hold several."""
    issuance: Issuance | None = None
    """What the envelope itself says of whether its certificate may be lodged."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An envelope that was taken off: its root, and the element that is the document or holds it as text."""

    envelope: Envelope
    root: etree._Element
    inner: etree._Element
    offset: int = 0
    """Added to a line below ``root``."""

    def holds(self, element: etree._Element, attribute: str | None) -> bool:
        """Whether a leaf below ``root`` is the envelope's own, and not of what it wraps."""
        if self.envelope.form in {"text", "base64"}:
            return element is not self.inner or attribute is not None
        return element is not self.inner and self.inner not in element.iterancestors()


@dataclass(frozen=True, slots=True)
class Rule:
    """A business rule beyond the schema: XPath 1.0 that must hold for each context node."""

    id: str
    each: str
    test: str
    at: str
    message: Mapping[str, str]
    """Language (``en``, ``es``, ``zh``) to sentence."""
    severity: Severity = Severity.ERROR
    when: str = ""
    unique: str = ""
    """Instead of a test: no two of the nodes have the same ``text``, or the same ``number``."""
    code: str = ""
    """A window's own ValidationCode (377, an..8) for it; empty: the id."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """A named quirk of senders that the schema refuses and we take with a warning (``document.toml``: tolerates)."""

    id: str
    why: str
    ignore: str = ""
    """XPath 1.0 from the root: elements or attributes the schema is not asked about."""
    trim: str = ""
    """XPath 1.0 from the root: elements or attributes whose text is taken without the white space around it."""


@dataclass(frozen=True, slots=True)
class DocumentType:
    """Family, format and version of a content, and all the data that describes it (``mappings/documents``)."""

    name: DocumentTypeName
    title: str
    family: str
    root: str
    """Clark name of the root element."""
    when: Test | None
    """Compiled XPath 1.0 test on the root that tells formats with the same root apart; None: always."""
    namespaces: Mapping[str, str]
    schema: DocumentSchema
    mapping: DocumentMapping
    rules: tuple[Rule, ...]
    folder: str
    response: str = ""
    """The form in which an answer is told to the sender (broker.answers.render)."""
    tolerates: tuple[Tolerance, ...] = ()
    issuance: Issuance | None = None
    """Which states, dates and marks make a document of this type one that may be lodged; None: no table says."""


@dataclass(frozen=True, slots=True)
class Payload:
    """The WCO Data Model form of a document: the bytes to publish and the same parsed."""

    content: bytes
    root: etree._Element
    """The Declaration element, inside its MetaData."""
