"""What windows do wrong, and how each conversation ends: a transport failure never becomes a rejection."""

import json
from datetime import UTC, datetime

import pytest
from lxml import etree

from broker.paths import data_root
from broker.relay import headers, ids, topics
from broker.relay.delivery_routes import DeliveryRoute
from broker.relay.facts import AnswerAwaited, PayloadDelivered
from broker.relay.records import Consumed
from broker.windows.decide import windows
from broker.windows.faults import Faults, play
from broker.windows.respond import reply
from tests.support.world import LANE, World, catalogue, rules

pytestmark = pytest.mark.proof

SAMPLES = data_root() / "mappings" / "documents" / "sps" / "sps-certificate-17" / "samples"
GOOD = (SAMPLES / "phytosanitary-pe-sg.xml").read_bytes()
BAD = GOOD.replace(b"080440", b"08044")
SENDER, WINDOW = "ec-agrocalidad", "sg-tradenet"
DAY = 24 * 3600 * 1000


class Story(World):
    """A document, a window that errs by a script, and the state in the end."""

    def run(self, content, faults, *, looks=()):
        message = ids.message_id(SENDER, "1")
        sent = self.send(SENDER, b"k", content, ce_id="1")
        for delivery in [p for p in sent if p.topic == topics.inbox(WINDOW)]:
            at = datetime.fromtimestamp(self.now / 1000, UTC)
            replies = reply(windows(catalogue())[WINDOW], delivery.value, rules().render.pointers, at)
            for record in play(faults, message, replies):
                self.send(WINDOW, record.key, record.content, ce_id=record.id)
        for after in looks:
            self.now += after
            self.look(message)
        return self.at_window(message)

    def at_window(self, message):
        return next(w for w in self.state(message).windows if w.window == WINDOW)

    def look(self, message):
        """The watchdog asks the owner to look."""
        values = headers.encoded({headers.CE_TYPE: AnswerAwaited.ce_type()})
        content = b'{"at": %d, "message_id": "%b"}' % (self.now, message.encode())
        return self.work([Consumed(topics.FACTS, LANE, 10**6, message.encode(), content, values, self.now)])

    def told(self, kind):
        """States in the sender's inbox, in order, each answer once."""
        found = {}
        for p in self.written:
            if p.topic == topics.inbox(SENDER) and p.header("ce_type") == f"swb.{kind}":
                assert found.setdefault(p.header("ce_id"), p.header("swb_state")) == p.header("swb_state")
        return list(found.values())


MATRIX = {
    "on time": Faults(),
    "late": Faults(late=1, late_by=3600),
    "doubled": Faults(twice=1),
    "reordered": Faults(disorder=1),
    "rubbish first": Faults(rubbish=1),
    "everything": Faults(late=1, twice=1, disorder=1, rubbish=1),
}


@pytest.mark.parametrize("fault", MATRIX)
@pytest.mark.parametrize(("content", "verdict"), [(GOOD, "accepted"), (BAD, "rejected")], ids=["good", "bad"])
def test_whatever_happens_to_an_answer_the_verdict_is_the_window_s(fault, content, verdict):
    world = Story()
    window = world.run(content, MATRIX[fault])
    assert window.verdict == verdict
    assert window.alarms == ()
    steps = getattr(catalogue().participants[WINDOW].answers, verdict)
    assert len(world.told("answer")) == len(steps) == window.answers
    assert world.told("answer")[-1] == window.state, "who reads the inbox in order is not moved back either"
    rubbish = [p for p in world.written if p.topic == topics.DEADLETTER]
    assert [p.header("swb_reason") for p in rubbish] == ["answer-unreadable"] * bool(MATRIX[fault].rubbish) * (
        2 if MATRIX[fault].twice and not MATRIX[fault].rubbish else 1
    )


def test_a_lost_answer_is_no_verdict_and_is_told_as_overdue():
    world = Story()
    window = world.run(GOOD, Faults(fail=1), looks=(3600 * 1000, DAY))
    assert (window.state, window.verdict) == ("delivered", "")
    assert set(dict(window.overdue)) == {"receipt", "decision"}
    assert set(world.told("notice")) == {"overdue"}
    assert world.told("answer") == []


def test_a_dead_window_fails_without_a_verdict_and_its_late_answer_counts_once_it_has_the_message(monkeypatch):
    """Its inbox refuses: the delivery waits, is given up, is told as a failure, and is no rejection."""
    world = Story()
    refused = []

    def shut(self, participant, record, place):
        if participant == WINDOW:
            refused.append(record)
            return DeliveryRoute("deadletter", "inbox refuses")
        return DeliveryRoute("inbox")

    with monkeypatch.context() as dead:
        dead.setattr("broker.relay.delivery_routes.DeliveryRoutes.route", shut)
        window = world.run(GOOD, Faults())
    assert (window.state, window.verdict, window.delivered) == ("failed", "", "")
    assert world.told("notice") == ["failed"]
    (payload,) = refused
    message = ids.message_id(SENDER, "1")
    replies = reply(windows(catalogue())[WINDOW], payload.value, rules().render.pointers, datetime.now(UTC))
    early = world.send(WINDOW, replies[0].key, replies[0].content, ce_id=replies[0].id)
    assert [p.header("swb_reason") for p in early if p.topic == topics.DEADLETTER] == ["answer-unmatched"]
    assert world.at_window(message).verdict == ""
    fact = b'{"v":1,"at":%d,"message_id":"%b","window":"%b"}' % (world.now, message.encode(), WINDOW.encode())
    values = headers.encoded({headers.CE_TYPE: PayloadDelivered.ce_type()})
    world.work([Consumed(topics.FACTS, LANE, 10**6, message.encode(), fact, values, world.now)])
    assert world.at_window(message).state == "delivered"
    for record in replies:
        world.send(WINDOW, record.key, record.content, ce_id=record.id)
    assert world.at_window(message).verdict == "accepted"


def test_the_receipt_says_where_the_document_goes_and_every_answer_how_it_stands_everywhere():
    world = Story()
    world.run(GOOD, Faults())
    inbox = [p for p in world.written if p.topic == topics.inbox(SENDER)]
    texts = {p.header("ce_type"): p.value.decode() for p in inbox}
    assert "At pe-vuce: en camino a la ventanilla" in texts["swb.receipt"]
    assert "At sg-tradenet: aceptado" in texts["swb.answer"]
    assert "At pe-vuce: entregado a la ventanilla" in texts["swb.answer"]


def test_a_receipt_asked_for_again_says_what_the_first_one_said():
    """The sender's own references and the line's warnings, under the same id."""
    world = Story()
    content = (SAMPLES / "long-texts.xml").read_bytes()
    for _ in range(2):
        world.send(SENDER, b"k", content, ce_id="1")
    first, again = (p for p in world.written if p.topic == topics.inbox(SENDER))
    assert json.loads(first.header("swb_findings"))
    assert {f["severity"] for f in json.loads(first.header("swb_findings"))} == {"warning"}
    assert again.header("swb_findings") == first.header("swb_findings")
    assert again.header("ce_id") == first.header("ce_id")
    said = [etree.fromstring(p.value).findall(".//{*}ReferenceSPSReferencedDocument/{*}ID") for p in (first, again)]
    assert said[0][0].text == said[1][0].text != ids.message_id(SENDER, "1")


def test_a_delivery_that_is_given_up_is_told_in_the_form_of_the_document(monkeypatch):
    monkeypatch.setattr(
        "broker.relay.delivery_routes.DeliveryRoutes.route",
        lambda _s, to, *_: DeliveryRoute("deadletter" if to == WINDOW else "inbox"),
    )
    world = Story()
    world.send(SENDER, b"k", GOOD, ce_id="1")
    (notice,) = [p for p in world.written if p.header("ce_type") == "swb.notice"]
    assert etree.QName(etree.fromstring(notice.value)).localname == "SPSAcknowledgement"
    assert notice.header("swb_document_type") == "sps/sps-certificate-17"


def test_the_state_of_every_fault_in_a_table():
    """The whole matrix at once, as it may be read: fault, content, final state."""
    table = {
        (name, label): Story().run(content, faults).state
        for name, faults in MATRIX.items()
        for label, content in (("good", GOOD), ("bad", BAD))
    }
    accepted, rejected = (
        {s for (_, c), s in table.items() if c == "good"},
        {s for (_, c), s in table.items() if c == "bad"},
    )
    assert (len(accepted), len(rejected)) == (1, 1)
    statuses = rules().statuses.states
    assert {statuses[s].verdict for s in accepted} == {"accepted"}
    assert {statuses[s].verdict for s in rejected} == {"rejected"}
