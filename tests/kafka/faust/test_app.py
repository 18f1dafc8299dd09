"""The Faust application that the agents run in, as far as it needs no Kafka."""

from broker.kafka.faust.app import faust_app
from broker.settings import Settings


async def test_it_leaves_no_folders_where_it_was_started(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    await faust_app(Settings(), "nothing-on-disk").on_first_start()
    assert list(tmp_path.iterdir()) == []
