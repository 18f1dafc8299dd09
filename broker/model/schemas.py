"""What stands beside a document type and is made elsewhere: its schema, its mapping, and the lists of codes.

The types here say what the steps of the line may ask of them; ``validate``, ``mapping`` and ``registry`` make them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from lxml import etree

    from broker.model.documents import Document, Rule, Tolerance
    from broker.model.findings import Finding


@dataclass(frozen=True, slots=True)
class SchemaFault:
    """One thing the schema does not allow, at an element of the document, its attribute, or its absent child."""

    node: etree._Element
    """The element at whose line it is."""
    code: str
    sentence: str
    attribute: str | None = None
    missing: tuple[etree._Element, str] | None = None
    """The parent that lacks a child, and the child's Clark name."""
    is_child: bool = False
    """The element itself may not stand where it does."""


@dataclass(frozen=True, slots=True)
class Tolerated:
    """A quirk that was met and taken."""

    tolerance: Tolerance
    node: etree._Element
    attribute: str | None


@dataclass(frozen=True, slots=True)
class SchemaVerdict:
    faults: tuple[SchemaFault, ...] = ()
    tolerated: tuple[Tolerated, ...] = ()


class DocumentSchema(Protocol):
    """A schema that judges documents: an XSD, or a JSON Schema over the tree of a JSON document."""

    @property
    def file(self) -> Path:
        """Where it lies below ``xsd/``."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Rules that belong to the schema itself."""

    @property
    def namespaces(self) -> Mapping[str, str]:
        """The prefixes of its rules."""

    def warm(self) -> None:
        """Compiles now what would be compiled with the first document."""

    def judge(
        self, root: etree._Element, tolerates: Iterable[Tolerance] = (), namespaces: Mapping[str, str] | None = None
    ) -> SchemaVerdict:
        """All faults of a document, without the quirks that are tolerated."""


class DocumentMapping(Protocol):
    """What translates documents of a type: rows, or a stylesheet that somebody brought."""

    @property
    def id(self) -> str:
        """``name@version+sha256`` of all that makes its payloads."""

    @property
    def has_lineage(self) -> bool:
        """Whether it can say where each value came from; a stylesheet cannot."""

    @property
    def version(self) -> str:
        """Its version, as its author raises it."""

    @property
    def sha256(self) -> str:
        """The digest of all that makes its payloads."""

    def warm(self) -> None:
        """Compiles now what would be compiled with the first document."""

    def limits(self, document: Document) -> Iterable[Finding]:
        """A finding for each class of which the document has more than a declaration takes."""


class ListedCode(Protocol):
    """One code of a list."""

    @property
    def name(self) -> str:
        """Its name in plain words; in a translation, its counterpart."""


class ListEdition(Protocol):
    """One published state of a code list."""

    @property
    def version(self) -> str:
        """As its publisher names it."""

    @property
    def file(self) -> Path:
        """Where its codes lie."""

    @property
    def codes(self) -> Mapping[str, ListedCode]:
        """Code to what is known of it."""


class CodeLists(Protocol):
    """A code list in all its editions, as rules, rows and windows ask it."""

    @property
    def name(self) -> str:
        """The name of its folder."""

    @property
    def kind(self) -> str:
        """``list``, or ``table`` where it translates."""

    @property
    def editions(self) -> Sequence[ListEdition]:
        """The oldest first."""

    def edition(self, on: date | None) -> ListEdition:
        """The edition of a day; the newest where there is no day."""

    def reason_against(self, text: str, on: date | None) -> tuple[str, str] | None:
        """Why a code may not stand in a document of that day, as finding code and sentence; None when it may."""


class IdentifierChecks(Protocol):
    """The numberings of parties that are known, each with its check digits."""

    @property
    def kinds(self) -> Mapping[str, object]:
        """Their names."""

    def check(self, kind: str, value: str) -> str | None:
        """Why a value cannot be an identifier of that kind; None when it may be one."""


@dataclass(frozen=True, slots=True)
class _NoChecks:
    """Of a catalogue that knows no numberings."""

    kinds: Mapping[str, object] = field(default_factory=dict)

    def check(self, kind: str, _value: str) -> str | None:
        return f"no numbering {kind} is known"


NO_CHECKS: IdentifierChecks = _NoChecks()
