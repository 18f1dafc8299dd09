"""What a committed batch adds to the numbers, and how a worker's share stands when Prometheus asks.

The numbers are made from what the batch says of itself (its log events and its records): one truth for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from broker import metrics
from broker.relay import headers, topics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from broker.metrics import Meter
    from broker.relay.records import Consumed, Produced

Fields = dict[str, Any]


def count_batch(
    meter: Meter, taken: Iterable[Consumed], written: Iterable[Produced], said: Iterable[tuple[str, Fields]], now: int
) -> None:
    """A batch was committed at that time (milliseconds)."""
    for record in taken:
        meter.add(metrics.RECORDS)
        if sender := topics.writer_of(record.topic):
            meter.set(metrics.LAST_SEEN, record.timestamp / 1000, sender=str(sender))
            meter.set(metrics.CLOCK, max(0.0, (record.timestamp - now) / 1000))
    for produced in written:
        if produced.topic == topics.DEADLETTER:
            meter.add(metrics.DEADLETTERS, reason=short(produced.header(headers.REASON)))
    for event, fields in said:
        _HEARD.get(event, _nothing)(meter, event, fields)


def short(reason: str) -> str:
    """A reason as a label: one of few, whatever an exception called itself."""
    return reason.partition(":")[0][:40] or "unknown"


def set_share(
    meter: Meter, lags: Mapping[str, int], oldest: Mapping[str, float], expected: int, circuits: Mapping[str, bool]
) -> None:
    """How the share of this worker stands now."""
    meter.set(metrics.LANES_EXPECTED, expected)
    meter.clear(metrics.OLDEST)
    for sender, lag in lags.items():
        meter.set(metrics.LAG, lag, sender=sender)
    for sender, at in oldest.items():
        meter.set(metrics.OLDEST, at, sender=sender)
    for window, is_open in circuits.items():
        meter.set(metrics.CIRCUIT, float(is_open), window=window)


# --- one for each event that counts -----------------------------------------------------------------------------------


def _nothing(_meter: Meter, _event: str, _fields: Fields) -> None:
    return


def _document(meter: Meter, event: str, fields: Fields) -> None:
    outcome = event.partition(".")[2]
    if outcome == "accepted" and not fields.get("routed"):
        outcome = "not_routed"
    kind = str(fields.get("document_type") or "")
    meter.add(metrics.DOCUMENTS, sender=str(fields.get("sender", "")), document_type=kind, outcome=outcome)
    for window in fields.get("delivered") or ():
        meter.add(metrics.DELIVERIES, window=window)
    for code in fields.get("codes") or ():
        meter.add(metrics.REFUSALS, code=code, document_type=kind, mapping=fields.get("mapping") or "")
    if "milliseconds" in fields:
        meter.observe(metrics.TO_INBOX_SECONDS, fields["milliseconds"] / 1000, document_type=kind)


def _delivered(meter: Meter, _event: str, fields: Fields) -> None:
    meter.add(metrics.DELIVERIES, window=fields["window"])


def _given_up(meter: Meter, _event: str, fields: Fields) -> None:
    meter.add(metrics.DELIVERY_FAILURES, window=fields["window"], reason=short(fields["reason"]))


def _answered(meter: Meter, _event: str, fields: Fields) -> None:
    meter.add(metrics.ANSWERS, window=fields["window"], state=fields["state"])
    if "milliseconds" in fields:
        meter.observe(metrics.TO_ANSWER_SECONDS, fields["milliseconds"] / 1000, window=fields["window"])


def _overdue(meter: Meter, event: str, fields: Fields) -> None:
    level = "no_answer" if event == "message.no_answer" else str(fields["level"])
    meter.add(metrics.OVERDUE, window=fields["window"], level=level)


_DOCUMENTS = ("accepted", "refused", "conflict", "repeated", "failed")
_HEARD: dict[str, Callable[[Meter, str, Fields], None]] = {
    **{f"message.{outcome}": _document for outcome in _DOCUMENTS},
    "delivery.made": _delivered,
    "delivery.failed": _given_up,
    "message.answered": _answered,
    "message.overdue": _overdue,
    "message.no_answer": _overdue,
}
