"""Values that no row takes, in a document made to have more of them than anyone reads."""

import json
import resource

from broker.catalogue import load
from broker.line.process import process
from broker.mapping.translate import MOST_UNMAPPED
from broker.model.documents import Message
from broker.model.ids import NO_MESSAGE_ID
from broker.paths import data_root

SAMPLES = data_root() / "mappings" / "documents" / "origin" / "tradetrust-coo-1" / "samples"


def test_a_document_of_deep_long_names_is_told_the_first_values_and_the_number_of_the_others():
    """150 levels of names of 1,000 characters over 100,000 values: their paths together would be 15 GB."""
    sample = SAMPLES / "plain-au-sg.json"
    inner = {f"g{group}": {f"k{n}": 1 for n in range(4900)} for group in range(20)}
    for _ in range(150):
        inner = {"n" * 1000: inner}
    content = json.dumps({**json.loads(sample.read_bytes()), "zzz": inner}).encode()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcome = process(Message(NO_MESSAGE_ID, content), load())
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 400_000, "kilobytes"
    unmapped = [f for f in outcome.findings if f.code == "mapping.unmapped"]
    assert len(unmapped) == MOST_UNMAPPED
    (more,) = [f for f in outcome.findings if f.code == "findings.more"]
    assert int(more.value) >= 98_000 - MOST_UNMAPPED
