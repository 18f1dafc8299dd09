"""Write-off: certificates grant quantities, windows reserve and use them up, in the lane that owns the number.

A certificate is known by issuer, kind and number. All certificates of one number lie in one entry, so that a window
need not name the issuer where only one of them was sent to it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import orjson

from broker.answers.way_back import Notification
from broker.model.errors import Refused
from broker.model.findings import Finding, Severity
from broker.model.ids import MessageId, ParticipantCode
from broker.relay import headers, ids, topics
from broker.relay.entries import Certificates
from broker.relay.facts import CertificateGranted, CertificateWithdrawn, WriteoffRequested
from broker.relay.headers import Kind
from broker.relay.ledger import Ledger, apply, dump, parse_request, register, unknown, withdraw
from broker.relay.notifications import notify_sender
from broker.relay.records import Produced

if TYPE_CHECKING:
    from broker.model.documents import Payload
    from broker.model.ids import DocumentTypeName
    from broker.registry.relations import DocumentName, Names
    from broker.relay.batch import Batch
    from broker.relay.intake import IncomingDocument
    from broker.relay.ledger import Request, WriteoffResult
    from broker.relay.records import Consumed, Place

MOST_ISSUERS = 50
"""Certificates of one number that are kept; more grant nothing."""


def plan_grant(  # noqa: PLR0917 - what is known of an accepted document
    batch: Batch,
    document: IncomingDocument,
    kind: DocumentTypeName,
    payload: Payload,
    names: Names,
    windows: tuple[ParticipantCode, ...],
) -> None:
    """What an accepted certificate grants to the windows it goes to; and the end of a certificate that it replaces."""
    gone = _ended(names)
    for name in gone:
        batch.send_fact(
            CertificateWithdrawn(
                at=batch.now, owner=name.number.encode(), issuer=document.sender, by=document.message_id, kind=name.kind
            )
        )
    key = None if document.key is None else document.key.decode("latin-1")
    send_grant(batch, payload, names, document.message_id, document.sender, kind, key, windows)


def send_grant(  # noqa: PLR0917 - as above
    batch: Batch,
    payload: Payload,
    names: Names,
    message: MessageId,
    issuer: ParticipantCode,
    kind: DocumentTypeName,
    key: str | None,
    windows: tuple[ParticipantCode, ...],
) -> None:
    """What a certificate grants, where it grants anything, with windows that may draw on it."""
    own, relations = names
    is_reissue = own in [relation.document for relation in relations if relation.does == "replaces"]
    grant = batch.context.grant(kind, payload, message, issuer)
    if own is not None and own not in _ended(names) and grant is not None and grant.lines:
        batch.send_fact(
            CertificateGranted(
                at=batch.now, owner=own.number.encode(), grant=grant, kind=own.kind, document_type=kind, key=key,
                windows=windows, is_reissue=is_reissue,
            )
        )  # fmt: skip


def _ended(names: Names) -> set[DocumentName]:
    """The certificates that stand no longer; one that is only issued again under its number does."""
    own, relations = names
    return {r.document for r in relations if r.does == "withdraws" or (r.does == "replaces" and r.document != own)}


def plan_request(batch: Batch, record: Consumed, window: ParticipantCode, origin: Place) -> None:
    """A window's request, on to the owner of the number; one that cannot be read is kept, and the window notified."""
    try:
        request = replace(parse_request(record.content), window=window)
    except Refused as refusal:
        kept = record.headers if record.topic == topics.INTAKE else headers.of_sender(record.headers)
        batch.dead_letter(Produced(origin.topic, record.key, record.value, kept), "writeoff-unreadable", origin)
        batch.emit_event("writeoff-unreadable", "", window=window, origin=str(origin))
        faults = [{"code": f.code, "value": f.value, "message": f.message} for f in refusal.findings]
        content = orjson.dumps({"kind": "writeoff", "is_done": False, "findings": faults})
        message = MessageId(ids.message_id(window, record.header(headers.CE_ID) or ids.content_id(record.content)))
        batch.deliver(window, Kind.NOTICE, message, record.key, content, {headers.CONTENT_TYPE: headers.JSON})
        return
    batch.send_fact(WriteoffRequested(owner=request.certificate.encode(), origin=origin, request=request))


# --- in the lane of the number ----------------------------------------------------------------------------------------


def certificate_granted(batch: Batch, fact: CertificateGranted) -> None:
    """A certificate grants once. Another of its issuer, or one of another issuer, is a conflict that each is sent."""
    ledgers, grant = _ledgers(batch, fact.owner), fact.grant
    name = fact.owner.decode()
    mine = next((one for one in ledgers if _is_same(one, grant.issuer, fact.kind)), None)
    if mine is None and len(ledgers) >= MOST_ISSUERS:
        _conflict(batch, fact, grant.issuer, "More certificates of this number than are kept: it grants nothing.")
        return
    begun = mine or Ledger(name, issuer=grant.issuer, kind=fact.kind, windows=(), reserved_ms=batch.context.reserved_ms)
    ledger, stands = register(begun, grant, fact.windows, is_reissue=fact.is_reissue)
    if not stands:
        _conflict(
            batch, fact, grant.issuer, f"Certificate {name} was issued before with other content, which stands for "
            "write-off: this one grants nothing.",
        )  # fmt: skip
        return
    if ledger != mine:
        _keep(batch, fact.owner, (*(one for one in ledgers if one is not mine), ledger))
    others = [one for one in ledgers if one is not mine and one.grant and one.kind == fact.kind]
    if others and mine is None:
        text = f"Another participant has issued a certificate of the number {name}. Windows name the issuer."
        _conflict(batch, fact, grant.issuer, text)
        for other in others:
            if other.grant is not None:
                _conflict(batch, fact, ParticipantCode(other.issuer or other.grant.issuer), text, other.grant.message)


def _conflict(
    batch: Batch, fact: CertificateGranted, issuer: ParticipantCode, text: str, own_message: MessageId | None = None
) -> None:
    """A notice to an issuer about the message that is its own, and the alarm."""
    message = own_message or fact.grant.message
    finding = Finding("writeoff.conflict", text, Severity.WARNING, value=fact.owner.decode())
    notice = Notification(
        Kind.NOTICE, message, issuer, "" if own_message else fact.document_type, "conflict", at=batch.at,
        findings=(finding,),
    )  # fmt: skip
    is_own = own_message is None
    key = fact.key.encode("latin-1") if fact.key is not None and is_own else message.encode()
    notify_sender(batch, notice, key, cause=f"writeoff-conflict {issuer} {message}")
    batch.emit_event("writeoff-conflict", message, sender=issuer, certificate=fact.owner.decode())
    batch.log("writeoff.conflict", message_id=message, sender=issuer)


def certificate_withdrawn(batch: Batch, fact: CertificateWithdrawn) -> None:
    """Only who issued a certificate can end it. One that ends before it came grants nothing when it comes."""
    ledgers = _ledgers(batch, fact.owner)
    mine = [one for one in ledgers if _is_same(one, fact.issuer, fact.kind)]
    ended = [withdraw(one) for one in mine]
    if not mine and len(ledgers) < MOST_ISSUERS:
        ended = [withdraw(Ledger(fact.owner.decode(), issuer=fact.issuer, kind=fact.kind, windows=()))]
    if ended != mine:
        _keep(batch, fact.owner, (*(one for one in ledgers if one not in mine), *ended))


def writeoff_requested(batch: Batch, fact: WriteoffRequested) -> None:
    """The request judged on all before it, and a notice to the window: the same again for a repeat."""
    request, ledgers = fact.request, _ledgers(batch, fact.owner)
    message, result = _judged(batch, fact.owner, request, ledgers)
    extra = {headers.CONTENT_TYPE: headers.JSON, headers.STATE_HEADER: "writeoff", headers.WINDOW: request.window}
    content = orjson.dumps({"kind": "writeoff", **orjson.loads(dump(result))})
    batch.deliver(
        request.window, Kind.NOTICE, message, request.mrn.encode(), content, extra, window=request.window,
        cause=f"writeoff {request.id} {result.is_done}",
    )  # fmt: skip
    batch.emit_event(
        "writeoff", message, window=request.window, operation=request.operation, mrn=request.mrn, line=request.line,
        is_done=result.is_done, reason=result.reason,
    )  # fmt: skip


def _judged(
    batch: Batch, number: bytes, request: Request, ledgers: tuple[Ledger, ...]
) -> tuple[MessageId, WriteoffResult]:
    """The message of the certificate, and the result. A window learns nothing of what was not sent to it."""
    meant = [
        one
        for one in ledgers
        if one.grant and one.is_open_to(request.window) and request.issuer in ("", one.grant.issuer)
        and request.kind in ("", one.kind)
    ]  # fmt: skip
    if len(meant) > 1:
        meant = [one for one in meant if not one.is_withdrawn] or meant[:1]
    if len(meant) != 1:
        issuers = ", ".join(f"{one.issuer} {one.kind}".strip() for one in meant)
        text = f"certificate {request.certificate} is of several: {issuers}; name issuer and kind" if meant else ""
        return MessageId(ids.message_id(request.window, request.id)), unknown(request, text)
    (before,) = meant
    ledger, result = apply(before, request, batch.now)
    if ledger != before:
        _keep(batch, number, tuple(ledger if one is before else one for one in ledgers))
    assert ledger.grant is not None  # noqa: S101 - asked above
    return ledger.grant.message, result


def _is_same(ledger: Ledger, issuer: str, kind: str) -> bool:
    """Whether it is the certificate of an issuer; of 0.1.0's ledgers nobody knows the kind."""
    owner = ledger.issuer or (ledger.grant.issuer if ledger.grant else "")
    return owner == issuer and (not kind or ledger.kind in ("", kind))


def _ledgers(batch: Batch, number: bytes) -> tuple[Ledger, ...]:
    entry = batch.stores.writeoff.get(number)
    return entry.ledgers if entry else ()


def _keep(batch: Batch, number: bytes, ledgers: tuple[Ledger, ...]) -> None:
    batch.remember(batch.stores.writeoff, number, Certificates(batch.now, ledgers))
