"""What was agreed with a participant, where the relay and the answers keep it: redaction and retention."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from broker import settings
from broker.answers.history import Answered
from broker.answers.way_back import Notification
from broker.answers.way_back import load as load_home
from broker.answers.wco_response import read
from broker.catalogue import load as load_catalogue
from broker.kafka.admin.topics import wanted
from broker.line.process import process
from broker.model.documents import Message
from broker.model.ids import MessageId
from broker.model.participants import Participant, Policy
from broker.paths import data_root
from broker.relay import topics
from broker.windows.decide import Window
from broker.windows.respond import reply
from broker.workbench.samples import read_sample

ID = MessageId("5" * 32)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
MAPPINGS = data_root() / "mappings"


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue()


def told(catalogue, redaction):
    """What the sender hears of the sample that breaks US-IMPORTER-NO."""
    sender = replace(catalogue.participants["pe-sunat"], policy=Policy(redaction=redaction))
    agreed = replace(catalogue, participants={**catalogue.participants, sender.code: sender})
    home = load_home(data_root(), agreed)
    content = read_sample(MAPPINGS / "participants/us-ace/samples/US-IMPORTER-NO.toml", MAPPINGS).content
    payload = process(Message(ID, content), agreed).payload
    window = Window(agreed.participants["us-ace"], agreed)
    (record,) = reply(window, payload.content, home.pointers, NOW)
    (answer,) = read(record.content, "us-ace", record.id)
    fact = Answered(at="", answer=answer, state="rejected")
    return home(Notification("answer", ID, sender.code, "", "rejected", "us-ace", "", (), fact, content))


@pytest.mark.proof
def test_an_answer_repeats_no_value_that_is_redacted(catalogue):
    plain, redacted = (told(catalogue, paths) for paths in ((), ("GoodsShipment/Buyer/ID",)))
    assert plain.findings[0].value == "1234-56789"
    assert b"1234-56789" in plain.content
    assert redacted.findings[0].value is None
    assert b"1234-56789" not in redacted.content
    for key in ("rule", "pointer", "line", "messages"):
        assert getattr(redacted.findings[0], key) == getattr(plain.findings[0], key) != ""
    assert told(catalogue, ("GoodsShipment/Buyer/Name",)).findings[0].value == "1234-56789"


def test_boxes_keep_records_as_long_as_was_agreed():
    short = Participant("zz-a", "A", "agency", "ZZ", policy=Policy(retention_days=3))
    usual = Participant("zz-b", "B", "agency", "ZZ")
    given = settings.Settings(kept_boxes_days=30)
    kept = {
        t.name: t.config["retention.ms"] for t in wanted(given, {p.code: p for p in (short, usual)}) if "box" in t.name
    }
    day = 86_400_000
    assert kept[topics.inbox("zz-a")] == kept[topics.outbox("zz-a")] == str(3 * day)
    assert kept[topics.inbox("zz-b")] == kept[topics.outbox("zz-b")] == str(30 * day)
