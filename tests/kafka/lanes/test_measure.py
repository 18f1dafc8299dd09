"""What a committed batch adds to the numbers."""

import pytest

from broker import metrics
from broker.kafka.lanes import measure
from broker.relay import headers, topics
from broker.relay.records import Consumed, Produced


class Heard:
    """Stands in for a meter: what was added, set and observed."""

    def __init__(self):
        self.calls = []

    def _note(self, metric, *values, **labels):
        self.calls.append((metric, values, labels))

    add = set = observe = _note

    def clear(self, _metric):
        self.calls.clear()

    def of(self, metric):
        return [(values, labels) for known, values, labels in self.calls if known is metric]


@pytest.mark.parametrize(
    ("reason", "label"), [("unforeseen: KeyError", "unforeseen"), ("", "unknown"), ("x" * 90, "x" * 40)]
)
def test_a_reason_is_one_of_few(reason, label):
    assert measure.short(reason) == label


def test_records_and_dead_letters_are_counted():
    meter = Heard()
    taken = [Consumed(topics.outbox("aa"), 0, 0, None, b"", (), 5_000), Consumed(topics.FACTS, 0, 0, None, b"")]
    letter = Produced(topics.DEADLETTER, None, b"", headers.encoded({headers.REASON: "too-large: x"}))
    measure.count_batch(meter, taken, [letter, Produced("t", None, b"")], [("nobody.asks", {})], 4_000)
    assert len(meter.of(metrics.RECORDS)) == 2
    assert meter.of(metrics.LAST_SEEN) == [((5.0,), {"sender": "aa"})]
    assert meter.of(metrics.CLOCK) == [((1.0,), {})]
    assert meter.of(metrics.DEADLETTERS) == [((), {"reason": "too-large"})]


def test_a_document_that_nobody_takes_is_not_routed():
    meter = Heard()
    said = [("message.accepted", {"sender": "aa", "document_type": "t/o", "routed": routed}) for routed in ([], ["x"])]
    measure.count_batch(meter, [], [], said, 0)
    assert [labels["outcome"] for _, labels in meter.of(metrics.DOCUMENTS)] == ["not_routed", "accepted"]
