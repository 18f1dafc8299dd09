"""An envelope of several documents in the relay: each is a message with its own id, receipt, outcome and answers."""

from __future__ import annotations

import time

import orjson
import pytest

from broker.answers.wco_response import write
from broker.content.parts import MAX_PARTS
from broker.model.answers import Answer, AnswerError, chain_of
from broker.paths import data_root
from broker.relay import headers, ids, topics
from tests.support.world import World

SAMPLES = data_root() / "mappings/documents"
ENVIO = (SAMPLES / "invoice/sii-dte-export-1.0/samples/credit-note-in-envio.xml").read_bytes()
FIRST, LAST = ENVIO.index(b"<DTE"), ENVIO.index(b"</DTE>") + len(b"</DTE>")
DTE = ENVIO[FIRST:LAST]
BAD = DTE.replace(b"<TipoDTE>112<", b"<TipoDTE>999<")
PULLED = (SAMPLES / "sps/sps-certificate-17/samples/hub-pulled-envelopes.xml").read_bytes()
SENDER = "cl-sicex"


@pytest.fixture
def world():
    return World()


def envio(*documents: bytes) -> bytes:
    return ENVIO[:FIRST] + b"\n".join(documents) + ENVIO[LAST:]


def kinds(written, sender: str = SENDER) -> list[tuple[str, str]]:
    """What lies in an inbox: kind and message id."""
    mine = [p for p in written if p.topic == topics.inbox(sender)]
    return [(p.header("ce_type").removeprefix("swb."), p.header("swb_message_id")) for p in mine]


def part_id(number: int, ce_id: str = "E-1") -> str:
    return ids.message_id(SENDER, f"{ce_id}#{number}")


def test_each_document_has_its_own_id_receipt_and_outcome(world):
    written = world.send(SENDER, b"k", envio(DTE, BAD, DTE), ce_id="E-1")
    told = kinds(written)
    assert [one for one in told if one[0] != "notice"] == [
        ("receipt", part_id(1)),
        ("refusal", part_id(2)),
        ("receipt", part_id(3)),
    ]
    assert not [
        p for p in written if p.header("swb_message_id") == ids.message_id(SENDER, "E-1") and "inbox" in p.topic
    ]
    (event,) = [e for p in written if p.topic == topics.TRACKING and (e := orjson.loads(p.value))["event"] == "split"]
    assert (event["message_id"], event["parts"]) == (ids.message_id(SENDER, "E-1"), 3)


def test_an_envelope_of_one_is_the_message_itself(world):
    written = world.send(SENDER, b"k", ENVIO, ce_id="E-1")
    assert kinds(written)[0] == ("receipt", ids.message_id(SENDER, "E-1"))
    assert not [p for p in written if p.topic == topics.INTAKE]


def test_an_envelope_that_comes_again_sends_each_receipt_again_and_no_payload(world):
    first = world.send(SENDER, b"k", envio(DTE, DTE), ce_id="E-1")
    again = world.send(SENDER, None, envio(DTE, DTE), ce_id="E-1")
    assert [k for k, _ in kinds(again)].count("receipt") == [k for k, _ in kinds(first)].count("receipt") == 2
    assert not [p for p in again if p.header("ce_type") == "swb.payload"]
    changed = world.send(SENDER, b"k", envio(DTE, BAD), ce_id="E-1")
    assert ("refusal", part_id(2)) in kinds(changed)


def test_without_an_id_the_parts_are_named_by_the_content_of_the_envelope(world):
    content = envio(DTE, DTE)
    written = world.send(SENDER, None, content)
    assert ("receipt", part_id(2, ids.content_id(content))) in kinds(written)


def test_an_answer_to_one_document_points_at_its_line_of_the_envelope(world):
    envelope = PULLED[PULLED.index(b"<hub:Envelope>") : PULLED.index(b"</hub:Envelope>") + len(b"</hub:Envelope>")]
    second = envelope.replace(b"CL-VET-2026-3007", b"CL-VET-2026-3007-B")
    content = PULLED.replace(envelope, envelope + b"\n" + second)
    assert second != envelope
    written = world.send("co-ica", b"k", content, ce_id="P-1")
    message = ids.message_id("co-ica", "P-1#2")
    window = next(
        p.topic for p in written if p.header("ce_type") == "swb.payload" and p.header("swb_message_id") == message
    )
    error = AnswerError("X1", "said", chain_of("42A/67A/68A#1/23A:137"))
    answer = Answer(topics.reader_of(window), "A1", "03", message, errors=(error,))
    home = world.send(topics.reader_of(window), None, write([answer]), ce_type=headers.ANSWER_TYPE)
    (told,) = [p for p in home if p.header("ce_type") == "swb.answer"]
    (finding,) = orjson.loads(told.header("swb_findings"))
    lines = content.split(b"\n")
    assert b"ram:Description" in lines[finding["line"] - 1]
    assert finding["line"] > content[: content.index(second)].count(b"\n")


def test_more_documents_than_are_taken_are_refused_as_one(world):
    content = envio(*[b"<DTE/>"] * (MAX_PARTS + 1))
    written = world.send(SENDER, b"k", content, ce_id="E-1")
    assert kinds(written) == [("refusal", ids.message_id(SENDER, "E-1"))]


def test_the_lane_of_a_large_envelope_only_cuts_it(world):
    """2,000 documents: the record that brings them is planned in the time of cutting, and judges none of them."""
    content = envio(*[DTE] * MAX_PARTS)
    place = topics.outbox(SENDER)
    batch = world.batch()
    began = time.perf_counter()
    world.plan_one(batch, place, b"k", content, ce_id="E-1")
    assert time.perf_counter() - began < 10
    hops = [p for _, p in batch.out if p.topic == topics.INTAKE]
    assert len(hops) == len({p.key for p in hops}) == MAX_PARTS
    assert {p.topic for _, p in batch.out} == {topics.INTAKE, topics.TRACKING}


def test_what_a_participant_writes_under_our_names_makes_no_part(world):
    written = world.send(SENDER, b"k", ENVIO, ce_id="E-1", swb_part="7 100")
    assert kinds(written)[0] == ("receipt", ids.message_id(SENDER, "E-1"))
    assert world.history(ids.message_id(SENDER, "E-1")).facts[0].part == 0
