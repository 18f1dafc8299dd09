"""What a document calls itself, and which earlier document it amends: read from its payload, whatever its format was.

The sender's own number stands in AdditionalDocument beside the declaration's own type (UNCL 1001); what came before
stands in PreviousDocument. Together with the sender they name a document among all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from broker.content.payload_path import elements, values
from broker.toml_table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lxml import etree

REPLACEMENT = "13"
"""FunctionCode (017) of a replacement or withdrawal."""


@dataclass(frozen=True, slots=True)
class DocumentName:
    """A document among those of one sender: kind (UNCL 1001) and number."""

    kind: str
    number: str

    def key(self, participant: str) -> bytes:
        """Under which its conversation is found: sender, kind and number, one a line."""
        return f"{participant}\n{self.kind}\n{self.number}".encode()


@dataclass(frozen=True, slots=True)
class Relation:
    """An earlier document, and what this one does to it."""

    does: Literal["withdraws", "replaces", "corrects"]
    document: DocumentName


Names = tuple[DocumentName | None, tuple[Relation, ...]]
"""What a document calls itself, and which earlier ones it amends."""


@dataclass(frozen=True, slots=True)
class Relations:
    """Reads names and relations."""

    alike: Mapping[str, str]
    """A kind, and the one under which references speak of it."""
    corrects: Mapping[str, frozenset[str]]
    """Kinds of documents that correct an earlier one, each with the kinds it may correct."""
    declarants: tuple[str, ...] = ()
    """Where the id of who declares stands; the first place that holds one counts."""

    def names(self, declaration: etree._Element) -> Names:
        """Both at once."""
        return self.own(declaration), self.related(declaration)

    def own(self, declaration: etree._Element) -> DocumentName | None:
        """What the document calls itself; None when it has no number."""
        kind = _first(declaration, "TypeCode")
        for document in elements(declaration, "AdditionalDocument"):
            number = _first(document, "ID")
            if number and _first(document, "TypeCode") == kind:
                return self._name(kind, number)
        return None

    def declarant(self, declaration: etree._Element) -> str:
        """The id of who declares, or on whose behalf; empty where the payload names none."""
        return next((found for place in self.declarants if (found := _first(declaration, place))), "")

    def related(self, declaration: etree._Element) -> tuple[Relation, ...]:
        """The earlier documents that it withdraws, replaces or corrects; others that it only mentions are none.

        A withdrawal gives its reason (WCO 099); without one a document of the same number is issued again.
        """
        own = self.own(declaration)
        is_replacement = _first(declaration, "FunctionCode") == REPLACEMENT
        is_ended = bool(_first(declaration, "Amendment/ChangeReasonCode"))
        correctable = self.corrects.get(_first(declaration, "TypeCode"), frozenset())
        found = {}
        for previous in elements(declaration, "GoodsShipment/PreviousDocument"):
            name = self._name(_first(previous, "TypeCode"), _first(previous, "ID"))
            if name.number and is_replacement:
                found[name] = Relation("withdraws" if name == own and is_ended else "replaces", name)
            elif name.number and name.kind in correctable and name != own:
                found[name] = Relation("corrects", name)
        return tuple(found.values())

    def _name(self, kind: str, number: str) -> DocumentName:
        return DocumentName(self.alike.get(kind, kind), number)


def load(file: Path) -> Relations:
    """The table ``mappings/relations.toml``; raises Misconfigured."""
    table = Table.read(file)
    alike: dict[str, str] = {}
    for entry in table.tables("alike"):
        as_, codes, _ = entry.text("as"), entry.texts("codes"), entry.text("why")
        entry.end()
        alike |= dict.fromkeys(codes, as_)
    corrects: dict[str, frozenset[str]] = {}
    for entry in table.tables("corrects"):
        kinds, of, _ = entry.texts("kinds"), frozenset(entry.texts("of")), entry.text("why")
        entry.end()
        corrects |= dict.fromkeys(kinds, of)
    declarants = table.texts("declarants")
    table.end()
    return Relations(alike, corrects, tuple(declarants))


def _first(element: etree._Element, path: str) -> str:
    return next(iter(values(element, path)), "")
