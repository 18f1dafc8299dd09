"""The write-off ledger of one certificate: what it grants, what windows reserved and used up, never more than granted.

A certificate is known by its issuer, its kind and its number. Requests and results are modelled after the quantity
management between customs and SPS authorities (CERTEX): reserve when goods are declared, consume when they are
released, release when they are not. Every request has an id and counts once, however often it comes; of those that were
refused, only the last ones are known again. Only a window that the certificate
was sent to may draw on it. A reservation that is not used ends after a time, counted by the broker's clock.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from broker.content.payload_path import elements, values
from broker.model.errors import Refused
from broker.model.findings import Finding
from broker.model.ids import MessageId, ParticipantCode  # noqa: TC001 - pydantic reads the annotations
from broker.toml_table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lxml import etree

ZERO = Decimal(0)
_DIGITS = re.compile(r"[0-9]{1,16}(\.[0-9]{1,6})?")
_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of a text."""
Quantity = Annotated[Decimal, Field(gt=0, max_digits=16, decimal_places=6)]
"""WCO 502: n..16,6."""

Word = Annotated[str, Field(min_length=1, max_length=70)]
MOST_ENTRIES = 1000
"""Requests of one window that a certificate remembers; more are refused, so that a topic still takes the ledger."""
MOST_REFUSED = 200
"""Refused requests that a certificate knows again, the last ones."""
DAY_MS = 86_400_000
RESERVED_MS = 30 * DAY_MS
"""How long a reservation stands after its window reserved last, where nothing else is agreed."""
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
    """When the window asked: RFC 3339. It decides nothing."""
    issuer: Annotated[str, Field(max_length=70)] = ""
    kind: Annotated[str, Field(max_length=70)] = ""
    """Whose certificate, and of which kind (UNCL 1001); needed where several that the window got share a number."""

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
    at: int = 0
    """When the broker judged it, in milliseconds."""


Balance = dict[tuple[str, str, int], Decimal]
"""Quantity by holder."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """One certificate: its grant, what was carried out in order, and whether it was withdrawn."""

    certificate: str
    """Its number."""
    grant: Grant | None = None
    entries: tuple[Entry, ...] = ()
    is_withdrawn: bool = False
    version: Literal[1, 2] = 2
    issuer: str = ""
    kind: str = ""
    """Of the document (UNCL 1001); empty where release 0.1.0 did not keep it."""
    windows: tuple[str, ...] | None = None
    """To whom it was sent; None where release 0.1.0 did not keep it, and then nobody is kept out."""
    reserved_ms: int = RESERVED_MS
    refused: tuple[tuple[str, str], ...] = ()
    """Digest and reason of the last requests that were refused: a late copy must not take what its window does not
    know it has."""

    def is_open_to(self, window: str) -> bool:
        """Whether a window may draw on it."""
        return self.windows is None or window in self.windows

    def line(self, number: int, unit: str) -> Line | None:
        lines = self.grant.lines if self.grant else ()
        return next((one for one in lines if (one.number, one.unit) == (number, unit)), None)

    def done(self, line: int, unit: str) -> Iterable[Entry]:
        """What was carried out on a line, in order."""
        return (e for e in self.entries if e.result.is_done and (e.request.line, e.request.unit) == (line, unit))

    def balances(self, line: int, unit: str, now: int) -> tuple[Balance, Balance]:
        """Reserved and consumed quantities of a line by holder, at a time; reservations that have ended are none."""
        reserved: Balance = {}
        consumed: Balance = {}
        since: dict[tuple[str, str, int], int] = {}
        for entry in self.done(line, unit):
            request, holder = entry.request, entry.request.holder
            held = ZERO if self._has_ended(since.get(holder), entry.at) else reserved.get(holder, ZERO)
            if request.operation == "reserve":
                reserved[holder] = held + request.quantity
                since[holder] = entry.at
                continue
            reserved[holder] = held - min(held, request.quantity)
            if request.operation == "consume":
                consumed[holder] = consumed.get(holder, ZERO) + request.quantity
        held_on = {holder: q for holder, q in reserved.items() if not self._has_ended(since.get(holder), now)}
        return held_on, consumed

    def _has_ended(self, since: int | None, now: int) -> bool:
        return since is not None and now - since > self.reserved_ms

    def available(self, line: int, unit: str, now: int) -> Decimal:
        """What nobody has reserved or used up."""
        granted = self.line(line, unit)
        reserved, consumed = self.balances(line, unit, now)
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
    """The request that dump wrote; ValueError for anything else."""
    return _request().validate_json(content)


def parse_request(content: bytes) -> Request:
    """A request as a window sent it; raises Refused with what is wrong in it.

    A quantity is digits as text, or a whole number: of a JSON number with a fraction, digits may have been lost.
    """
    try:
        request, given = _request().validate_json(content), orjson.loads(content)
    except ValidationError as error:
        faults = [(".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()]
        raise _unreadable(faults) from None
    except ValueError as error:
        raise _unreadable([("", str(error))]) from None
    quantity = given["quantity"]
    faults = [(name, "has control characters") for name, value in given.items() if _ODD.search(str(value))]
    if isinstance(quantity, bool | float) or not _DIGITS.fullmatch(str(quantity)):
        faults.append(("quantity", "is no text of digits, with at most six after the point"))
    if faults:
        raise _unreadable(faults)
    return request


def _unreadable(faults: Iterable[tuple[str, str]]) -> Refused:
    return Refused([Finding("writeoff.unreadable", text, value=place[:100]) for place, text in faults])


def read_grant(content: bytes) -> Grant:
    """The grant that dump wrote; ValueError for anything else."""
    return _grant().validate_json(content)


def grants(declaration: etree._Element, message: MessageId, issuer: ParticipantCode) -> Grant:
    """What a certificate grants: of each item its net weight, else its quantity, as the payload carries them.

    One line has one unit: with two, the same goods could be written off twice.
    """
    lines: dict[int, Line] = {}
    for item in elements(declaration, "GoodsShipment/GovernmentAgencyGoodsItem"):
        number = int(next(iter(values(item, "SequenceNumeric")), "0"))
        codes = values(
            item, "Commodity/Classification[not(IdentificationTypeCode) or IdentificationTypeCode = 'HS']/ID"
        )
        measures = ((m.get("unitCode", ""), Decimal(m.text or "0")) for path in MEASURES for m in elements(item, path))
        unit, quantity = next(((unit, quantity) for unit, quantity in measures if unit and quantity > 0), ("", ZERO))
        if unit and number not in lines:
            lines[number] = Line(number, unit, quantity, codes)
    return Grant(message, issuer, tuple(lines.values()))


def granting_families(file: Path) -> frozenset[str]:
    """The families of documents that grant anything (``mappings/writeoff.toml``); raises Misconfigured."""
    table = Table.read(file)
    families = frozenset(table.texts("families"))
    table.end()
    return families


def register(
    ledger: Ledger, grant: Grant, windows: Iterable[str] = (), *, is_reissue: bool = False
) -> tuple[Ledger, bool]:
    """The ledger with the grant and the windows it was sent to, and whether the grant stands: it does so once.

    A certificate that is issued again grants in place of what it granted before; what was drawn stays drawn.
    """
    if ledger.grant is not None and ledger.grant.message != grant.message and not is_reissue:
        return ledger, False
    known = ledger.windows or ()
    everyone = ledger.grant is not None and ledger.windows is None  # so 0.1.0 kept it
    return replace(
        ledger, grant=grant, issuer=grant.issuer, version=2,
        windows=None if everyone else tuple(dict.fromkeys((*known, *windows))),
    ), True  # fmt: skip


def withdraw(ledger: Ledger) -> Ledger:
    """The ledger of a certificate that no longer stands: nothing more can be reserved or consumed."""
    return replace(ledger, is_withdrawn=True)


def apply(ledger: Ledger, request: Request, now: int) -> tuple[Ledger, WriteoffResult]:
    """The ledger after a request, and what it led to.

    The same request again: the same result, the same ledger. What a window must not know of takes no room.
    """
    if not ledger.is_open_to(request.window) or ledger.grant is None or ledger.certificate != request.certificate:
        return ledger, unknown(request)
    asked = (request.window, request.id)
    known = next((e for e in ledger.entries if (e.request.window, e.request.id) == asked), None)
    if known is not None and replace(known.request, at="") == replace(request, at=""):
        return ledger, known.result
    digest = _digest(request)
    if before := next((reason for one, reason in ledger.refused if one == digest), ""):
        return ledger, _result(ledger, request, now, before, f"request {request.id} was refused before")
    reason, text = _why_not(ledger, request, now, is_known=known is not None)
    if reason:
        refused = (*ledger.refused, (digest, reason))[-MOST_REFUSED:]
        kept = ledger if known is not None else replace(ledger, refused=refused, version=2)
        return kept, _result(ledger, request, now, reason, text)
    tried = replace(ledger, entries=(*ledger.entries, Entry(request, _done(request), now)))
    result = _result(tried, request, now, "", "")
    return replace(ledger, entries=(*ledger.entries, Entry(request, result, now)), version=2), result


def _digest(request: Request) -> str:
    return hashlib.sha256(dump(replace(request, at=""))).hexdigest()[:16]


def unknown(request: Request, text: str = "") -> WriteoffResult:
    """The result where there is no such certificate, or none that was sent to the window: it learns no more."""
    return WriteoffResult(
        request.id, request.certificate, is_done=False, available=ZERO, reserved=ZERO, consumed=ZERO, reason=OTHER,
        text=text or f"certificate {request.certificate} is not known",
    )  # fmt: skip


def _why_not(ledger: Ledger, request: Request, now: int, *, is_known: bool) -> tuple[str, str]:
    """Why a request cannot be carried out, as code and sentence; empty when it can."""
    line = ledger.line(request.line, request.unit)
    if is_known:
        return OTHER, f"request {request.id} came before with other content"
    if sum(e.request.window == request.window for e in ledger.entries) >= MOST_ENTRIES:
        return OTHER, f"{MOST_ENTRIES} requests for this certificate are remembered already"
    if ledger.is_withdrawn and request.operation != "release":
        return OTHER, f"certificate {request.certificate} is withdrawn"
    if line is None:
        return OTHER, f"line {request.line} grants nothing in {request.unit}"
    if not _covers(line, request.code):
        return WRONG_CODE, f"line {request.line} is for {', '.join(line.codes)}, not {request.code}"
    free = _free(ledger, request, now)
    return (
        ("", "") if request.quantity <= free else (TOO_MUCH, f"{request.quantity} asked, {free} {line.unit} can be had")
    )


def _covers(line: Line, code: str) -> bool:
    """Whether a commodity code is one of the line's, or a wider or narrower one from the heading (4 digits) on."""
    return not line.codes or (
        len(code) >= _HEADING and any(code.startswith(c) or c.startswith(code) for c in line.codes)
    )


def _free(ledger: Ledger, request: Request, now: int) -> Decimal:
    """How much the holder can have: of what is available, of its own reservation, or of both."""
    held = ledger.balances(request.line, request.unit, now)[0].get(request.holder, ZERO)
    available = ledger.available(request.line, request.unit, now)
    return {"reserve": available, "consume": available + held, "release": held}[request.operation]


def _result(ledger: Ledger, request: Request, now: int, reason: str, text: str) -> WriteoffResult:
    reserved, consumed = ledger.balances(request.line, request.unit, now)
    return WriteoffResult(
        request=request.id,
        certificate=request.certificate,
        is_done=not reason,
        available=ledger.available(request.line, request.unit, now),
        reserved=reserved.get(request.holder, ZERO),
        consumed=consumed.get(request.holder, ZERO),
        reason=reason,
        text=text,
    )


def _done(request: Request) -> WriteoffResult:
    return WriteoffResult(request.id, request.certificate, is_done=True, available=ZERO, reserved=ZERO, consumed=ZERO)
