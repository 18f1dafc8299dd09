"""``swb participants``: who is connected, with topics."""

import json


def test_participants_and_their_topics(swb):
    code, out, _ = swb("participants", "-o", "json")
    found = {p["code"]: p for p in json.loads(out)}
    assert code == 0
    assert found["pe-vuce"]["kind"] == "window"
    assert found["pe-vuce"]["topics"] == {"outbox": "swb.pe-vuce.outbox", "inbox": "swb.pe-vuce.inbox"}
    assert all(set(p) == {"code", "name", "kind", "economy", "identifiers", "topics"} for p in found.values())
    assert [i["scheme"] for i in found["pe-vuce"]["identifiers"]] == ["ruc"]
    _, text, _ = swb("participants")
    assert len(text.splitlines()) == len(found)
