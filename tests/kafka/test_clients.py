"""The settings that the guarantees rest on."""

from broker.kafka import clients
from broker.kafka.lanes.assignor import LaneAssignor
from broker.settings import Settings


async def test_the_relay_reads_what_is_committed_and_commits_nothing_by_itself(monkeypatch):
    given = {}
    monkeypatch.setattr(clients, "_RelayConsumer", lambda **options: given.update(options))
    monkeypatch.setattr(clients.unpack, "install", lambda _: None)
    clients.relay_consumer(Settings(), "w-1", 12)
    assert (given["isolation_level"], given["enable_auto_commit"], given["group_instance_id"]) == (
        "read_committed", False, "w-1",
    )  # fmt: skip
    assert given["partition_assignment_strategy"] == (LaneAssignor,)


async def test_a_lane_s_producer_is_fenced_by_its_transactional_id(monkeypatch):
    given = []
    monkeypatch.setattr(clients, "AIOKafkaProducer", lambda **options: given.append(options))
    clients.lane_producer(Settings(), 3)
    clients.plain_producer(Settings(), "x")
    lane, plain = given
    assert (lane["acks"], lane["transactional_id"]) == ("all", clients.transactional_id(3))
    assert (plain["acks"], plain["enable_idempotence"], "transactional_id" in plain) == ("all", True, False)
