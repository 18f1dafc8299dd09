"""What one record may have and cause: each attack, and what its sender, the others and the lane get of it. No Kafka."""

import json
from dataclasses import replace

import pytest

from broker.model.findings import Finding
from broker.model.outcomes import Outcome
from broker.paths import data_root
from broker.registry.relations import DocumentName, Relation
from broker.relay import ids, topics
from broker.relay.delivery_routes import size
from broker.relay.notifications import LARGEST
from tests.support.world import World, rules

SAMPLES = data_root() / "mappings" / "documents" / "sps" / "sps-certificate-17" / "samples"
SENDER, WINDOW = "ec-agrocalidad", "pe-vuce"
MESSAGE = ids.message_id(SENDER, "1")
RECORD = 17_825_792


def document(name="withdrawn"):
    return (SAMPLES / f"{name}.xml").read_bytes().replace(b">40<", b">70<")


def to(written, topic, kind=""):
    return [p for p in written if p.topic == topic and (not kind or p.header("ce_type") == f"swb.{kind}")]


def events(written):
    return [json.loads(p.value)["event"] for p in to(written, topics.TRACKING)]


def findings(record):
    return [f["code"] for f in json.loads(record.header("swb_findings"))]


def response(number, *errors, reference=MESSAGE):
    told = "".join(f"<Error><ValidationCode>{code}</ValidationCode></Error>" for code in errors)
    return (
        f"<Response><FunctionCode>03</FunctionCode><FunctionalReferenceID>a{number}</FunctionalReferenceID>{told}"
        f"<Declaration><FunctionalReferenceID>{reference}</FunctionalReferenceID></Declaration></Response>"
    )


def bytes_of(written):
    return sum(size(p) for p in written)


# --- what a record causes ---------------------------------------------------------------------------------------------


@pytest.mark.proof
def test_a_record_of_thousands_of_responses_is_written_once_in_parts():
    world, count = World(), 4900
    content = f"<MetaData>{''.join(response(n) for n in range(count))}</MetaData>".encode()
    batch_of_facts = world.plan_only("pe-vuce", b"k", content, ce_type="swb.answer", ce_id="big")
    assert [p.topic for p in batch_of_facts] == [topics.FACTS] * count
    assert max(len(p.value) for p in batch_of_facts) < 400
    assert sum(len(p.value) for p in batch_of_facts) < 1.2 * len(content)
    assert bytes_of(batch_of_facts) < 10 * len(content), "their headers and keys are all that is more"


@pytest.mark.proof
def test_namespaces_that_stand_around_thousands_of_responses_are_not_written_into_each():
    spaces = " ".join(f'xmlns:p{n}="urn:p:{n}"' for n in range(2000))
    content = f"<MetaData {spaces}>{''.join(response(n) for n in range(4900))}</MetaData>".encode()
    letter, event = World().plan_only("pe-vuce", b"k", content, ce_type="swb.answer", ce_id="big")
    assert (letter.topic, letter.header("swb_reason")) == (topics.DEADLETTER, "answer-unreadable")
    assert json.loads(event.value)["findings"] == [{"code": "answer.too-large"}]


def test_a_document_of_thousands_of_references_copies_itself_into_none_of_them():
    many = tuple(Relation("corrects", DocumentName("380", f"INV{n}")) for n in range(4900))
    world = World(replace(rules(), names=lambda _: (None, many)))
    written = world.plan_only(SENDER, b"k", document(), ce_id="1")
    facts = [p for p in to(written, topics.FACTS) if p.header("ce_type") == "swb.fact.amends"]
    assert len(facts) == 4900
    assert max(len(p.value) for p in facts) < 300
    assert bytes_of(written) < 5 << 20


def test_an_amendment_of_many_originals_reaches_each_window_once():
    originals = [f"2026-PE-00{n}" for n in range(100, 130)]
    relations = tuple(Relation("replaces", DocumentName("851", number)) for number in originals)

    def names(payload):
        own, _ = rules().names(payload)
        return (own, relations) if own and own.number == "2026-PE-000431" else (own, ())

    world = World(replace(rules(), names=names))
    for n, number in enumerate(originals):
        world.send(SENDER, b"k", document().replace(b"2026-PE-000417", number.encode()), ce_id=f"o{n}")
    written = world.send(SENDER, b"k", document("replacement"), ce_id="1")
    assert len(to(written, "swb.pe-vuce.inbox", "payload")) == 1
    assert len(to(written, "swb.sg-tradenet.inbox", "payload")) == 1
    assert sum(f.kind == "related" for f in world.history(MESSAGE).facts) == 30


def test_a_record_that_causes_more_than_any_may_is_a_dead_letter_and_its_sender_is_notified(monkeypatch):
    world = World()
    monkeypatch.setattr("broker.relay.batch.CAUSED_RECORDS", 5)
    written = world.send(SENDER, b"k", document(), ce_id="1")
    (letter,) = to(written, topics.DEADLETTER)
    assert letter.header("swb_reason") == "over-budget"
    (notice,) = to(written, topics.inbox(SENDER))
    assert findings(notice) == ["message.over-budget"]
    assert not to(written, topics.inbox(WINDOW)), "nothing of it went on"


# --- notifications ----------------------------------------------------------------------------------------------------


def refused_with(*found):
    world = World(replace(rules(), process=lambda message: Outcome(message, None, found)))
    written = world.send(SENDER, b"k", b"<x/>", ce_id="1")
    (refusal,) = to(written, topics.inbox(SENDER))
    assert refusal.header("ce_type") == "swb.refusal"
    assert len(refusal.value) <= LARGEST
    assert size(refusal) < RECORD
    assert all(size(p) < 1 << 20 for p in to(written, topics.TRACKING))
    return refusal, json.loads(refusal.header("swb_findings"))


def test_a_refusal_of_thousands_of_findings_reaches_its_sender_and_counts_the_rest():
    refusal, told = refused_with(
        *(Finding("schema.missing", "It is missing.", pointer=f"/a/b[{n}]") for n in range(2204))
    )
    assert b"2204" not in refusal.value
    assert b"1,204" in refusal.value
    assert told[0]["pointer"] == "/a/b[0]"


@pytest.mark.proof
def test_pointers_and_values_without_measure_are_cut_in_the_middle():
    long = "/" + "n" * 3_000_000
    found = [Finding("schema.value", "x" * 100_000, pointer=f"{long}[{n}]", value="v" * 900_000) for n in range(300)]
    refusal, told = refused_with(*found)
    assert told[0]["pointer"].startswith("/nnn")
    assert told[0]["pointer"].endswith("[0]")
    assert len(told[0]["pointer"]) < 2001
    assert len(refusal.value) < LARGEST


@pytest.mark.proof
def test_an_answer_of_thousands_of_errors_comes_home_with_the_first_and_their_number():
    world = World()
    world.send(SENDER, b"k", document(), ce_id="1")
    written = world.send(WINDOW, b"k", response(1, *(f"E{n}" for n in range(4900))).encode(), ce_id="r")
    (answer,) = to(written, topics.inbox(SENDER), "answer")
    assert len(answer.value) <= LARGEST
    told = json.loads(answer.header("swb_findings"))
    assert told[0]["code"] == "E0"
    assert b"3,900" in answer.value
    (event,) = [json.loads(p.value) for p in to(written, topics.TRACKING)]
    assert len(event["findings"]) == 100


# --- what a record has ------------------------------------------------------------------------------------------------


def test_a_window_s_id_without_measure_is_not_copied_into_every_answer():
    content = f"<MetaData>{''.join(response(n) for n in range(3))}</MetaData>".encode()
    written = World().plan_only("pe-vuce", b"k", content, ce_type="swb.answer", ce_id="i" * 16_000)
    assert max(size(p) for p in written) < 1500


def test_ids_that_differ_in_bytes_that_are_no_text_are_two_messages():
    world = World()
    first = world.send_raw(SENDER, b"k", document(), (("ce_id", b"F\xe9"),))
    second = world.send_raw(SENDER, b"k", document(), (("ce_id", b"F\xe8"),))
    assert {p.header("swb_message_id") for p in to(first, topics.inbox(WINDOW))}.isdisjoint(
        p.header("swb_message_id") for p in to(second, topics.inbox(WINDOW))
    )
    assert to(second, topics.inbox(WINDOW), "payload")


@pytest.mark.parametrize(
    "odd",
    [
        "<IssueDateTime><DateTimeString>00010101000000+14</DateTimeString></IssueDateTime>",
        "<Error><ValidationCode>E1</ValidationCode><Pointer><SequenceNumeric>" + "9" * 5000 + "</SequenceNumeric>"
        "<DocumentSectionCode>42A</DocumentSectionCode></Pointer></Error>",
        "<Error><ValidationCode>E1</ValidationCode><Pointer><SequenceNumeric>" + "9" * 30 + "</SequenceNumeric>"
        "<DocumentSectionCode>42A</DocumentSectionCode></Pointer></Error>",
        "<Error><Description>" + "x" * 100_000 + "</Description></Error>",
    ],
)
def test_an_answer_of_odd_numbers_and_times_comes_home(odd):
    world = World()
    world.send(SENDER, b"k", document(), ce_id="1")
    content = response(1).replace("</FunctionCode>", f"</FunctionCode>{odd}").encode()
    written = world.send(WINDOW, b"k", content, ce_id="r")
    (answer,) = to(written, topics.inbox(SENDER), "answer")
    assert len(answer.value) < 100_000
    assert not to(written, topics.DEADLETTER)
