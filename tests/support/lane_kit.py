"""A lane with its memory and a toy line, without Kafka: records in, records out."""

import json
from collections import defaultdict
from itertools import count

from broker.catalogue import data_root
from broker.model.documents import Payload
from broker.model.findings import Finding
from broker.model.ids import ParticipantCode
from broker.model.outcomes import Outcome
from broker.model.participants import Answering, AnswerStep, Participant, Routing
from broker.registry.statuses import Meaning
from broker.registry.statuses import load as load_statuses
from broker.relay import headers, topics
from broker.relay.batch import Batch, PlanContext, Unfetched
from broker.relay.circuit_breaker import CircuitBreakers
from broker.relay.delivery_routes import DeliveryRoutes
from broker.relay.dispatch import plan
from broker.relay.plain_notice import plain
from broker.relay.records import Consumed
from broker.relay.stores import Stores
from broker.settings import Settings

LANE = 1
STATES = {"01": "accepted", "02": "registered", "03": "rejected"}


def participant(code, kind):
    answers = Answering(accepted=(AnswerStep("01"),), rejected=(AnswerStep("03"),), states=STATES)
    return Participant(ParticipantCode(code), code, kind, code[:2], answers=answers)


PARTICIPANTS = {
    code: participant(code, kind)
    for code, kind in {"aa-farm": "agency", "bb-tax": "agency", "xx-win": "window", "yy-win": "window"}.items()
}


def line(message):
    """Content says what becomes of it: ``ok xx-win yy-win``, ``bad``, ``boom``."""
    word, *windows = message.content.decode().split()
    if word == "boom":
        raise ZeroDivisionError("boom")
    if word == "bad":
        return Outcome(message, None, (Finding("type.unknown", "no"),))
    routings = tuple(
        Routing(ParticipantCode(w), f"{w}-01" if w in windows else None, "" if w in windows else "not its goods")
        for w in ("xx-win", "yy-win")
    )
    return Outcome(message, "toy/one-1", (), Payload(b"<payload/>" + message.id.encode(), None), routings)


RULES = PlanContext(
    process=line,
    participants=PARTICIPANTS,
    render=plain,
    mapping_label=lambda name: f"{name}@1+00",
    meaning=lambda answer: Meaning(STATES.get(answer.function_code, ""), ""),
    statuses=load_statuses(data_root() / "mappings" / "statuses"),
    max_content=1000,
    retry_limit_ms=60_000,
)


class World:
    """A lane with its memory; what it writes to swb.facts may be fed back."""

    def __init__(self):
        self.clock, self.now = 0.0, 1_000_000
        self.rules = RULES
        self.stores = Stores()
        self.circuits = CircuitBreakers(Settings(), lambda: self.clock, lambda: 1.0)
        self.routes = DeliveryRoutes(self.circuits, 100_000)
        self.offsets = defaultdict(count)
        self.sources = {}

    def batch(self):
        return Batch(LANE, self.now, self.rules, self.stores, self.routes, self.fetched)

    def fetched(self, place):
        if place not in self.sources:
            raise Unfetched(place)
        return self.sources[place]

    def record(self, topic, key, value, **extra):
        values = {name.replace("content_type", "content-type"): text for name, text in extra.items()}
        return Consumed(topic, LANE, next(self.offsets[topic]), key, value, headers.encoded(values), self.now)

    def send(self, sender, key, value, **extra):
        record = self.record(topics.outbox(sender), key, value, **extra)
        self.sources[record.place] = value
        return self.work(record)

    def work(self, *records):
        batch = self.batch()
        for record in records:
            assert plan(batch, record)
        self.keep(records)
        return [produced for _, produced in batch.out]

    def keep(self, records):
        self.stores.keep()
        self.routes.keep({r.place for r in records})

    def feed(self, written):
        """What was written to swb.facts, worked by the same lane until nothing more comes."""
        every = list(written)
        while written:
            written = self.work(
                *(self.again(p, topics.FACTS) for p in written if p.topic == topics.FACTS),
            )
            every += written
        return every

    def again(self, produced, topic):
        return Consumed(
            topic, LANE, next(self.offsets[topic]), produced.key, produced.value, produced.headers, self.now
        )


def to(written, topic):
    return [p for p in written if p.topic == topic]


def kinds(written, participant):
    return [p.header("ce_type") for p in to(written, topics.inbox(participant))]


def events(written):
    return [json.loads(p.value)["event"] for p in to(written, topics.TRACKING)]


def response(reference, function="01", answer="a1", mrn="", text=""):
    error = f"<Error><Description>{text}</Description><ValidationCode>V1</ValidationCode></Error>" if text else ""
    return (
        f'<Response xmlns="urn:wco:datamodel:WCO:RES-DMS:2"><FunctionCode>{function}</FunctionCode>'
        f"<FunctionalReferenceID>{answer}</FunctionalReferenceID>{error}<Declaration>"
        f"<FunctionalReferenceID>{reference}</FunctionalReferenceID><ID>{mrn}</ID></Declaration></Response>"
    ).encode()
