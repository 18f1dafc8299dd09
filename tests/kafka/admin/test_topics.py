"""Every topic as it has to be."""

from broker.kafka.admin.topics import wanted
from broker.relay import topics
from broker.settings import Settings


def test_state_is_compacted_and_what_waits_is_never_thrown_away():
    found = {one.name: one for one in wanted(Settings(partitions=3), ["pe-vuce"])}
    assert {one.partitions for one in found.values()} == {3}
    assert {found[name].config["cleanup.policy"] for name in topics.STATE} == {"compact"}
    assert found[topics.retry("pe-vuce")].config["retention.ms"] == "-1"


def test_a_segment_has_room_for_the_largest_record():
    settings = Settings()
    for one in wanted(settings, ["pe-vuce"]):
        assert int(one.config["max.message.bytes"]) == settings.max_record_bytes
        assert int(one.config.get("segment.bytes", 1 << 40)) > settings.max_record_bytes
