"""The composition root: what it puts together for the relay."""

from broker.model.documents import Message
from broker.model.ids import NO_MESSAGE_ID
from broker.settings import Settings
from tests.support.world import catalogue, rules


def test_the_relay_s_rules_are_those_of_settings_and_catalogue():
    given = rules()
    assert given.max_content == Settings().max_content_bytes
    assert set(given.participants) == {str(code) for code in catalogue().participants}
    assert given.process(Message(NO_MESSAGE_ID, b"<x/>")).findings[0].code == "type.unknown"


def test_a_mapping_is_labelled_with_its_digest_and_what_is_gone_with_nothing():
    name, kind = next(iter(catalogue().document_types.items()))
    assert rules().mapping_label(name) == kind.mapping.id
    assert rules().mapping_label("toy/gone") == ""
