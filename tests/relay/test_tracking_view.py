"""What tracking lists of a document beside codes and pointers, and the one line that the log says of it."""

import json

import pytest

from broker.console.project import Changes
from broker.kafka.lanes.measure import count_batch
from broker.log.events import COMMON, EVENTS
from broker.metrics import DOCUMENTS, REFUSALS, TO_INBOX_SECONDS, Meter
from broker.paths import data_root
from broker.relay import headers, topics
from broker.relay.dispatch import plan
from broker.relay.records import Consumed
from broker.workbench.samples import read_sample
from tests.support.world import LANE, World

MAPPINGS = data_root() / "mappings"
INVOICE = read_sample(MAPPINGS / "participants/sg-tradenet/samples/SG-01.xml", MAPPINGS).content
TRACE = "0af7651916cd43dd8448eb211c80319c"
LISTED = {"number", "declarant", "sender_id", "mrn", "certificate", "relates_to"}
WORDS = {
    "v", "event", "at", "message_id", "conversation_id", "sender", "sha256", "document_type", "mapping", "origin",
    "size", "routed", "findings", "trace_id", "part", "window", "reason",
}  # fmt: skip


def planned(content, **extra):
    """The batch of one document of SUNAT, written three seconds before."""
    world = World()
    batch = world.batch()
    place = topics.outbox("pe-sunat")
    record = Consumed(place, LANE, 0, b"k", content, headers.encoded(extra), world.now - 3000)
    assert plan(batch, record)
    events = [json.loads(p.value) for _, p in batch.out if p.topic == topics.TRACKING]
    return batch, record, events


@pytest.mark.parametrize("traceparent", [f"00-{TRACE}-b7ad6b7169203331-01", "00-zz-1-1", f"00-{'0' * 32}-1-1", ""])
def test_a_document_is_listed_by_its_number_its_declarant_and_the_senders_own_id(traceparent):
    _, _, events = planned(INVOICE, ce_id="F-77", traceparent=traceparent)
    received = next(e for e in events if e["event"] == "received")
    assert f"<cbc:ID>{received['number']}</cbc:ID>".encode() in INVOICE
    assert f">{received['declarant']}</cbc:CompanyID>".encode() in INVOICE
    assert received["sender_id"] == "F-77"
    assert received.get("trace_id", "") == (TRACE if TRACE in traceparent else "")


def test_tracking_holds_nothing_else_of_the_content():
    for content in (INVOICE, INVOICE.replace(b"<cbc:ID>", b"<cbc:IDX>", 1), b"<no"):
        _, _, events = planned(content, ce_id="F-77")
        assert events
        for event in events:
            assert set(event) <= WORDS | LISTED
            for finding in event.get("findings", ()):
                assert set(finding) <= {"code", "severity", "pointer", "line"}


def test_the_read_model_finds_it_by_all_of_them():
    _, _, events = planned(INVOICE, ce_id="F-77")
    changes = Changes()
    for event in events:
        changes.apply(event)
    assert {kind for _, kind, _ in changes.identifiers} == {"id", "number", "declarant"}


@pytest.mark.parametrize("content", [INVOICE, INVOICE.replace(b"<cbc:ID>", b"<cbc:IDX>", 1), b"<no"])
def test_one_line_tells_the_outcome_and_the_numbers_follow_from_it(content):
    batch, record, _ = planned(content, ce_id="F-77", traceparent=f"00-{TRACE}-b7ad6b7169203331-01")
    ((event, fields),) = [(e, f) for e, f in batch.log_events if e.startswith("message.")]
    assert set(fields) <= EVENTS[event].fields | COMMON
    assert (fields["sender"], fields["size"], fields["trace_id"]) == ("pe-sunat", len(content), TRACE)
    assert (fields["origin"], fields["since"]) == ("swb.pe-sunat.outbox/1/0", batch.now - 3000)
    fields["milliseconds"] = batch.now - fields.pop("since")
    meter = Meter()
    count_batch(meter, [record], (p for _, p in batch.out), batch.log_events, batch.now)
    outcome = "not_routed" if fields.get("routed") == 0 else event.partition(".")[2]
    kind = fields["document_type"]
    assert dict(meter.numbers(DOCUMENTS)) == {("pe-sunat", kind, outcome): 1}
    assert sum(n for _, n in meter.numbers(REFUSALS)) == len(fields.get("codes", ()))
    ((_, _, seconds),) = meter.histograms(TO_INBOX_SECONDS)
    assert seconds == 3.0
