"""A long document, and an answer with a thousand faults of it: others do not wait for either. The whole worker runs."""

import copy
import os
import subprocess
import sys
import time

import pytest
from aiokafka.partitioner import murmur2
from lxml import etree

from broker.kafka.admin import topics as admin
from broker.relay import ids, topics
from tests.support.paths import ROOT
from tests.support.relay_kit import Kit
from tests.support.wire_kit import Memory, p95
from tests.support.world import load

AGENCY, WINDOW, OTHER = "ec-agrocalidad", "sg-tradenet", "sg-invoice-hub"
LINES, FAULTS = 996, 1000
SMALL = ROOT / "mappings/documents/invoice/ubl-2.1/samples/pint-nz-sg.xml"


@pytest.fixture
def kit(fresh_kafka, tmp_path):
    kit = Kit(fresh_kafka, tmp_path, partitions=2)
    participants = load().participants
    kit.codes = {str(code): one.kind for code, one in participants.items()}
    admin.create(kit.settings, participants)
    yield kit
    kit.close()


def started(kit):
    log = kit.folder / "worker.log"
    env = {**os.environ, "SWB_BOOTSTRAP": kit.bootstrap, "SWB_PARTITIONS": "2", "SWB_LOG_FORMAT": "json"}
    with log.open("wb") as out:
        code = "from broker.cli import main; main()"
        process = subprocess.Popen([sys.executable, "-c", code, "worker"], env=env, stdout=out, stderr=out)
    process.log = log
    kit.workers.append(process)
    kit.until(lambda: log.read_text().count('"lane.opened"') == 2, 60)
    return process


def long_document():
    """A certificate with so many lines: its one line, again and again under other numbers."""
    root = etree.fromstring((ROOT / "mappings/documents/sps/sps-certificate-17/samples/replacement.xml").read_bytes())
    (line,) = root.iter("{*}IncludedSPSTradeLineItem")
    for number in range(2, LINES + 1):
        one = copy.deepcopy(line)
        next(one.iter("{*}SequenceNumeric")).text = str(number)
        line.getparent().append(one)
    return etree.tostring(root)


def lane_of(message):
    return (murmur2(message.encode()) & 0x7FFFFFFF) % 2


def answer(message):
    steps = [("42A", None, None), ("67A", None, None), ("68A", "{}", None), ("23A", None, "137")]

    def fault(number):
        found = "<Error><ValidationCode>E1</ValidationCode>"
        for section, sequence, tag in steps:
            at = f"<SequenceNumeric>{1 + number % 900}</SequenceNumeric>" if sequence else ""
            name = f"<TagID>{tag}</TagID>" if tag else ""
            found += f"<Pointer>{at}<DocumentSectionCode>{section}</DocumentSectionCode>{name}</Pointer>"
        return f"{found}</Error>"

    head = "<FunctionCode>03</FunctionCode><FunctionalReferenceID>a</FunctionalReferenceID>"
    declared = f"<Declaration><FunctionalReferenceID>{message}</FunctionalReferenceID></Declaration>"
    return f"<Response>{head}{''.join(map(fault, range(FAULTS)))}{declared}</Response>".encode()


def test_others_do_not_wait_for_a_long_document_or_what_is_said_of_it(kit):
    worker, sent, began = started(kit), {}, time.time()

    def small():
        number = len(sent)
        name = f"small-{number}"
        kit.producer.produce(
            topics.outbox(OTHER), SMALL.read_bytes(), b"k", 1, headers=[("ce_id", name.encode())]
        )  # fmt: skip
        kit.producer.flush(10)
        sent[ids.message_id(OTHER, name)] = time.time()
        time.sleep(0.3)

    def heard(code, kind, message):
        return [r for r in kit.inbox(code, kind) if r.header("swb_message_id") == message]

    def meanwhile(condition, seconds=90):
        end = time.time() + seconds
        while not (found := condition()):
            assert time.time() < end, worker.log.read_text()[-3000:]
            small()
        return found

    # Its conversation belongs to lane 0 too: the lane that works on it waits for it, and no other.
    name = next(n for n in map("long-{}".format, range(99)) if lane_of(ids.message_id(AGENCY, n)) == 0)
    for _ in range(10):
        small()
    calm_until = time.time()
    message = ids.message_id(AGENCY, name)
    kit.producer.produce(topics.outbox(AGENCY), long_document(), b"k", 0, headers=[("ce_id", name.encode())])
    meanwhile(lambda: heard(AGENCY, "receipt", message))
    document = time.time() - calm_until
    given = [("ce_type", b"swb.answer"), ("ce_id", b"a")]
    at = time.time()
    kit.producer.produce(topics.outbox(WINDOW), answer(message), b"k", 0, headers=given)
    (home,) = meanwhile(lambda: heard(AGENCY, "answer", message))
    took = time.time() - at
    assert home.value.count(b"E1") > 10  # each fault has found its line
    told = kit.until(
        lambda: len(
            found := {r.header("swb_message_id"): r.timestamp / 1000 for r in kit.inbox(OTHER, "receipt")}
        ) >= len(sent) and found
    )  # fmt: skip
    waits = {message: told[message] - at for message, at in sent.items()}
    calm = sorted(wait for m, wait in waits.items() if sent[m] <= calm_until)
    beside = sorted(wait for m, wait in waits.items() if sent[m] > calm_until)
    sys.stdout.write(
        f"document {document:.1f} s, answer {took:.1f} s; others p95 {p95(beside):.2f} s, longest {beside[-1]:.2f} s, "
        f"calm {p95(calm):.2f} s; peak {Memory(worker).peak:.0f} MB after {time.time() - began:.0f} s\n"
    )
    assert '"aside.begun"' in worker.log.read_text()
    assert p95(beside) < max(2.0, 3 * p95(calm))
    assert Memory(worker).peak < 600
    assert worker.poll() is None
