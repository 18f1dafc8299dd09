"""A document in its lane: duplicates, the line, its receipt or refusal, its deliveries, the facts about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from broker.answers.render import AtWindow
from broker.answers.way_back import Notification
from broker.model.documents import Message
from broker.model.findings import Finding, Severity
from broker.model.outcomes import Outcome
from broker.relay import headers, topics
from broker.relay.amendments import plan_names
from broker.relay.batch import places
from broker.relay.entries import Judged
from broker.relay.facts import AcceptedBy, DeclinedBy, DocumentAccepted, DocumentRepeated
from broker.relay.headers import Kind
from broker.relay.intake import received, to_lane
from broker.relay.notifications import notify_failed, notify_sender
from broker.relay.records import Produced, moment
from broker.relay.writeoff import plan_grant

if TYPE_CHECKING:
    from broker.model.documents import Payload
    from broker.model.errors import Refused as RefusedContent
    from broker.model.ids import ParticipantCode
    from broker.relay.batch import Batch
    from broker.relay.intake import IncomingDocument
    from broker.relay.records import Consumed

_LONGEST_ID = 128
"""Characters of a sender's own id that tracking lists."""
_OUR_FAULT = Finding(
    "broker.fault",
    "The broker could not judge this document, and the fault is ours. "
    "It is kept, and will be judged when the fault is mended.",
)
_OVER_BUDGET = Finding(
    "message.over-budget",
    "To hand this document on would take more records or bytes than one document may cause. It is kept; split it.",
)


def plan_document(batch: Batch, record: Consumed) -> None:
    """Everything that follows from a document, as records of one transaction.

    What was refused or became a dead letter is judged anew, whatever its content; its refusal keeps its id.
    """
    document = received(record, batch.context.max_content)
    if document.redrive_of and not first_redrive(batch, document.redrive_of, document.message_id):
        return
    known = batch.stores.duplicates.get(document.name)
    if known and known.verdict == "accepted":
        if known.sha256 == document.sha256:
            _repeat(batch, document)
        else:
            _refuse(batch, document, _conflict(document, known), event="conflict")
        return
    lane = batch.context.accepted_in(document.name) if known is None else None
    if lane is not None and lane != batch.lane and record.topic != topics.INTAKE:
        to_lane(batch, record, lane)
        return
    outcome = _judge(batch, document)
    if outcome.payload is not None:
        _accept(batch, document, outcome, outcome.payload)
    else:
        _refuse(batch, document, outcome, event="refused")
        batch.remember(batch.stores.duplicates, document.name, Judged(batch.now, "refused", document.sha256))


def refuse_envelope(batch: Batch, record: Consumed, refusal: RefusedContent) -> None:
    """An envelope that cannot be taken apart is refused as a whole."""
    document = received(record, batch.context.max_content)
    message = Message(document.message_id, document.content, document.sender)
    _refuse(batch, document, Outcome(message, None, refusal.findings), event="refused")


def first_redrive(batch: Batch, redrive_of: str, message: str) -> bool:
    """Whether this dead letter comes back for the first time; a second redrive of the same has no effect."""
    if was_redriven(batch, redrive_of, message):
        return False
    note_redrive(batch, redrive_of, message)
    return True


def was_redriven(batch: Batch, redrive_of: str, message: str) -> bool:
    """Whether this dead letter came back before; then an event is emitted."""
    if not batch.stores.duplicates.get(_redrive_key(redrive_of)):
        return False
    by = batch.source.header(headers.REDRIVEN_BY)
    batch.emit_event("redrive-repeated", message, redrive_of=redrive_of, by=by)
    return True


def note_redrive(batch: Batch, redrive_of: str, message: str) -> None:
    """Remember that this dead letter came back."""
    batch.remember(batch.stores.duplicates, _redrive_key(redrive_of), Judged(batch.now, "redriven"))
    batch.emit_event("redriven", message, redrive_of=redrive_of, by=batch.source.header(headers.REDRIVEN_BY))


def _redrive_key(redrive_of: str) -> bytes:
    return f"redrive {redrive_of}".encode()


def dead_letter_document(batch: Batch, record: Consumed, reason: str, error: str) -> None:
    """The document is kept, and its sender notified: the fault is ours, or it would cause more than any may."""
    document = received(record, batch.context.max_content)
    kept = record.headers if record.topic == topics.INTAKE else headers.of_sender(record.headers)
    batch.dead_letter(Produced(document.origin.topic, record.key, record.value, kept), reason, document.origin)
    batch.remember(batch.stores.duplicates, document.name, Judged(batch.now, "dead", document.sha256))
    finding = _OVER_BUDGET if reason == "over-budget" else _OUR_FAULT
    notification = _notification(batch, document, Kind.NOTICE, "failed", findings=(finding,))
    notify_sender(batch, notification, document.key, cause=f"{document.sha256}{document.redrive_of}")
    about = {**_about(document), **_listed(document)}
    batch.emit_event("deadletter", document.message_id, **about, reason=reason, origin=str(document.origin))
    batch.log("message.failed", **_line(document), reason=reason, error=error[:300])


# --- the verdicts -----------------------------------------------------------------------------------------------------


def _judge(batch: Batch, document: IncomingDocument) -> Outcome:
    now = datetime.fromtimestamp(batch.now / 1000, UTC)
    message = Message(document.message_id, document.content, document.sender, document.skipped, now)
    if document.oversize:
        limit = batch.context.max_content
        finding = Finding("content.too-large", f"The document has {document.oversize} bytes; the limit is {limit}.")
        return Outcome(message, None, (finding,))
    return batch.context.process(message)


def _repeat(batch: Batch, document: IncomingDocument) -> None:
    """Accepted before: whoever owns the conversation sends the receipt and the latest decision again, if so agreed."""
    batch.emit_event("repeat", document.message_id, **_about(document), origin=str(document.origin))
    sender = batch.context.participants.get(document.sender)
    if sender is None or sender.policy.duplicates == "answer":
        batch.send_fact(DocumentRepeated(at=batch.now, message_id=document.message_id))
    batch.log("message.repeated", **_line(document))


def _conflict(document: IncomingDocument, known: Judged) -> Outcome:
    finding = Finding(
        "message.conflict",
        f"This id was used on {moment(known.at)} for other content, which was accepted. "
        "Send changed content under a new id.",
    )
    return Outcome(Message(document.message_id, b"", document.sender), None, (finding,))


def _refuse(batch: Batch, document: IncomingDocument, outcome: Outcome, *, event: str) -> None:
    """The refusal and nothing else; a conflict leaves no trace in the history of the first document."""
    document_type, findings = outcome.document_type or "", outcome.findings
    notification = _notification(batch, document, Kind.REFUSAL, "refused", outcome, findings)
    extra = {headers.DOCUMENT_TYPE: document_type}
    notify_sender(batch, notification, document.key, cause=document.sha256, extra=extra)
    size = document.oversize or len(document.content)
    about = {**_about(document), "document_type": document_type, "origin": str(document.origin), "size": size}
    batch.emit_event(event, document.message_id, **about, **_listed(document), findings=places(findings))
    codes = sorted({f.code for f in findings})[:10]
    label = batch.context.mapping_label(outcome.document_type) if outcome.document_type else ""
    batch.log(f"message.{event}", **_line(document), document_type=document_type, mapping=label, codes=codes)


def _accept(batch: Batch, document: IncomingDocument, outcome: Outcome, payload: Payload) -> None:
    """A receipt, a payload to each window or a notice that there is none, what is remembered, the facts."""
    name = outcome.document_type or ""
    label = batch.context.mapping_label(outcome.document_type) if outcome.document_type else ""
    common = {headers.DOCUMENT_TYPE: name, headers.MAPPING: label}
    findings = outcome.findings + _claimed(batch, document)
    receipt = _notification(batch, document, Kind.RECEIPT, "received", outcome, findings)
    goes_to = tuple(AtWindow(str(window), "waiting") for window in outcome.windows)
    notify_sender(batch, replace(receipt, windows=goes_to), document.key, extra=common)
    routed = tuple(AcceptedBy(r.participant, r.rule or "") for r in outcome.routings if r.is_accepted)
    unrouted = () if routed else tuple(DeclinedBy(r.participant, r.reason) for r in outcome.routings)
    about = {**_about(document), "document_type": name, "mapping": label}
    names = batch.context.names(payload)
    batch.emit_event(
        "received", document.message_id, **about, **_listed(document), origin=str(document.origin),
        size=len(document.content), number=names[0].number if names[0] else "",
        declarant=batch.context.declarant(payload), routed=routed, findings=places(findings),
    )  # fmt: skip
    delivered, failed = _deliver(batch, document, outcome, payload, common)
    if not routed:
        notification = _notification(batch, document, Kind.NOTICE, "not_routed", outcome, _reasons(outcome))
        notify_sender(batch, notification, document.key, cause="not_routed", extra=common)
        batch.emit_event("not_routed", document.message_id, **about)
    batch.remember(batch.stores.duplicates, document.name, Judged(batch.now, "accepted", document.sha256))
    batch.send_fact(
        DocumentAccepted(
            at=batch.now, message_id=document.message_id, sender=document.sender, document_type=name, mapping=label,
            sha256=document.sha256, key=None if document.key is None else document.key.decode("latin-1"),
            origin=document.origin, part=document.part,
            skipped=document.skipped, routed=routed, unrouted=unrouted, delivered=tuple(delivered),
        )
    )  # fmt: skip
    plan_names(batch, document, names)
    if outcome.document_type:
        plan_grant(batch, document, outcome.document_type, payload, names, outcome.windows)
    for window, reason in failed.items():
        notify_failed(
            batch, document.message_id, document.sender, document.key, window=window, reason=reason, document_type=name
        )
    about = {**_line(document), "document_type": name, "mapping": label}
    batch.log("message.accepted", **about, routed=len(routed), delivered=delivered)


def _deliver(
    batch: Batch, document: IncomingDocument, outcome: Outcome, payload: Payload, common: dict[str, str]
) -> tuple[list[ParticipantCode], dict[ParticipantCode, str]]:
    """The windows that have it now, and those that cannot have it, with the reason; the others wait."""
    delivered: list[ParticipantCode] = []
    failed: dict[ParticipantCode, str] = {}
    about = {**_about(document), "document_type": outcome.document_type}
    extra = {headers.SENDER: document.sender, **common}
    for window in outcome.windows:
        route = batch.deliver(window, Kind.PAYLOAD, document.message_id, document.key, payload.content, extra)
        if route.to == "inbox":
            delivered.append(window)
            batch.emit_event("delivered", document.message_id, **about, window=window)
        elif route.to == "retry":
            batch.emit_event("waiting", document.message_id, **about, window=window, reason=route.reason)
        else:
            failed[window] = route.reason
    return delivered, failed


def _reasons(outcome: Outcome) -> tuple[Finding, ...]:
    """Why no window takes it, each with its own reason."""
    return tuple(
        Finding("route.not-accepted", r.reason, Severity.WARNING, value=str(r.participant)) for r in outcome.routings
    )


def _claimed(batch: Batch, document: IncomingDocument) -> tuple[Finding, ...]:
    """A warning when the headers name another participant: the sender is who owns the topic."""
    claimed = document.claimed.rstrip("/").rpartition("/")[2]
    if claimed == document.sender or claimed not in batch.context.participants:
        return ()
    text = f"The header ce_source names {claimed}; the topic belongs to {document.sender}, who counts as the sender."
    return (Finding("message.source", text, severity=Severity.WARNING, value=claimed),)


# --- words ------------------------------------------------------------------------------------------------------------


def _notification(  # noqa: PLR0917 - the parts of a sentence
    batch: Batch,
    document: IncomingDocument,
    kind: Kind,
    state: str,
    outcome: Outcome | None = None,
    findings: tuple[Finding, ...] = (),
) -> Notification:
    return Notification(
        kind,
        document.message_id,
        document.sender,
        (outcome and outcome.document_type) or "",
        state,
        at=batch.at,
        findings=findings,
        document=outcome.document if outcome else None,
    )


def _about(document: IncomingDocument) -> dict[str, str]:
    return {"sender": document.sender, "sha256": document.sha256}


def _listed(document: IncomingDocument) -> dict[str, str | int | None]:
    """What else of a document tracking lists: the sender's own id, its trace, which part of an envelope it is."""
    sender_id = document.ce_id[:_LONGEST_ID]
    return {"sender_id": sender_id, "trace_id": document.trace_id, "part": document.part or None}


def _line(document: IncomingDocument) -> dict[str, Any]:
    """What the one log line says of every document, whatever became of it; ``since`` becomes its milliseconds."""
    return {
        "message_id": document.message_id,
        "conversation_id": document.message_id,
        "sender": document.sender,
        "size": document.oversize or len(document.content),
        "origin": str(document.origin),
        "since": document.written_at,
        "trace_id": document.trace_id or None,
    }
