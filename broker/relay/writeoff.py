"""Write-off: certificates grant quantities, windows reserve and use them up, in the lane that owns the certificate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import orjson
from pydantic import ValidationError

from broker.model.ids import MessageId, ParticipantCode
from broker.relay import headers, ids
from broker.relay.entries import Certificate
from broker.relay.facts import CertificateGranted, CertificateWithdrawn, WriteoffRequested
from broker.relay.headers import Kind
from broker.relay.ledger import Ledger, apply, dump, read_request, register, withdraw
from broker.relay.records import Produced

if TYPE_CHECKING:
    from broker.model.documents import Payload
    from broker.model.ids import DocumentTypeName
    from broker.registry.relations import Names
    from broker.relay.batch import Batch
    from broker.relay.intake import IncomingDocument
    from broker.relay.records import Consumed, Place


def plan_grant(
    batch: Batch, document: IncomingDocument, kind: DocumentTypeName, payload: Payload, names: Names
) -> None:
    """What an accepted certificate grants, told to its owner; and the end of a certificate that it replaces."""
    own, relations = names
    gone = {relation.document for relation in relations if relation.does != "corrects"}
    for name in gone:
        batch.send_fact(
            CertificateWithdrawn(
                at=batch.now, owner=name.number.encode(), issuer=document.sender, by=document.message_id
            )
        )
    grant = batch.context.grant(kind, payload, document.message_id, document.sender)
    if own is not None and own not in gone and grant is not None and grant.lines:
        batch.send_fact(CertificateGranted(at=batch.now, owner=own.number.encode(), grant=grant))


def plan_request(batch: Batch, record: Consumed, window: ParticipantCode, origin: Place) -> None:
    """A window's request, on to the owner of the certificate; what cannot be read is kept, and the window is told."""
    try:
        request = replace(read_request(record.content), window=window)
    except ValidationError as error:
        batch.dead_letter(
            Produced(origin.topic, record.key, record.value, record.headers), "writeoff-unreadable", origin
        )
        batch.emit_event("writeoff-unreadable", "", window=window, origin=str(origin))
        faults = [
            {"code": "writeoff.unreadable", "value": ".".join(map(str, e["loc"])), "message": e["msg"]}
            for e in error.errors()
        ]
        told = orjson.dumps({"kind": "writeoff", "is_done": False, "findings": faults})
        message = MessageId(ids.message_id(window, record.header(headers.CE_ID) or ids.content_id(record.content)))
        batch.deliver(window, Kind.NOTICE, message, record.key, told, {headers.CONTENT_TYPE: headers.JSON})
        return
    batch.send_fact(WriteoffRequested(owner=request.certificate.encode(), origin=origin, request=request))


# --- in the lane of the certificate -----------------------------------------------------------------------------------


def certificate_granted(batch: Batch, fact: CertificateGranted) -> None:
    """A certificate grants once; a second one of the same number changes nothing and is alarmed."""
    grant = fact.grant
    ledger, stands = register(_ledger(batch, fact.owner), grant)
    if stands:
        _keep(batch, ledger)
        return
    batch.emit_event("writeoff-conflict", grant.message, sender=grant.issuer, certificate=ledger.certificate)
    batch.log("writeoff.conflict", message_id=grant.message, sender=grant.issuer)


def certificate_withdrawn(batch: Batch, fact: CertificateWithdrawn) -> None:
    """Only who issued a certificate can end it."""
    ledger = _ledger(batch, fact.owner)
    if ledger.grant is not None and ledger.grant.issuer == fact.issuer:
        _keep(batch, withdraw(ledger))


def writeoff_requested(batch: Batch, fact: WriteoffRequested) -> None:
    """The request judged on all before it, and a notice to the window: the same again for a repeat."""
    request, before = fact.request, _ledger(batch, fact.owner)
    ledger, result = apply(before, request)
    if ledger != before:
        _keep(batch, ledger)
    message = ledger.grant.message if ledger.grant else MessageId(ids.message_id(request.window, request.id))
    extra = {headers.CONTENT_TYPE: headers.JSON, headers.STATE_HEADER: "writeoff", headers.WINDOW: request.window}
    content = orjson.dumps({"kind": "writeoff", **orjson.loads(dump(result))})
    batch.deliver(
        request.window, Kind.NOTICE, message, request.mrn.encode(), content, extra,
        window=request.window, cause=f"writeoff {request.id} {result.is_done}",
    )  # fmt: skip
    batch.emit_event(
        "writeoff", message, window=request.window, operation=request.operation, mrn=request.mrn, line=request.line,
        is_done=result.is_done, reason=result.reason,
    )  # fmt: skip


def _ledger(batch: Batch, certificate: bytes) -> Ledger:
    entry = batch.stores.writeoff.get(certificate)
    return entry.ledger if entry else Ledger(certificate.decode())


def _keep(batch: Batch, ledger: Ledger) -> None:
    batch.remember(batch.stores.writeoff, ledger.certificate.encode(), Certificate(batch.now, ledger))
