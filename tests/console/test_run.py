"""The read model lies where it is set, else in the cache, one for each Kafka."""

from broker.console.run import database
from broker.settings import Settings


def test_a_database_is_that_of_its_kafka(tmp_path, monkeypatch):
    monkeypatch.setenv("SWB_CACHE", str(tmp_path))
    one, other = (database(Settings(bootstrap=f"127.0.0.1:{port}")) for port in (1, 2))
    assert one == f"sqlite:///{tmp_path}/console/127-0-0-1-1.sqlite" != other
    assert database(Settings(console_database="sqlite:///x")) == "sqlite:///x"
