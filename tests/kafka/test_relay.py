"""The relay on the real Kafka: what it promises, with processes that are killed, halted and refused."""

import sys
from pathlib import Path

import pytest

from broker import topics

sys.path.insert(0, str(Path(__file__).parent))
from relaykit import Kit, is_in_order

NUMBER = lambda record: int(record.value.rsplit(b"#", 1)[1].split(b"<")[0])  # noqa: E731


@pytest.fixture
def kit(kafka_bootstrap, tmp_path, unique):
    name = unique("t").replace("-", "")
    kit = Kit(kafka_bootstrap, tmp_path, **{f"{name}farm": "agency", f"{name}wa": "window", f"{name}wb": "window"})
    kit.farm, kit.wa, kit.wb = kit.codes
    yield kit
    kit.close()


def test_documents_go_through_and_answers_come_home(kit):
    kit.worker()
    both = f"ok {kit.wa} {kit.wb}; #".encode()
    for n in range(20):
        kit.send(kit.farm, b"k%d" % (n % 5), both + b"%d" % n, ce_id=f"d{n}")
    kit.send(kit.farm, b"k", b"bad; #1", ce_id="bad")
    kit.send(kit.farm, b"k", b"boom; #1", ce_id="boom")
    kit.send(kit.farm, None, f"ok {kit.wa}; #99".encode(), ce_id="keyless")
    kit.send(kit.farm, b"k", b"ok; #1", ce_id="nowhere")
    kit.flush()
    payloads = kit.until(lambda: len(found := kit.inbox(kit.wa, "payload")) == 21 and found)
    assert len(kit.inbox(kit.wb, "payload")) == 20
    assert is_in_order(payloads, NUMBER)
    own = kit.until(lambda: len(found := kit.inbox(kit.farm)) == 22 + 3 and found)
    kinds = [r.header("ce_type").removeprefix("swb.") for r in own]
    assert {k: kinds.count(k) for k in set(kinds)} == {"receipt": 22, "refusal": 1, "notice": 2}
    message = topics.message_id(kit.farm, "keyless")
    assert [r.key for r in payloads if r.header("swb_message_id") == message] == [message.encode()]

    reply = (
        '<Response xmlns="urn:wco:datamodel:WCO:RES-DMS:2"><FunctionCode>03</FunctionCode><FunctionalReferenceID>a1'
        f"</FunctionalReferenceID><Declaration><FunctionalReferenceID>{message}</FunctionalReferenceID></Declaration></Response>"
    )
    kit.send(kit.wa, b"x", reply.encode(), ce_id="r1", ce_type="swb.answer")
    kit.send(kit.wa, b"y", reply.encode(), ce_id="r2", ce_type="swb.answer")
    kit.send(kit.wb, b"x", reply.encode(), ce_id="r1", ce_type="swb.answer")
    kit.flush()
    (answer,) = kit.until(lambda: kit.inbox(kit.farm, "answer"))
    assert (answer.header("swb_window"), answer.header("swb_state")) == (kit.wa, "rejected")
    kit.until(lambda: [r for r in kit.read(topics.DEADLETTER) if r.header("swb_reason") == "answer-unmatched"])
    assert len(kit.inbox(kit.farm, "answer")) == 1
