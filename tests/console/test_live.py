"""The live tail: everybody who watches hears everything, or how much was left out."""

import asyncio

from broker.console import live
from broker.console.live import Tail


async def test_who_comes_back_hears_what_was_missed():
    tail = Tail(asyncio.get_running_loop())
    for number in range(3):
        tail._hand_on({"n": number})
    assert [event["n"] for _, event in tail.watch(after=1).waiting] == [1, 2]
    assert not tail.watch().waiting


async def test_who_cannot_keep_up_is_told_how_much_was_left_out(monkeypatch):
    monkeypatch.setattr(live, "_ROOM", 2)
    tail = Tail(asyncio.get_running_loop())
    watcher = tail.watch()
    for number in range(5):
        tail._hand_on({"n": number})
    assert (len(watcher.waiting), watcher.left_out, watcher.woken.is_set()) == (2, 3, True)
    tail.leave(watcher)
    tail._hand_on({"n": 5})
    assert watcher.left_out == 3
