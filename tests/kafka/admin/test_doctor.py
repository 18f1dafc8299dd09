"""``swb doctor`` on the Kafka that comes with the package, and on one that lacks what the relay relies on."""

import asyncio
import gc
import json

import pytest
from confluent_kafka import Producer

from broker import settings as settings_of
from broker.embedded.jars import Unavailable, jars
from broker.embedded.node import EmbeddedKafka
from broker.kafka.admin import checks
from broker.kafka.admin import topics as admin
from broker.kafka.admin.checks import CHECKS
from broker.kafka.admin.cluster_probe import ClusterProbe, Doubtful, Missing
from broker.kafka.admin.doctor import examine
from broker.model.errors import Failed
from broker.relay import topics

CODES = ("farm", "win")


def examined(bootstrap, **given):
    found = {r.check: r for r in examine(settings_of.load(bootstrap=bootstrap, **given), CODES)}
    return found, {name: r.state for name, r in found.items()}


@pytest.fixture(scope="module")
def lacking(tmp_path_factory):
    """A node that allows short transactions only, no large requests and no sessions like ours."""
    try:
        jars()
    except Unavailable as error:
        pytest.skip(str(error))
    properties = {
        "transaction.max.timeout.ms": "5000", "socket.request.max.bytes": "2000000",
        "auto.create.topics.enable": "true", "group.max.session.timeout.ms": "7000", "offsets.retention.minutes": "60",
    }  # fmt: skip
    with EmbeddedKafka(data=tmp_path_factory.mktemp("lacking"), properties=properties) as kafka:
        yield kafka.bootstrap


def test_the_kafka_of_the_package_will_do(fresh_kafka, monkeypatch, swb):
    monkeypatch.setenv("SWB_SESSION_SECONDS", "6")
    monkeypatch.setenv("SWB_HEARTBEAT_SECONDS", "1")
    monkeypatch.setenv("SWB_PARTITIONS", "2")
    assert swb("topics", "create", "--bootstrap", fresh_kafka)[0] == 0
    code, out, _ = swb("doctor", "--bootstrap", fresh_kafka, "-o", "json")
    told = json.loads(out)
    assert (code, told["missing"]) == (0, []), told
    states = {one["check"]: one["state"] for one in told["checks"]}
    assert states.pop("copies") == "warning"  # one node
    assert set(states.values()) == {"ok"}
    assert {"transactions", "aborts", "fencing", "static-members", "sizes", "headers", "compaction"} <= set(states)
    left = admin._Client(settings_of.load(bootstrap=fresh_kafka)).partitions()
    assert not [name for name in left if name.startswith("swb.doctor.")]


def test_what_is_missing_is_named(lacking):
    _, states = examined(lacking)
    assert {name for name, state in states.items() if state == "missing"} == {"sizes", "transactions", "offsets"}
    assert {name for name, state in states.items() if state == "not tried"} == {
        "aborts",
        "fencing",
        "static-members",
        "told-transactions",
        "hanging-transactions",
    }
    assert {"slips", "memory", "copies"} <= {name for name, state in states.items() if state == "warning"}
    gc.collect()  # a client that a check forgot would warn here


def test_a_topic_that_takes_too_little_is_named(fresh_kafka, unique):
    codes = (unique("small").replace("-", ""),)
    given = settings_of.load(bootstrap=fresh_kafka, partitions=2)
    tight = given.model_copy(update={"max_record_bytes": 2_000_000, "max_content_bytes": 1_000_000})
    admin.create(tight, codes)
    (installation,) = [check for check in CHECKS if check.name == "installation"]
    with pytest.raises(Missing, match=r"max\.message.bytes is 2000000"):
        asyncio.run(installation.run(ClusterProbe(given, codes)))


def test_a_transaction_that_nobody_ends_is_named(fresh_kafka, unique, monkeypatch):
    code = unique("hanging").replace("-", "")
    given = settings_of.load(bootstrap=fresh_kafka, partitions=2)
    admin.create(given, (code,))
    (hanging,) = [check for check in CHECKS if check.name == "hanging-transactions"]
    producer = Producer({"bootstrap.servers": fresh_kafka, "transactional.id": code, "log_level": 0})
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce(topics.outbox(code), b"x", partition=1)
    producer.flush(20)
    assert "looked at" in asyncio.run(hanging.run(ClusterProbe(given, (code,))))
    monkeypatch.setattr(checks, "_HANGING_MS", -60_000)  # as if it had lain there for long
    with pytest.raises(Doubtful, match=rf"swb\.{code}\.outbox/1 from 0"):
        asyncio.run(hanging.run(ClusterProbe(given, (code,))))
    producer.abort_transaction(20)


def test_no_kafka_at_all_is_told(swb):
    with pytest.raises(Failed):
        next(examine(settings_of.load(bootstrap="127.0.0.1:1"), CODES))
    code, _, error = swb("doctor", "--bootstrap", "127.0.0.1:1")
    assert (code, "Kafka does not answer" in error) == (2, True)
