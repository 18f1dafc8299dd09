"""What waits for a name has its share of what is shared: count, bytes and age, per participant. No Kafka."""

import json

import pytest

from broker.relay import ids, references, topics
from broker.relay.entries import Name
from tests.relay.test_answers import MESSAGE, SENDER, WINDOW, document, inbox, response
from tests.support.world import World

DAY = 86_400_000


@pytest.fixture
def world():
    return World()


def early(world, n, pad=0):
    """An answer by a number that nobody knows."""
    content = response(f"a{n}", "01", reference="", mrn=f"NOBODY{n}")
    padded = content.replace(b"</Response>", b"<X>%b</X></Response>" % (b"y" * pad))
    return world.send(WINDOW, b"k", padded, ce_id=f"r{n}")


def reasons(written):
    return [p.header("swb_reason") for p in written if p.topic == topics.DEADLETTER]


def kept(world):
    return sum(len(value) for _, value in world.stores.references.items())


def test_answers_under_made_up_numbers_fill_the_share_of_their_window_and_no_more(world, monkeypatch):
    monkeypatch.setattr(references, "WAITING_MOST", 50)
    told = [reasons(early(world, n)) for n in range(60)]
    assert told == [[]] * 50 + [["answer-waiting-full"]] * 10
    world.send(SENDER, b"k", document(), ce_id="1")
    assert inbox(world.send(WINDOW, b"k", response("m", "02"), ce_id="m"), SENDER, "answer"), "others go on"


def test_large_answers_under_made_up_numbers_fill_it_by_their_bytes(world):
    told = [reasons(early(world, n, 900_000)) for n in range(12)]
    assert told == [[]] * 9 + [["answer-waiting-full"]] * 3
    assert kept(world) < 10 << 20


def test_what_goes_on_makes_room(world, monkeypatch):
    monkeypatch.setattr(references, "WAITING_MOST", 2)
    world.send(SENDER, b"k", document(), ce_id="1")
    early(world, 1)
    early(world, 2)
    assert reasons(early(world, 3)) == ["answer-waiting-full"]
    home = world.send(WINDOW, b"k", response("m", "02", mrn="NOBODY1"), ce_id="m")
    assert [p.header("swb_message_id") for p in inbox(home, SENDER, "answer")] == [MESSAGE, MESSAGE]
    assert reasons(early(world, 4)) == []


def test_what_has_waited_too_long_is_a_dead_letter_that_can_be_redriven(world):
    early(world, 1)
    world.now += 31 * DAY
    written = early(world, 2)
    assert reasons(written) == ["waited-too-long"]
    (letter,) = [p for p in written if p.topic == topics.DEADLETTER]
    assert letter.header("swb_destination") == topics.FACTS
    assert letter.key == ids.reference_key(WINDOW, "NOBODY1")
    assert world.stores.references.get(letter.key) is None
    queue = world.stores.references.get(b"\n" + WINDOW.encode()).queue
    assert [one.key for one in queue] == [f"{WINDOW}\nNOBODY2"]


def test_a_name_that_is_forgotten_leaves_nothing_behind_unsaid(world):
    early(world, 1)
    key = ids.reference_key(WINDOW, "NOBODY1")
    batch = world.batch()
    references.forget_name(batch, key)
    letter, tombstone = [p for _, p in batch.out]
    assert letter.header("swb_reason") == "waited-too-long"
    assert (tombstone.key, tombstone.value) == (key, None)


def test_a_queue_survives_its_codec(world):
    early(world, 1)
    (value,) = [v for k, v in world.stores.references.items() if k.startswith(b"\n")]
    assert json.loads(value)["queue"][0][0] == f"{WINDOW}\nNOBODY1"
    assert world.stores.references.codec.decode(value) == world.stores.references.get(b"\n" + WINDOW.encode())
    assert isinstance(world.stores.references.codec.decode(b'{"at": 1}'), Name)
