"""``swb topics``: what was made, and what is wrong."""

import json

import pytest

from broker.kafka.admin import acls
from broker.kafka.admin import topics as admin
from broker.kafka.admin.topics import TopicFault


@pytest.mark.parametrize(
    ("made", "says"), [(["swb.facts"], "swb.facts\n1 topics made\n"), ([], "All topics are there.\n")]
)
def test_what_is_missing_is_made(swb, monkeypatch, made, says):
    monkeypatch.setattr(admin, "create", lambda *_: made)
    assert swb("topics", "create", "--bootstrap", "127.0.0.1:1") == (0, says, "")


def test_what_is_wrong_is_told_with_rights_where_asked(swb, monkeypatch):
    monkeypatch.setattr(admin, "check", lambda *_: [TopicFault("swb.facts", "missing", "is missing")])
    monkeypatch.setattr(acls, "missing", lambda *_: ["a right"])
    code, out, _ = swb("topics", "check", "--bootstrap", "127.0.0.1:1", "--acl")
    assert (code, out) == (1, "swb.facts is missing\nmissing: a right\n")
    code, out, _ = swb("topics", "check", "--bootstrap", "127.0.0.1:1", "--acl", "-o", "json")
    assert [one["kind"] for one in json.loads(out)] == ["missing", "right"]
    monkeypatch.setattr(admin, "check", lambda *_: [])
    assert swb("topics", "check", "--bootstrap", "127.0.0.1:1")[0] == 0
