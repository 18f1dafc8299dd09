"""What the relay's tests share: participants of their own, workers as processes, and an independent reader."""

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourcePatternType,
    ResourceType,
)

from broker.kafka import reading
from broker.kafka.admin import topics as admin
from broker.relay import topics
from broker.relay.dead_letters import DeadLetter
from broker.settings import Settings

AUTHORIZER = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}
"""Of a Kafka on which :func:`forbid` has an effect."""
WORKER = Path(__file__).with_name("toy_worker.py")
QUICK = {
    "SWB_SESSION_SECONDS": "6",
    "SWB_HEARTBEAT_SECONDS": "1",
    "SWB_REBALANCE_SECONDS": "8",
    "SWB_RETRY_FIRST_SECONDS": "0.2",
    "SWB_RETRY_LONGEST_SECONDS": "1",
    "SWB_PRODUCE_SECONDS": "3",
    "SWB_DRAIN_SECONDS": "3",
}


class Kit:
    """One test's installation on a cluster; its workers end with it."""

    def __init__(self, bootstrap, folder, partitions=4, **codes):
        self.bootstrap, self.folder = bootstrap, folder
        self.codes = {code.replace("_", "-"): kind for code, kind in codes.items()}
        self.settings = Settings(bootstrap=bootstrap, partitions=partitions)
        self.workers = []
        self.producer = Producer(
            {
                "bootstrap.servers": bootstrap, "linger.ms": 5, "log_level": 0, "message.max.bytes": 17 << 20,
                "enable.idempotence": True, **reading.ONE_BY_ONE,  # what is sent again must not overtake, nor be lost
            }
        )  # fmt: skip
        self.admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        self.refused = []
        self.create_topics()

    def create_topics(self):
        """Every topic that is missing."""
        admin.create(self.settings, self.codes)

    def worker(self, instance="", **env):
        """A worker process; its log is in the folder."""
        out = (self.folder / f"worker-{len(self.workers)}.log").open("wb")
        given = {
            **os.environ, **QUICK, "SWB_BOOTSTRAP": self.bootstrap, "SWB_INSTANCE": instance,
            "SWB_TOY": ",".join(f"{code}:{kind}" for code, kind in self.codes.items()), **env,
        }  # fmt: skip
        with out:
            process = subprocess.Popen([sys.executable, str(WORKER)], env=given, stdout=out, stderr=out)
        process.log = Path(out.name)
        process.has_opened = lambda: "lane.opened" in process.log.read_text()
        process.holds = lambda: process.log.read_text().count("transaction.held")
        self.workers.append(process)
        return process

    def close(self):
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()
            worker.wait()

    def send(self, sender, key, value, **extra):
        values = [(name, text.encode()) for name, text in extra.items()]
        self.producer.produce(topics.outbox(sender), value, key, headers=values, on_delivery=self._taken)
        self.producer.poll(0)

    def flush(self):
        assert self.producer.flush(30) == 0
        assert not self.refused

    def _taken(self, error, _):
        if error:
            self.refused.append(error)

    def read(self, topic, isolation="read_committed"):
        """Everything on a topic now, partition by partition."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap, "group.id": "kit", "enable.auto.commit": False,
                "isolation.level": isolation, "enable.partition.eof": True, "auto.offset.reset": "earliest",
            }
        )  # fmt: skip
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([TopicPartition(topic, p, 0) for p in partitions])
        found, ended = [], set()
        while len(ended) < len(partitions):
            for record in consumer.consume(1000, 0.5):
                if record.error() is None:
                    found.append(Seen(record))
                else:
                    ended.add(record.partition())
        consumer.close()
        return sorted(found, key=lambda r: (r.partition, r.offset))

    def inbox(self, participant, kind=None):
        records = self.read(topics.inbox(participant))
        return [r for r in records if kind is None or r.header("ce_type") == f"swb.{kind}"]

    def until(self, condition, seconds=30, every=0.3):
        """The first true value of the condition; fails with the workers' last words."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := condition():
                return value
            time.sleep(every)
        tails = "\n".join(w.log.read_text()[-3000:] for w in self.workers)
        raise AssertionError(f"not within {seconds} s; workers said:\n{tails}")

    def letters(self, destination):
        return [r for r in self.read(topics.DEADLETTER) if r.header("swb_destination") == destination]

    def redrive(self, letters):
        """What ``swb deadletter redrive`` does with them."""
        wanted = {(r.partition, r.offset) for r in letters}
        found = [r for r in reading.read(self.settings, topics.DEADLETTER) if (r.partition, r.offset) in wanted]
        reading.write(self.settings, [DeadLetter(r).redriven("tester") for r in found])


def alter(admin, topic, name, value):
    """One setting of a topic."""
    entry = ConfigEntry(name, str(value), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(20)


def delete(admin, topic):
    """A topic that is gone, and known to be gone."""
    admin.delete_topics([topic])[topic].result(20)
    end = time.monotonic() + 30
    while topic in admin.list_topics(timeout=10).topics:
        assert time.monotonic() < end, f"{topic} is still there"
        time.sleep(0.1)


def forbid_reading(admin, topic):
    """From now on nobody may read the topic; all may write to it."""
    forbid(admin, topic, barred=AclOperation.READ, free=AclOperation.WRITE)


def forbid(admin, topic, barred=AclOperation.WRITE, free=AclOperation.READ):
    """From now on nobody may write to the topic; all may read it."""
    given = (barred, AclPermissionType.DENY), (free, AclPermissionType.ALLOW)
    rules = [
        AclBinding(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, "User:*", "*", operation, permission)
        for operation, permission in given
    ]
    for future in admin.create_acls(rules).values():
        future.result(20)
    time.sleep(1)  # a node hears of it a moment after the answer


def permit(admin, topic):
    """What was forbidden is allowed again."""
    wanted = AclBindingFilter(
        ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    admin.delete_acls([wanted])[wanted].result(20)


class Seen:
    """A record as the independent reader saw it."""

    def __init__(self, record):
        self.topic, self.partition, self.offset = record.topic(), record.partition(), record.offset()
        self.key, self.value, self.timestamp = record.key(), record.value(), record.timestamp()[1]
        self.headers = record.headers() or []

    def header(self, name):
        return next((v.decode() for n, v in self.headers if n == name), "")


def doubled(records):
    """Ids that came more than once."""
    return [name for name, times in Counter(r.header("ce_id") for r in records).items() if times > 1]


def is_in_order(records, number):
    """Whether, per key, the numbers come in the order in which they were sent."""
    last = {}
    for record in records:
        n = number(record)
        if n < last.get(record.key, -1):
            return False
        last[record.key] = n
    return True
