"""What is done elsewhere comes out as if it had been done here."""

import pickle
from dataclasses import replace

import pytest
from lxml import etree

from broker.answers.way_back import Notification
from broker.line.process import process, recognised
from broker.model.documents import Message
from broker.model.ids import MessageId
from broker.relay import elsewhere
from broker.relay.elsewhere import DoneElsewhere, Elsewhere, carry_out
from broker.relay.limits import OverBudget
from tests.support.paths import ROOT
from tests.support.world import catalogue, rules

SAMPLES = ROOT / "mappings/documents/sps/sps-certificate-17/samples"


@pytest.fixture(autouse=True)
def all_is_large(monkeypatch):
    monkeypatch.setattr(elsewhere, "LARGE_BYTES", 0)


@pytest.fixture
def lane():
    return Elsewhere(
        lambda message: process(message, catalogue()), rules().render, lambda message: recognised(message, catalogue())
    )


def done(lane, call, argument):
    """The call again once what it needs was done: what a lane does."""
    with pytest.raises(DoneElsewhere) as need:
        call(argument)
    task = need.value.task
    context = rules()
    lane.learn(task, carry_out(task.packed(), context.process, context.render))
    return call(argument)


def message(name):
    return Message(MessageId("0" * 32), (SAMPLES / name).read_bytes())


def test_an_accepted_document(lane):
    given = message("replacement.xml")
    found, direct = done(lane, lane.process, given), process(given, catalogue())
    assert found.payload.content == direct.payload.content
    assert etree.tostring(found.payload.root) == etree.tostring(direct.payload.root)
    assert (found.findings, found.routings, found.document_type) == (
        direct.findings, direct.routings, direct.document_type,
    )  # fmt: skip
    assert found.message == given
    assert etree.tostring(found.document.root) == etree.tostring(direct.document.root)


def test_a_refused_document_and_one_that_is_none(lane):
    for content in (message("replacement.xml").content.replace(b"ID>", b"Id>"), b"<a/>", b"{", b"\xff\x00"):
        given = Message(MessageId("0" * 32), content)
        found, direct = done(lane, lane.process, given), process(given, catalogue())
        assert replace(found, document=None) == replace(direct, document=None)
        assert (found.document is None) == (direct.document is None)
        assert found.findings


def test_a_notification_with_its_document(lane):
    given = Notification(
        "receipt", "0" * 32, "ec-agrocalidad", "sps/sps-certificate-17", "received",
        at="2026-06-01T00:00:00Z", content=message("replacement.xml").content,
    )  # fmt: skip
    assert done(lane, lane.render, given) == rules().render(given)


def test_what_was_too_much_is_said_of_the_document_and_a_fault_of_ours_stays_one(lane):
    given = message("replacement.xml")
    with pytest.raises(DoneElsewhere) as need:
        lane.process(given)
    lane.learn(need.value.task, None)
    with pytest.raises(OverBudget, match="more time or memory"):
        lane.process(given)
    lane.forget()

    def broken(_):
        raise ZeroDivisionError("boom")

    def hungry(_):
        raise MemoryError

    for line, error, words in ((broken, RuntimeError, "boom"), (hungry, OverBudget, "memory")):
        lane.learn(need.value.task, carry_out(need.value.task.packed(), line, rules().render))
        with pytest.raises(error, match=words):
            lane.process(given)


def test_a_small_document_is_done_here(lane, monkeypatch):
    monkeypatch.setattr(elsewhere, "LARGE_BYTES", 1_000_000)
    assert lane.process(message("replacement.xml")).is_accepted


def test_nothing_of_the_document_travels_back_twice(lane):
    with pytest.raises(DoneElsewhere) as need:
        lane.process(message("replacement.xml"))
    result = carry_out(need.value.task.packed(), rules().process, rules().render)
    _, outcome = pickle.loads(result)
    assert outcome.message.content == b""
    assert outcome.document is None
    assert outcome.payload.root is None
