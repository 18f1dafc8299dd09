"""The write-off ledger of one certificate: what it grants, what windows reserved and used up, never more than granted.

Requests and results are modelled after the quantity management between customs and SPS authorities (CERTEX): reserve
when goods are declared, consume when they are released, release when they are not. Every request has an id and counts
once, however often it comes; a ledger has one owner, and each request is judged on all that came before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, TypeAdapter

from broker.content.payload_path import elements, values
from broker.model.ids import MessageId, ParticipantCode  # noqa: TC001 - pydantic reads the annotations
from broker.toml_table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lxml import etree

ZERO = Decimal(0)
Quantity = Annotated[Decimal, Field(gt=0, max_digits=16, decimal_places=6)]
"""WCO 502: n..16,6."""

Word = Annotated[str, Field(min_length=1, max_length=70)]
MOST_ENTRIES = 5000
"""Requests that one certificate remembers; more are refused, so that the ledger stays a record that a topic takes."""
WRONG_CODE, OTHER, TOO_MUCH = "03", "04", "05"
"""Why a request fails, in the codes of CERTEX: wrong commodity code, anything else, more than is available."""
_HEADING = 4
MEASURES = ("Commodity/GoodsMeasure/NetNetWeightMeasure", "Commodity/GoodsMeasure/TariffQuantity")


@dataclass(frozen=True, slots=True)
class Line:
    """What a certificate grants on one of its lines, in one unit (UN/ECE Rec 20)."""

    number: int
    unit: str
    quantity: Quantity
    codes: tuple[str, ...] = ()
    """Commodity codes of the line; a request's code must begin with one of them, or one with it."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A certificate as its issuer sent it."""

    message: MessageId
    issuer: ParticipantCode
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What a window wants of a certificate for an item of a declaration; the window is who sent it, never a claim."""

    id: Word
    """Of the window's own numbering."""
    window: ParticipantCode
    certificate: Word
    operation: Literal["reserve", "consume", "release"]
    mrn: Word
    item: Annotated[int, Field(ge=1)]
    line: Annotated[int, Field(ge=0, le=99999)]
    code: Annotated[str, Field(max_length=18)]
    quantity: Quantity
    unit: Annotated[str, Field(max_length=5)]
    at: Annotated[str, Field(max_length=40)] = ""
    """When the window asked: RFC 3339."""

    @property
    def holder(self) -> tuple[str, str, int]:
        """For whom a quantity is reserved: window, declaration, goods item."""
        return self.window, self.mrn, self.item


@dataclass(frozen=True, slots=True)
class WriteoffResult:
    """What a request led to. A refused one changed nothing."""

    request: str
    certificate: str
    is_done: bool
    available: Decimal
    """What is left on the line for everybody."""
    reserved: Decimal
    consumed: Decimal
    """What the holder has reserved and used up of the line."""
    reason: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A request and its result, as it happened."""

    request: Request
    result: WriteoffResult


Balance = dict[tuple[str, str, int], Decimal]
"""Quantity by holder."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """One certificate: its grant, its entries in order, and whether it was withdrawn."""

    certificate: str
    grant: Grant | None = None
    entries: tuple[Entry, ...] = ()
    is_withdrawn: bool = False
    version: Literal[1] = 1

    def line(self, number: int, unit: str) -> Line | None:
        lines = self.grant.lines if self.grant else ()
        return next((one for one in lines if (one.number, one.unit) == (number, unit)), None)

    def done(self, line: int, unit: str) -> Iterable[Request]:
        """The requests on a line that were carried out, in order."""
        asked = (e.request for e in self.entries if e.result.is_done)
        return (r for r in asked if (r.line, r.unit) == (line, unit))

    def balances(
        self, line: int, unit: str
    ) -> tuple[dict[tuple[str, str, int], Decimal], dict[tuple[str, str, int], Decimal]]:
        """Reserved and consumed quantities of a line by holder."""
        reserved: Balance = {}
        consumed: Balance = {}
        for request in self.done(line, unit):
            held = reserved.get(request.holder, ZERO)
            if request.operation == "reserve":
                reserved[request.holder] = held + request.quantity
                continue
            reserved[request.holder] = held - min(held, request.quantity)
            if request.operation == "consume":
                consumed[request.holder] = consumed.get(request.holder, ZERO) + request.quantity
        return reserved, consumed

    def available(self, line: int, unit: str) -> Decimal:
        """What nobody has reserved or used up."""
        granted = self.line(line, unit)
        reserved, consumed = self.balances(line, unit)
        return (granted.quantity if granted else ZERO) - sum(reserved.values(), ZERO) - sum(consumed.values(), ZERO)


@cache
def _ledger() -> TypeAdapter[Ledger]:
    """Made when it is needed first, as the others: few documents grant anything."""
    return TypeAdapter(Ledger)


@cache
def _request() -> TypeAdapter[Request]:
    return TypeAdapter(Request)


@cache
def _any() -> TypeAdapter[Ledger | Request | WriteoffResult | Grant]:
    return TypeAdapter(Ledger | Request | WriteoffResult | Grant)


@cache
def _grant() -> TypeAdapter[Grant]:
    return TypeAdapter(Grant)


def dump(value: Ledger | Request | WriteoffResult | Grant) -> bytes:
    """The value as JSON, quantities as text."""
    return _any().dump_json(value)


def load(content: bytes) -> Ledger:
    """The ledger that dump wrote; ValueError for anything else."""
    return _ledger().validate_json(content)


def read_request(content: bytes) -> Request:
    """A window's request; ValueError says what is wrong with it."""
    return _request().validate_json(content)


def read_grant(content: bytes) -> Grant:
    """The grant that dump wrote; ValueError for anything else."""
    return _grant().validate_json(content)


def grants(declaration: etree._Element, message: MessageId, issuer: ParticipantCode) -> Grant:
    """What a certificate grants: the net weights and quantities of its items, as the payload carries them."""
    lines = []
    for item in elements(declaration, "GoodsShipment/GovernmentAgencyGoodsItem"):
        number = int(next(iter(values(item, "SequenceNumeric")), "0"))
        codes = values(
            item, "Commodity/Classification[not(IdentificationTypeCode) or IdentificationTypeCode = 'HS']/ID"
        )
        measures = {m.get("unitCode", ""): Decimal(m.text or "0") for path in MEASURES for m in elements(item, path)}
        lines += [Line(number, unit, quantity, codes) for unit, quantity in measures.items() if unit and quantity > 0]
    return Grant(message, issuer, tuple(lines))


def granting_families(file: Path) -> frozenset[str]:
    """The families of documents that grant anything (``mappings/writeoff.toml``); raises Misconfigured."""
    table = Table.read(file)
    families = frozenset(table.texts("families"))
    table.end()
    return families


def register(ledger: Ledger, grant: Grant) -> tuple[Ledger, bool]:
    """The ledger with the grant, and whether it stands: a certificate grants once, whoever sends it again."""
    if ledger.grant is None:
        return replace(ledger, grant=grant), True
    return ledger, ledger.grant.message == grant.message


def withdraw(ledger: Ledger) -> Ledger:
    """The ledger of a certificate that no longer stands: nothing more can be reserved or consumed."""
    return replace(ledger, is_withdrawn=True)


def apply(ledger: Ledger, request: Request) -> tuple[Ledger, WriteoffResult]:
    """The ledger after a request, and what it led to. The same request again: the same result, the same ledger."""
    asked = (request.window, request.id)
    known = next((e for e in ledger.entries if (e.request.window, e.request.id) == asked), None)
    if known is not None and replace(known.request, at="") == replace(request, at=""):
        return ledger, known.result
    reason, text = _objection(ledger, request, is_known=known is not None)
    if known is not None:
        return ledger, _result(ledger, request, reason, text)
    if len(ledger.entries) >= MOST_ENTRIES:
        return ledger, _result(
            ledger, request, OTHER, f"{MOST_ENTRIES} requests for this certificate are remembered already"
        )
    if reason:
        result = _result(ledger, request, reason, text)
    else:
        tried = replace(ledger, entries=(*ledger.entries, Entry(request, _done(request))))
        result = _result(tried, request, "", "")
    return replace(ledger, entries=(*ledger.entries, Entry(request, result))), result


def _objection(ledger: Ledger, request: Request, *, is_known: bool) -> tuple[str, str]:
    """Why a request cannot be carried out, as code and sentence; empty when it can."""
    line = ledger.line(request.line, request.unit)
    if is_known:
        return OTHER, f"request {request.id} came before with other content"
    if ledger.certificate != request.certificate or ledger.grant is None:
        return OTHER, f"certificate {request.certificate} is not known"
    if ledger.is_withdrawn and request.operation != "release":
        return OTHER, f"certificate {request.certificate} is withdrawn"
    if line is None:
        return OTHER, f"line {request.line} grants nothing in {request.unit}"
    if not _covers(line, request.code):
        return WRONG_CODE, f"line {request.line} is for {', '.join(line.codes)}, not {request.code}"
    free = _free(ledger, request)
    return (
        ("", "") if request.quantity <= free else (TOO_MUCH, f"{request.quantity} asked, {free} {line.unit} can be had")
    )


def _covers(line: Line, code: str) -> bool:
    """Whether a commodity code is one of the line's, or a wider or narrower one from the heading (4 digits) on."""
    return not line.codes or (
        len(code) >= _HEADING and any(code.startswith(c) or c.startswith(code) for c in line.codes)
    )


def _free(ledger: Ledger, request: Request) -> Decimal:
    """How much the holder can have: of what is available, of its own reservation, or of both."""
    held = ledger.balances(request.line, request.unit)[0].get(request.holder, ZERO)
    available = ledger.available(request.line, request.unit)
    return {"reserve": available, "consume": available + held, "release": held}[request.operation]


def _result(ledger: Ledger, request: Request, reason: str, text: str) -> WriteoffResult:
    reserved, consumed = ledger.balances(request.line, request.unit)
    return WriteoffResult(
        request=request.id,
        certificate=request.certificate,
        is_done=not reason,
        available=ledger.available(request.line, request.unit),
        reserved=reserved.get(request.holder, ZERO),
        consumed=consumed.get(request.holder, ZERO),
        reason=reason,
        text=text,
    )


def _done(request: Request) -> WriteoffResult:
    return WriteoffResult(request.id, request.certificate, is_done=True, available=ZERO, reserved=ZERO, consumed=ZERO)
