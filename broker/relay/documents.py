"""A document in its lane: duplicates, the line, its receipt or refusal, its deliveries, the facts about it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from broker.answers.render import AtWindow
from broker.answers.way_back import Telling
from broker.model.documents import Message
from broker.model.findings import Finding, Severity
from broker.model.outcomes import Outcome
from broker.relay import headers, topics
from broker.relay.amendments import plan_names
from broker.relay.batch import pointers
from broker.relay.facts import Fact
from broker.relay.headers import Kind
from broker.relay.intake import received
from broker.relay.notifications import tell_failed, tell_sender
from broker.relay.records import Produced, moment
from broker.relay.writeoff import plan_grant

if TYPE_CHECKING:
    from broker.model.documents import Payload
    from broker.relay.batch import Draft
    from broker.relay.intake import Received
    from broker.relay.records import Consumed
    from broker.relay.stores import Entry


def plan_document(draft: Draft, record: Consumed) -> None:
    """Everything that follows from a document, as records of one transaction.

    What was refused or became a dead letter is judged anew, whatever its content; its refusal keeps its id.
    """
    document = received(record, draft.rules.max_content)
    if document.redrive_of and not first_redrive(draft, document.redrive_of, document.message_id):
        return
    known = draft.memory.duplicates.get(document.name)
    if known and known["verdict"] == "accepted":
        if known["sha256"] == document.sha256:
            _repeat(draft, document)
        else:
            _refuse(draft, document, _conflict(document, known), event="conflict")
        return
    outcome = _judge(draft, document)
    if outcome.payload is not None:
        _accept(draft, document, outcome, outcome.payload)
    else:
        _refuse(draft, document, outcome, event="refused")
        draft.remember(draft.memory.duplicates, document.name, {"sha256": document.sha256, "verdict": "refused"})


def first_redrive(draft: Draft, redrive_of: str, message: str) -> bool:
    """Whether this dead letter comes back for the first time; a second redrive of the same has no effect."""
    name, by = f"redrive {redrive_of}".encode(), draft.source.header(headers.REDRIVEN_BY)
    if draft.memory.duplicates.get(name):
        draft.track("redrive-repeated", message, redrive_of=redrive_of, by=by)
        return False
    draft.remember(draft.memory.duplicates, name, {"redrive_of": redrive_of})
    draft.track("redriven", message, redrive_of=redrive_of, by=by)
    return True


def bury_document(draft: Draft, record: Consumed, error: str) -> None:
    """An exception that nobody foresaw: the document is kept, and its sender hears that the fault is ours."""
    document = received(record, draft.rules.max_content)
    reason = f"unforeseen: {error.partition(':')[0]}"
    kept = record.headers if record.topic == topics.INTAKE else headers.of_sender(record.headers)
    draft.bury(Produced(document.origin.topic, record.key, record.value, kept), reason, document.origin)
    draft.remember(draft.memory.duplicates, document.name, {"sha256": document.sha256, "verdict": "dead"})
    finding = {
        "code": "broker.fault",
        "severity": "error",
        "message": "The broker could not judge this document, and the fault is ours. "
        "It is kept, and will be judged when the fault is mended.",
    }
    telling = _telling(draft, document, Kind.NOTICE, "failed", findings=(finding,))
    tell_sender(draft, telling, document.key, cause=f"{document.sha256}{document.redrive_of}")
    draft.track("deadletter", document.message_id, **_about(document), reason=reason, origin=str(document.origin))
    draft.say("message.failed", **_ids(document), reason=reason, error=error[:300])


# --- the verdicts -----------------------------------------------------------------------------------------------------


def _judge(draft: Draft, document: Received) -> Outcome:
    message = Message(document.message_id, document.content, document.sender)
    if document.oversize:
        limit = draft.rules.max_content
        finding = Finding("content.too-large", f"The document has {document.oversize} bytes; the limit is {limit}.")
        return Outcome(message, None, (finding,))
    return draft.rules.process(message)


def _repeat(draft: Draft, document: Received) -> None:
    """Accepted before: whoever owns the conversation sends the receipt and the latest decision again, if so agreed."""
    draft.track("repeat", document.message_id, **_about(document), origin=str(document.origin))
    sender = draft.rules.participants.get(document.sender)
    if sender is None or sender.policy.duplicates == "answer":
        draft.tell(Fact.REPEAT, document.name, {"message_id": document.message_id})
    draft.say("message.repeated", **_ids(document))


def _conflict(document: Received, known: Entry) -> Outcome:
    finding = Finding(
        "message.conflict",
        f"This id was used on {moment(known['at'])} for other content, which was accepted. "
        "Send changed content under a new id.",
    )
    return Outcome(Message(document.message_id, b"", document.sender), None, (finding,))


def _refuse(draft: Draft, document: Received, outcome: Outcome, *, event: str) -> None:
    """The refusal and nothing else; a conflict leaves no trace in the history of the first document."""
    document_type, findings = outcome.document_type or "", outcome.findings
    telling = _telling(draft, document, Kind.REFUSAL, "refused", outcome, tuple(f.as_json() for f in findings))
    extra = {headers.DOCUMENT_TYPE: document_type}
    tell_sender(draft, telling, document.key, cause=document.sha256, extra=extra)
    size = document.oversize or len(document.content)
    about = {**_about(document), "document_type": document_type, "origin": str(document.origin), "size": size}
    draft.track(event, document.message_id, **about, findings=pointers(findings))
    codes = sorted({f.code for f in findings})[:10]
    draft.say(f"message.{event}", **_ids(document), document_type=document_type, codes=codes)


def _accept(draft: Draft, document: Received, outcome: Outcome, payload: Payload) -> None:
    """A receipt, a payload to each window or a notice that there is none, the memory, the facts."""
    name = outcome.document_type or ""
    label = draft.rules.mapping_label(outcome.document_type) if outcome.document_type else ""
    common = {headers.DOCUMENT_TYPE: name, headers.MAPPING: label}
    findings = outcome.findings + _claimed(draft, document)
    receipt = _telling(draft, document, Kind.RECEIPT, "received", outcome, tuple(f.as_json() for f in findings))
    goes_to = tuple(AtWindow(str(window), "waiting") for window in outcome.windows)
    tell_sender(draft, replace(receipt, windows=goes_to), document.key, extra=common)
    routed = [{"window": r.participant, "rule": r.rule} for r in outcome.routings if r.is_accepted]
    unrouted = [] if routed else [{"window": r.participant, "reason": r.reason} for r in outcome.routings]
    about = {**_about(document), "document_type": name, "mapping": label}
    draft.track(
        "received", document.message_id, **about, origin=str(document.origin), size=len(document.content),
        routed=routed, findings=pointers(findings),
    )  # fmt: skip
    delivered, failed = _deliver(draft, document, outcome, payload, common)
    if not routed:
        telling = _telling(draft, document, Kind.NOTICE, "not_routed", outcome, _reasons(outcome))
        tell_sender(draft, telling, document.key, cause="not_routed", extra=common)
        draft.track("not_routed", document.message_id, **about)
    draft.remember(draft.memory.duplicates, document.name, {"sha256": document.sha256, "verdict": "accepted"})
    facts = {
        **about,
        "message_id": document.message_id,
        "key": None if document.key is None else document.key.decode("latin-1"),
        "origin": [document.origin.topic, document.origin.partition, document.origin.offset],
        "routed": routed,
        "unrouted": unrouted,
        "delivered": delivered,
    }
    draft.tell(Fact.ACCEPTED, document.name, facts)
    names = draft.rules.names(payload)
    plan_names(draft, document, names, payload.content, {**common, headers.DELIVERED_TO: ",".join(delivered)})
    if outcome.document_type:
        plan_grant(draft, document, outcome.document_type, payload, names)
    for window, reason in failed.items():
        tell_failed(
            draft, document.message_id, document.sender, document.key, window=window, reason=reason, document_type=name
        )
    draft.say("message.accepted", **_ids(document), document_type=name, routed=len(routed), delivered=delivered)


def _deliver(
    draft: Draft, document: Received, outcome: Outcome, payload: Payload, common: dict[str, str]
) -> tuple[list[str], dict[str, str]]:
    """The windows that have it now, and those that cannot have it, with the reason; the others wait."""
    delivered, failed = [], {}
    about = {**_about(document), "document_type": outcome.document_type}
    extra = {headers.SENDER: document.sender, **common}
    for window in outcome.windows:
        way = draft.deliver(window, Kind.PAYLOAD, document.message_id, document.key, payload.content, extra)
        if way.to == "inbox":
            delivered.append(str(window))
            draft.track("delivered", document.message_id, **about, window=window)
        elif way.to == "retry":
            draft.track("waiting", document.message_id, **about, window=window, reason=way.reason)
        else:
            failed[str(window)] = way.reason
    return delivered, failed


def _reasons(outcome: Outcome) -> tuple[dict[str, Any], ...]:
    """Why no window takes it, each with its own reason."""
    return tuple(
        {"code": "route.not-accepted", "severity": "warning", "value": str(r.participant), "message": r.reason}
        for r in outcome.routings
    )


def _claimed(draft: Draft, document: Received) -> tuple[Finding, ...]:
    """A warning when the headers name another participant: the sender is who owns the topic."""
    claimed = document.claimed.rstrip("/").rpartition("/")[2]
    if claimed == document.sender or claimed not in draft.rules.participants:
        return ()
    said = f"The header ce_source names {claimed}; the topic belongs to {document.sender}, who counts as the sender."
    return (Finding("message.source", said, severity=Severity.WARNING, value=claimed),)


# --- words ------------------------------------------------------------------------------------------------------------


def _telling(  # noqa: PLR0917 - the parts of a sentence
    draft: Draft,
    document: Received,
    kind: Kind,
    state: str,
    outcome: Outcome | None = None,
    findings: tuple[dict[str, Any], ...] = (),
) -> Telling:
    return Telling(
        kind,
        document.message_id,
        document.sender,
        (outcome and outcome.document_type) or "",
        state,
        at=draft.at,
        findings=findings,
        document=outcome.document if outcome else None,
    )


def _about(document: Received) -> dict[str, str]:
    return {"sender": document.sender, "sha256": document.sha256}


def _ids(document: Received) -> dict[str, str]:
    message = document.message_id
    return {"message_id": message, "conversation_id": message, "sender": document.sender}
