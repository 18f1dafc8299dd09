"""The straight line on a small format: accepted, refused with every finding, never raised."""

import pytest

from broker import catalogue
from broker.line import process
from broker.model.documents import Message
from broker.model.errors import Refused
from broker.model.ids import NO_MESSAGE_ID

NOTE = b'<Note xmlns="urn:toy"><Number>%s</Number><Date>%s</Date><Line>Tea</Line></Note>'


@pytest.fixture
def loaded(toy):
    return catalogue.load()


def carried(loaded, content):
    return process.process(Message(NO_MESSAGE_ID, content), loaded)


def test_a_good_document_becomes_a_payload(loaded):
    outcome = carried(loaded, NOTE % (b"1", b"2026-05-04"))
    assert (outcome.is_accepted, outcome.document_type, outcome.routings) == (True, "toy/note-1", ())
    assert b"<ID>1</ID>" in outcome.payload.content
    assert process.explain(outcome.message, loaded).content == outcome.payload.content


def test_every_fault_is_told_at_once_and_the_type_is_known(loaded):
    outcome = carried(loaded, NOTE % (b"13", b"soon"))
    assert (outcome.is_accepted, outcome.document_type) == (False, "toy/note-1")
    assert [f.code for f in outcome.findings] == ["schema.type", "TOY-1"]
    with pytest.raises(Refused):
        process.explain(outcome.message, loaded)


@pytest.mark.parametrize(("content", "code"), [(b"", "content.empty"), (b"<x/>", "type.unknown")])
def test_what_is_no_document_of_ours_is_refused_and_not_raised(loaded, content, code):
    outcome = carried(loaded, content)
    assert ([f.code for f in outcome.findings], outcome.document_type) == ([code], None)
