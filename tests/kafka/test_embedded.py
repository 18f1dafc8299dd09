import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from broker.embedded import jars
from broker.embedded.node import EmbeddedKafka
from broker.model.errors import Failed

SWB = Path(sys.executable).with_name("swb")


def create(bootstrap, topic, **config):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, 1, -1, config=config)])[topic].result(20)


def write(bootstrap, topic, values, **config):
    """The errors of the values that were refused."""
    errors = []
    producer = Producer({"bootstrap.servers": bootstrap, "message.timeout.ms": 10_000, "log_level": 0, **config})
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, _: errors.append(error) if error else None)
    producer.flush(20)
    return errors


def read(bootstrap, topic, count, seconds=20):
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": f"{topic}-reader", "auto.offset.reset": "earliest", "log_level": 0}
    )
    consumer.subscribe([topic])
    found, deadline = [], time.monotonic() + seconds
    while len(found) < count and time.monotonic() < deadline:
        record = consumer.poll(0.2)
        if record is not None and record.error() is None:
            found.append(record.value())
    consumer.close()
    return found


def is_alive(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False


def test_what_is_written_is_read(kafka_bootstrap, unique):
    topic = unique("embedded")
    create(kafka_bootstrap, topic)
    assert write(kafka_bootstrap, topic, [b"one", b"two"]) == []
    assert read(kafka_bootstrap, topic, 2) == [b"one", b"two"]


def test_a_topic_that_nobody_made_is_not_made_by_a_slip(kafka_bootstrap, unique):
    assert write(kafka_bootstrap, unique("slip"), [b"x"], **{"message.timeout.ms": 1500})


def test_a_node_that_was_killed_comes_back_with_what_it_had(tmp_path, unique):
    with EmbeddedKafka(data=tmp_path) as kafka:
        topic = unique("kept")
        create(kafka.bootstrap, topic)
        assert write(kafka.bootstrap, topic, [b"before"]) == []
        first = kafka.nodes[0].pid
        kafka.kill_node(1)
        with pytest.raises(Failed):
            _ = kafka.nodes[0].pid
        kafka.start_node(1)
        assert kafka.nodes[0].pid != first
        assert write(kafka.bootstrap, topic, [b"after"]) == []
        last = kafka.nodes[0].pid
    assert not is_alive(last)
    with EmbeddedKafka(data=tmp_path) as again:  # other ports, the same data
        assert read(again.bootstrap, topic, 2) == [b"before", b"after"]


def test_a_broker_that_dies_while_starting_fails_at_once_with_its_log(tmp_path):
    began = time.monotonic()
    with pytest.raises(Failed, match=r"num\.network\.threads"):
        EmbeddedKafka(data=tmp_path, properties={"num.network.threads": "none"}).start()
    assert time.monotonic() - began < 30


def test_a_port_that_is_taken_is_told(kafka_bootstrap, tmp_path):
    port = int(kafka_bootstrap.rsplit(":", 1)[1])
    with pytest.raises(Failed, match=f"Port {port} is in use"):
        EmbeddedKafka(data=tmp_path, port=port)


def test_a_broker_whose_files_may_not_grow_refuses_and_dies(tmp_path, unique):
    with EmbeddedKafka(data=tmp_path, properties={"log.index.size.max.bytes": "4096"}) as kafka:
        topic = unique("full")
        create(kafka.bootstrap, topic)
        assert write(kafka.bootstrap, topic, [b"small"]) == []
        resource.prlimit(kafka.nodes[0].pid, resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        assert write(kafka.bootstrap, topic, [os.urandom(90_000)] * 4, **{"message.timeout.ms": 4000})


def test_a_halted_node_is_stopped_all_the_same(tmp_path):
    kafka = EmbeddedKafka(data=tmp_path).start()
    pid = kafka.nodes[0].pid
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    kafka.stop()
    assert time.monotonic() - began < 25
    assert not is_alive(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_it_dies_with_its_parent(tmp_path):
    code = (
        "import os, sys, time; from pathlib import Path; from broker.embedded.node import EmbeddedKafka;"
        "k = EmbeddedKafka(data=Path(sys.argv[1])).start(); print(k.nodes[0].pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    deadline = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(pid)


def test_one_of_three_may_fall(cluster3, unique):
    topic = unique("three")
    create(cluster3.bootstrap, topic)
    for number in (1, 2, 3):
        cluster3.kill_node(number)
        assert write(cluster3.bootstrap, topic, [b"%d" % number], acks="all", **{"message.timeout.ms": 20_000}) == []
        cluster3.start_node(number)
    assert read(cluster3.bootstrap, topic, 3) == [b"1", b"2", b"3"]


def test_a_jar_that_is_not_the_pinned_one_is_never_run(tmp_path, monkeypatch):
    monkeypatch.setenv("SWB_CACHE", str(tmp_path))
    folder = tmp_path / f"kafka-{jars.KAFKA}"
    folder.mkdir()
    for name in jars.pins():
        (folder / name).write_bytes(b"something else")
    with pytest.raises(jars.Unavailable, match=r"46 of 46 jars .* are not the pinned ones"):
        EmbeddedKafka().start()


def test_swb_kafka_runs_it_for_people(tmp_path):
    def swb(*arguments):
        done = subprocess.run(
            [SWB, "kafka", *arguments, "--data", tmp_path], check=False, capture_output=True, text=True, timeout=90
        )
        return done.returncode, done.stdout, done.stderr

    port = "0"
    assert swb("status")[0] == 1
    with EmbeddedKafka(data=tmp_path / "other") as other:
        port = str(other.nodes[0].port)
        code, _, said = swb("start", "--detach", "--port", port)
        assert (code, f"Port {port} is in use" in said) == (2, True)
    assert swb("start", "--detach", "--port", port)[0] == 0
    try:
        code, out, _ = swb("status", "-o", "json")
        told = json.loads(out)
        assert (code, told["bootstrap"]) == (0, f"127.0.0.1:{port}")
        assert is_alive(told["pid"])
        assert swb("start", "--port", port)[0] == 2
    finally:
        assert swb("stop")[0] == 0
    assert not is_alive(told["pid"])
    assert swb("stop")[0] == 2


def test_ctrl_c_leaves_nothing_running(tmp_path):
    with EmbeddedKafka(data=tmp_path / "other") as other:
        port = str(other.nodes[0].port)
    with subprocess.Popen(
        [SWB, "kafka", "start", "--data", tmp_path, "--port", port], stdout=subprocess.PIPE, text=True
    ) as process:
        assert f"127.0.0.1:{port}" in process.stdout.readline()
        pid = json.loads((tmp_path / "running.json").read_text())["pid"]
        process.send_signal(signal.SIGINT)
        assert process.wait(25) == 0
    assert not is_alive(pid)
    assert not (tmp_path / "running.json").exists()
