"""What is compared: the facts of one document, read from its source or from its payload alike."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Value:
    """One value in the form in which it is compared, and the place where it stands."""

    text: str
    at: str = ""
    also: tuple[str, ...] = ()
    """Other forms of the same value: an instant's own day, a mass in the sender's unit."""
    must: bool = True
    """Whether the payload must tell it; else it may only stand in the place asked about."""


Values = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Party:
    """Who somebody is: every name, every number and the countries of the address."""

    name: Values = ()
    id: Values = ()
    country: Values = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of goods."""

    description: Values = ()
    quantity: Values = ()
    amount: Values = ()
    net: Values = ()
    gross: Values = ()
    tariff: Values = ()
    origin: Values = ()
    packages: Values = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a document says of itself, of its parties, its goods and their way."""

    lines: tuple[Line, ...] = ()
    parties: Mapping[str, Party] = field(default_factory=dict)
    """By the role in the payload: exporter, seller, buyer, consignor, consignee, importer, carrier, issuer."""
    number: Values = ()
    kind: Values = ()
    """UNCL 1001."""
    issued: Values = ()
    invoice: Values = ()
    """Numbers of the invoices it is, bills, corrects or certifies."""
    invoiced: Values = ()
    """Their dates."""
    total: Values = ()
    due: Values = ()
    """What is still to be paid."""
    gross: Values = ()
    packages: Values = ()
    export: Values = ()
    destination: Values = ()
    transit: Values = ()
    mode: Values = ()
    means: Values = ()
    equipment: Values = ()
    seals: Values = ()
    freight: Values = ()


OF_A_LINE = tuple(f.name for f in fields(Line))
OF_A_PARTY = tuple(f.name for f in fields(Party))
OF_A_DOCUMENT = tuple(f.name for f in fields(Facts) if f.name not in {"lines", "parties", "due"})
