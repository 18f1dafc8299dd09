"""Asked beforehand: what every window would decide; nothing is sent."""

from datetime import UTC, datetime

import pytest

from broker.answers import way_back
from broker.model.documents import Message
from broker.model.ids import NO_MESSAGE_ID
from broker.paths import data_root
from broker.windows import decide
from broker.workbench.preview import ask
from broker.workbench.samples import read_sample
from tests.support.world import catalogue

MAPPINGS = data_root() / "mappings"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def home():
    return way_back.load(data_root(), catalogue())


def asked(home, content, only=()):
    return ask(Message(NO_MESSAGE_ID, content), home, decide.windows(catalogue()), NOW, only)


@pytest.fixture(scope="module")
def invoice():
    return read_sample(MAPPINGS / "participants/sg-tradenet/samples/SG-01.xml", MAPPINGS).content


def test_a_refused_document_is_no_window_s(home):
    (verdict,) = asked(home, b"<x/>")
    assert (verdict.window, verdict.verdict, verdict.findings[0].code) == (None, "refused", "type.unknown")


def test_a_window_that_was_named_and_does_not_take_it_says_why(home, invoice):
    (verdict,) = asked(home, invoice, ("sg-tradenet",))
    assert (verdict.window, verdict.verdict, bool(verdict.findings[0].message)) == ("sg-tradenet", "not_routed", True)


def test_where_nobody_takes_it_each_says_why(home, invoice):
    (verdict,) = asked(home, invoice)
    assert verdict.verdict == "not_routed"
    assert {f.message.partition(":")[0] for f in verdict.findings} == {p.code for p in catalogue().windows()}
