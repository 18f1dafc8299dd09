"""A node before it runs: ports, properties, and its words when it does not. (Running nodes: ``tests/kafka``.)"""

import socket

import pytest

from broker.embedded.node import EmbeddedKafka, KafkaNode, _free_ports
from broker.model.errors import Failed


def test_a_cluster_of_three_keeps_three_copies_and_has_ports_of_its_own(tmp_path):
    kafka = EmbeddedKafka(nodes=3, data=tmp_path, properties={"num.partitions": "7"})
    first = kafka._properties(kafka.nodes[0])
    assert (first["default.replication.factor"], first["min.insync.replicas"], first["num.partitions"]) == (
        "3",
        "2",
        "7",
    )
    ports = [port for node in kafka.nodes for port in (node.port, node.internal_port, node.controller_port)]
    assert len(set(ports)) == 9
    assert kafka.bootstrap == ",".join(f"127.0.0.1:{node.port}" for node in kafka.nodes)


def test_a_port_that_is_taken_is_told():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(Failed, match=f"Port {port} is in use"):
            _free_ports(3, (port,))


def test_a_node_that_does_not_run_has_no_process_and_a_short_log(tmp_path):
    node = KafkaNode(1, 2, 3, 4, tmp_path)
    assert node.tail() == "(no log)"
    node.log.write_text("\n".join(map(str, range(20))))
    assert node.tail(2) == "18\n19"
    with pytest.raises(Failed, match="node 1 does not run"):
        _ = node.pid
