"""Which way a delivery takes, and that those of one key stay in their order."""

from broker.relay import topics
from broker.relay.circuit_breaker import CircuitBreakers
from broker.relay.delivery_routes import INBOX, DeliveryRoute, DeliveryRoutes, size
from broker.relay.records import Place, Produced
from broker.settings import Settings

SOURCE = Place("swb.aa.outbox", 0, 1)


def routes(limit=1000):
    circuits = CircuitBreakers(Settings(), lambda: 0.0, lambda: 1.0)
    return DeliveryRoutes(circuits, limit), circuits


def payload(key=b"k", value=b"x"):
    return Produced(topics.inbox("xx"), key, value)


def test_what_follows_one_that_waits_waits_too_and_others_go_on():
    made, circuits = routes()
    assert made.route("xx", payload(), SOURCE) == INBOX
    circuits.failed("xx", "missing")
    assert made.route("xx", payload(), SOURCE) == DeliveryRoute("retry", "missing")
    made.waits("xx", b"k")
    made.keep([SOURCE])
    circuits.worked("xx")
    assert made.route("xx", payload(), SOURCE) == DeliveryRoute("retry", "behind-waiting")
    assert made.route("xx", payload(b"other"), SOURCE) == INBOX
    made.leaves("xx", b"k", 0)
    made.keep([])
    assert made.route("xx", payload(), SOURCE) == INBOX


def test_a_batch_that_never_was_leaves_nobody_waiting():
    made, _ = routes()
    made.waits("xx", b"k")
    made.forget()
    assert made.route("xx", payload(), SOURCE) == INBOX


def test_what_is_too_large_or_was_refused_is_a_dead_letter_until_that_is_committed():
    made, _ = routes(limit=300)
    assert made.route("xx", payload(value=b"x" * 300), SOURCE) == DeliveryRoute("deadletter", "too-large")
    refused = DeliveryRoute("deadletter", "said no")
    made.refused(SOURCE, topics.inbox("xx"), refused)
    assert made.route("xx", payload(), SOURCE) == refused
    made.keep([SOURCE])
    assert made.route("xx", payload(), SOURCE) == INBOX


def test_where_the_queue_takes_nothing_either_it_is_a_dead_letter():
    made, circuits = routes()
    circuits.failed("xx", "missing")
    made.queue_failed("xx", "gone")
    assert made.route("xx", payload(), SOURCE) == DeliveryRoute("deadletter", "retry-gone")


def test_a_record_is_never_larger_than_it_is_reckoned():
    assert size(Produced("t", b"kk", b"vvv", (("a", b"b"),))) >= 2 + 3 + 2
