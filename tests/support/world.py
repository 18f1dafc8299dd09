"""A whole installation in one lane, without Kafka: the relay's plan, its memory, and the product's own data."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import count

from broker.answers.conversation import state_of
from broker.answers.way_back import load as load_home
from broker.app import rules_of
from broker.catalogue import load
from broker.content.conditions import read_condition
from broker.model.participants import RoutingRule
from broker.paths import data_root
from broker.relay import headers, topics
from broker.relay.batch import Batch
from broker.relay.circuit_breaker import CircuitBreakers
from broker.relay.delivery_routes import DeliveryRoutes
from broker.relay.dispatch import plan, plan_failed
from broker.relay.limits import OverBudget
from broker.relay.records import Consumed
from broker.relay.stores import Stores
from broker.settings import Settings

LANE = 1


@cache
def catalogue():
    """The product's own, in which Peru takes every SPS document until it hears of a replacement, Singapore always."""
    found = load()
    people = dict(found.participants)
    everything = RoutingRule("ALL", family="sps")
    originals = RoutingRule("ORIGINALS", family="sps", when=read_condition("FunctionCode = '9'", {}))
    people["sg-tradenet"] = replace(people["sg-tradenet"], accepts=(everything,))
    people["pe-vuce"] = replace(people["pe-vuce"], accepts=(originals,))
    for code in [p.code for p in found.windows() if p.code not in ("sg-tradenet", "pe-vuce")]:
        del people[code]
    return replace(found, participants=people)


@cache
def rules():
    return rules_of(Settings(), catalogue(), load_home(data_root(), catalogue()))


class World:
    """One lane that owns everything: what it writes to swb.facts and swb.intake it reads again."""

    def __init__(self, context=None):
        self.context = context or rules()
        self.now = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000)
        self.stores = Stores()
        circuits = CircuitBreakers(Settings(), lambda: 0.0, lambda: 1.0)
        self.routes = DeliveryRoutes(circuits, 17_000_000)
        self.offsets, self.sources, self.written = defaultdict(count), {}, []

    def send(self, sender, key, value, **extra):
        place = topics.outbox(sender)
        record = Consumed(place, LANE, next(self.offsets[place]), key, value, headers.encoded(extra), self.now)
        self.sources[record.place] = value
        return self.work([record])

    def batch(self):
        return Batch(LANE, self.now, self.context, self.stores, self.routes, self.sources.__getitem__)

    def plan_one(self, batch, topic, key, value, **extra):
        """One record planned into a batch; what it writes is not read."""
        assert plan(
            batch, Consumed(topic, LANE, next(self.offsets[topic]), key, value, headers.encoded(extra), self.now)
        )

    def send_raw(self, sender, key, value, given):
        """The same, with headers as bytes."""
        place = topics.outbox(sender)
        record = Consumed(place, LANE, next(self.offsets[place]), key, value, given, self.now)
        self.sources[record.place] = value
        return self.work([record])

    def plan_only(self, sender, key, value, **extra):
        """What one record writes at once, before anything that follows from it."""
        place = topics.outbox(sender)
        record = Consumed(place, LANE, next(self.offsets[place]), key, value, headers.encoded(extra), self.now)
        batch = self.batch()
        self.plan(batch, record)
        self.stores.forget()
        return [produced for _, produced in batch.out]

    def work(self, records):
        every = []
        while records:
            batch = self.batch()
            for record in records:
                self.plan(batch, record)
            self.stores.keep()
            self.routes.keep({r.place for r in records})
            written = [produced for _, produced in batch.out]
            every += written
            records = [
                Consumed(p.topic, LANE, next(self.offsets[p.topic]), p.key, p.value, p.headers, self.now)
                for p in written
                if p.topic in (topics.FACTS, topics.INTAKE)
            ]
        self.written += every
        return every

    @staticmethod
    def plan(batch, record):
        """As a lane plans it: a record over its budget is planned anew as a failure."""
        before = len(batch.out)
        try:
            assert plan(batch, record)
        except OverBudget as error:
            del batch.out[before:]
            batch.stores.forget()
            plan_failed(batch, record, f"{type(error).__name__}: {error}")

    def state(self, message):
        """What became of a message."""
        return state_of(self.history(message), rules().statuses)

    def history(self, message):
        return self.stores.conversations.get(message.encode()).history
