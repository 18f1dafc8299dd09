"""Documents seen lately are at hand, and no more of them than there is room for."""

from broker.kafka.origins import OriginReader
from broker.relay.records import Place
from broker.settings import Settings


def place(number):
    return Place("swb.aa.outbox", 0, number)


async def test_what_was_seen_lately_is_not_read_again_and_the_oldest_goes_first(monkeypatch):
    reader, asked = OriginReader(Settings(), room=80), []

    async def read(where):
        asked.append(where)

    monkeypatch.setattr(reader, "_read", read)
    for number in range(10):
        reader.see(place(number), b"x" * 10)
    assert await reader.read(place(9)) == b"x" * 10
    assert asked == []
    assert await reader.read(place(0)) is None
    assert asked == [place(0)]


async def test_what_is_too_large_is_not_kept(monkeypatch):
    reader = OriginReader(Settings(), room=80)
    reader.see(place(1), b"x" * 11)
    assert reader._held == 0
