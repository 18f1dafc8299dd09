"""What cannot be taken as it came: kept among the dead letters with its place, and its sender is notified.

A record is the unit of blame. What Kafka holds and nobody can read (a header name that is no UTF-8, a batch that
unpacks to more than any record may hold), and what is larger in key or headers than anything that is written for it
could carry, is stepped over; the records around it go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.answers.way_back import Notification
from broker.model.findings import Finding
from broker.relay import headers, ids, topics
from broker.relay.headers import Kind
from broker.relay.notifications import notify_sender
from broker.relay.records import Produced, WireFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from broker.relay.batch import Batch
    from broker.relay.headers import Header
    from broker.relay.records import Consumed

MOST_KEY_BYTES = 4096
"""A key orders documents; it names one, and does not hold it."""
MOST_HEADER_BYTES = 64 * 1024
"""Names and values of a record's headers together."""

_SENTENCES = {
    "header-name": "the name of a header is not UTF-8",
    "headers-too-many": "it has more headers than 1,000",
    "headers-too-large": f"its headers take more than {MOST_HEADER_BYTES:,} bytes",
    "key-too-large": f"its key takes more than {MOST_KEY_BYTES:,} bytes",
    "unpacks-too-large": "its batch is compressed and unpacks to more than a record may hold",
    "undecodable": "its bytes are not those of a record",
}


def too_large(topic: str, key: bytes | None, given: Sequence[Header]) -> str:
    """What of a participant's record is larger than it may be: ``key-too-large``, ``headers-too-large``, or nothing."""
    if topics.writer_of(topic) is None:
        return ""
    if len(key or b"") > MOST_KEY_BYTES:
        return "key-too-large"
    size = sum(len(name) + len(value) for name, value in given)
    return "headers-too-large" if size > MOST_HEADER_BYTES else ""


def plan_unreadable(batch: Batch, record: Consumed, fault: WireFault) -> None:
    """A dead letter by place and with what could be had of its bytes; where somebody sent it, a notice."""
    sender, place = topics.writer_of(record.topic), record.place
    reason = f"unreadable: {fault.reason}"
    kept = headers.of_sender(record.headers) if sender else record.headers
    if fault.last_offset > record.offset:
        kept += headers.encoded({headers.ORIGIN_LAST: str(fault.last_offset)})
    batch.dead_letter(Produced(record.topic, record.key, record.value, kept), reason)
    message = ids.message_id(sender or "swb", record.header(headers.CE_ID) or f"unreadable {place}")
    if sender is not None and sender in batch.context.participants:
        key = record.key if len(record.key or b"") <= MOST_KEY_BYTES else message.encode()
        finding = Finding("record.unreadable", _sentence(record, fault))
        notification = Notification(Kind.NOTICE, message, sender, "", "failed", at=batch.at, findings=(finding,))
        notify_sender(batch, notification, key, cause=f"unreadable {place}")
    batch.emit_event("deadletter", message, sender=sender, reason=reason, origin=str(place))
    batch.log("record.buried", origin=str(place), to=fault.last_offset, reason=fault.reason)


def _sentence(record: Consumed, fault: WireFault) -> str:
    what = f"The record at offset {record.offset}"
    if fault.last_offset > record.offset:
        what = f"What lies at offsets {record.offset} to {fault.last_offset}"
    why = _SENTENCES.get(fault.reason, fault.reason)
    return (
        f"{what} of {record.topic}, partition {record.partition}, cannot be taken: {why}. "
        "It was not judged. Send it again, mended, under the same id."
    )
