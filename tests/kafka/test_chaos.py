"""The chaos test in its short form, and proof that it finds what it looks for: four promises broken on purpose."""

import json
import os
import sys
from collections import Counter

import pytest

from broker.embedded.jars import Unavailable, jars
from broker.embedded.node import EmbeddedKafka
from tests.kafka.chaos import account as chaos_account
from tests.kafka.chaos import run as chaos
from tests.kafka.chaos.corpus import Corpus
from tests.support.relay_kit import AUTHORIZER

pytestmark = pytest.mark.chaos


@pytest.fixture(scope="module")
def kafka(tmp_path_factory):
    try:
        jars()
    except Unavailable as error:
        if os.environ.get("SWB_REQUIRE_KAFKA"):
            pytest.fail(f"SWB_REQUIRE_KAFKA is set: {error}")
        pytest.skip(str(error))
    with EmbeddedKafka(data=tmp_path_factory.mktemp("chaos"), properties=AUTHORIZER) as kafka:
        yield kafka


def run(tmp_path, kafka, **options):
    found = chaos.carry_out(chaos.Options(**options), tmp_path, kafka)
    sys.stdout.write("\n".join(chaos.tell(found)) + "\n")
    return found


def test_nothing_lost_nothing_twice(tmp_path, kafka):
    found = run(tmp_path, kafka, seed=11, documents=2000, kills=8)
    assert found["breaches"] == 0, json.dumps(found["examples"], indent=1)
    assert found["kills"] >= 8
    assert set(found["families"]) >= {"invoice", "origin", "sps"}
    events = {"halt", "join_and_leave", "broker_killed", "small_inbox", "barred_inbox", "make_late_inbox"}
    assert events <= set(found["events"])
    assert found["seen"]["dead letter of a document"]
    assert found["recovery_seconds"]["n"]


SMALL = {"documents": 400, "workers": 1, "backlog": 150, "windows": False, "hold": 0.5, "largest": 6000}


@pytest.mark.parametrize(
    ("broken", "finds", "options"),
    [
        ("offsets-outside", "missing", {"events": "kill", "kills": 4}),
        ("no-fencing", "doubled", {"events": "zombie", "kills": 0, "workers": 2, "hold": 2.0}),
        ("no-await", "missing", {"events": "small", "kills": 0}),
        ("keep-plan", "missing", {"events": "small", "kills": 0}),
    ],
)
def test_a_broken_promise_is_found(tmp_path, kafka, broken, finds, options):
    found = run(tmp_path, kafka, seed=3, broken=broken, **{**SMALL, **options})
    assert found[finds] > 0, json.dumps(found, indent=1)


def test_the_book_says_what_must_become_of_everything():
    corpus = Corpus("book", 5, 6000)
    for _ in range(3000):
        corpus.draw()
    verdicts = Counter(entry.verdict for sent in corpus.book.values() for entry in sent.entries.values())
    assert set(verdicts) == {"accepted", "refused", "not_routed", "dead"}
    assert any(sent.times > 1 for sent in corpus.book.values())
    assert any(sent.key is None for sent in corpus.book.values())
    account = chaos_account.Account()
    nothing = chaos_account._Found(corpus.book)
    for message, sent in corpus.book.items():
        chaos_account._one(account, nothing, message, sent, set())
    assert len(account.missing) >= len(corpus.book)
