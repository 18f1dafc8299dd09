"""What the doctor leaves on a cluster has names of its own."""

from broker.kafka.admin.cluster_probe import ClusterProbe, _dotted
from broker.settings import Settings


def test_two_examinations_share_no_name():
    first, second = (ClusterProbe(Settings(bootstrap="127.0.0.1:1"), ()) for _ in range(2))
    assert first.name("a").startswith("swb.doctor.")
    assert first.name("a") != second.name("a")
    assert first.transactional("t")["transactional_id"] == first.name("t")


def test_settings_are_written_with_dots():
    assert _dotted({"retention_ms": "-1"}) == {"retention.ms": "-1"}
