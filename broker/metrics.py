"""Every number that Prometheus may ask for: its name, unit, labels and meaning, declared once; and who counts them.

Names follow the conventions of the field: ``swb_`` before, the base unit and ``_total`` behind. Dashboards and alert
rules (``docker/``) speak of these names alone, and a test holds them to it. Nothing here knows the form in which they
are served: that a worker counts costs it a dictionary.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Kind = Literal["counter", "gauge", "histogram"]
Values = tuple[str, ...]
"""Of the labels, in the order of their declaration."""

QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds of what a processor does."""
SLOW = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0, 86_400.0)
"""Seconds of what waits for others."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One declared name."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """The names under which its values are found."""
        if self.kind != "histogram":
            return (self.name,)
        return tuple(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))


# --- served by a worker -----------------------------------------------------------------------------------------------

RECORDS = Metric("swb_records_moved_total", "counter", "Records moved since the start.")
READY = Metric("swb_ready", "gauge", "1 when all lanes of this worker work.")
ALIVE = Metric("swb_alive", "gauge", "1 while records move, or none waits.")
LANES = Metric("swb_lanes_held", "gauge", "Lanes that this worker holds.")
LANES_EXPECTED = Metric("swb_lanes_expected", "gauge", "Lanes of the whole installation; the workers share them.")
LANELESS = Metric("swb_laneless_seconds_total", "counter", "Seconds that this worker stood without an open lane.")
LAG = Metric("swb_lag_records", "gauge", "Records in a participant's outbox that wait for this worker.", ("sender",))
OLDEST = Metric(
    "swb_oldest_waiting_timestamp_seconds", "gauge",
    "When the oldest record was written that this worker has fetched and not done; absent when there is none.",
    ("sender",),
)  # fmt: skip
LAST_SEEN = Metric(
    "swb_last_seen_timestamp_seconds", "gauge", "When a participant wrote the last record seen of it.", ("sender",)
)
DOCUMENTS = Metric(
    "swb_documents_total", "counter",
    "Documents by what became of them: accepted, not_routed, refused, conflict, repeated, failed.",
    ("sender", "document_type", "outcome"),
)  # fmt: skip
REFUSALS = Metric(
    "swb_refusals_total", "counter", "Findings for which documents were refused.", ("code", "document_type", "mapping")
)
DELIVERIES = Metric("swb_deliveries_total", "counter", "Payloads laid into a window's inbox.", ("window",))
DELIVERY_FAILURES = Metric(
    "swb_delivery_failures_total", "counter", "Deliveries given up: each is a dead letter.", ("window", "reason")
)
ANSWERS = Metric(
    "swb_answers_total", "counter", "Answers of windows, by the state that they mean.", ("window", "state")
)
OVERDUE = Metric("swb_overdue_total", "counter", "Times that a limit of waiting passed.", ("window", "level"))
DEADLETTERS = Metric("swb_deadletters_total", "counter", "Records that became dead letters.", ("reason",))
CIRCUIT = Metric(
    "swb_circuit_open", "gauge", "1 while a participant's inbox is left alone after failures.", ("window",)
)
BATCH_SECONDS = Metric("swb_batch_seconds", "histogram", "From the first plan of a batch to its commit.", (), QUICK)
COMMIT_SECONDS = Metric("swb_commit_seconds", "histogram", "One Kafka transaction, begun to committed.", (), QUICK)
LINE_SECONDS = Metric(
    "swb_line_seconds", "histogram", "One document on the line: detect to route.", ("document_type",), QUICK
)
TO_INBOX_SECONDS = Metric(
    "swb_outbox_to_inbox_seconds", "histogram",
    "From the sender's record to the commit of its deliveries, by the clocks of producer and worker.",
    ("document_type",), SLOW,
)  # fmt: skip
TO_ANSWER_SECONDS = Metric(
    "swb_outbox_to_answer_seconds",
    "histogram",
    "From the receipt of a document to a window's answer.",
    ("window",),
    SLOW,
)
CLOCK = Metric(
    "swb_clock_difference_seconds", "gauge", "How far the last record seen was written in this worker's future."
)
MAPPING_INFO = Metric("swb_mapping_info", "gauge", "1 for each mapping that this worker translates with.", ("mapping",))

WORKER = (
    RECORDS, READY, ALIVE, LANES, LANES_EXPECTED, LANELESS, LAG, OLDEST, LAST_SEEN, DOCUMENTS, REFUSALS, DELIVERIES,
    DELIVERY_FAILURES, ANSWERS, OVERDUE, DEADLETTERS, CIRCUIT, BATCH_SECONDS, COMMIT_SECONDS, LINE_SECONDS,
    TO_INBOX_SECONDS, TO_ANSWER_SECONDS, CLOCK, MAPPING_INFO,
)  # fmt: skip

# --- served by the console, from its read model -----------------------------------------------------------------------

OUTSTANDING = Metric("swb_answers_outstanding", "gauge", "Deliveries that no verdict has come for.", ("window",))
OLDEST_OUTSTANDING = Metric(
    "swb_oldest_outstanding_timestamp_seconds", "gauge", "When the oldest of these was delivered.", ("window",)
)
DEADLETTERS_OPEN = Metric("swb_deadletters_open", "gauge", "Dead letters neither redriven nor closed.", ("reason",))
EVENTS_READ = Metric("swb_console_events_total", "counter", "Tracking events that this console has read.")
EVENTS_BEHIND = Metric("swb_console_behind_records", "gauge", "Tracking events that it has yet to read.")

CONSOLE = (OUTSTANDING, OLDEST_OUTSTANDING, DEADLETTERS_OPEN, EVENTS_READ, EVENTS_BEHIND)

ALL = (*WORKER, *CONSOLE)


class Meter:
    """Counts what is declared, in memory."""

    def __init__(self) -> None:
        self._numbers: dict[Metric, dict[Values, float]] = {}
        self._buckets: dict[Metric, dict[Values, list[float]]] = {}

    def add(self, metric: Metric, amount: float = 1, **labels: str) -> None:
        """A counter grows."""
        key, known = _key(metric, labels), self._numbers.setdefault(metric, {})
        known[key] = known.get(key, 0) + amount

    def set(self, metric: Metric, value: float, **labels: str) -> None:
        """A gauge stands at a value."""
        self._numbers.setdefault(metric, {})[_key(metric, labels)] = value

    def observe(self, metric: Metric, value: float, **labels: str) -> None:
        """A histogram sees one more value."""
        key, known = _key(metric, labels), self._buckets.setdefault(metric, {})
        if key not in known:
            known[key] = [0.0] * (len(metric.buckets) + 2)
        found = known[key]
        found[bisect_left(metric.buckets, value)] += 1
        found[-1] += value

    def clear(self, metric: Metric) -> None:
        """Its values of before are no longer so."""
        self._numbers.pop(metric, None)

    def numbers(self, metric: Metric) -> Iterable[tuple[Values, float]]:
        """What a counter or gauge stands at."""
        return tuple(self._numbers.get(metric, {}).items())

    def histograms(self, metric: Metric) -> Iterator[tuple[Values, list[tuple[str, float]], float]]:
        """Label values, ascending buckets with all that is at most theirs, and the sum of the values."""
        for key, found in tuple(self._buckets.get(metric, {}).items()):
            so_far, buckets = 0.0, []
            for limit, count in zip((*map(str, metric.buckets), "+Inf"), found, strict=False):
                so_far += count
                buckets.append((limit, so_far))
            yield key, buckets, found[-1]


def _key(metric: Metric, labels: dict[str, str]) -> Values:
    """KeyError for a label that is missing, ValueError for one that is not declared."""
    if len(labels) != len(metric.labels):
        raise ValueError(f"{metric.name} has the labels {metric.labels}, not {tuple(labels)}")
    return tuple(labels[name] for name in metric.labels)


def exposition(meter: Meter, declared: Iterable[Metric]) -> bytes:
    """What Prometheus reads: every declared metric with its help, also while it has no values."""
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - for who is asked for numbers
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily  # noqa: PLC0415

    class Collector:
        def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily]:
            for metric in declared:
                if metric.kind == "histogram":
                    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
                    for key, buckets, total in meter.histograms(metric):
                        family.add_metric(key, buckets, total)
                    yield family
                    continue
                kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
                numbers = kind(metric.name, metric.help, labels=metric.labels)
                for key, number in meter.numbers(metric):
                    numbers.add_metric(key, number)
                yield numbers

    registry = CollectorRegistry()
    registry.register(Collector())
    return generate_latest(registry)
