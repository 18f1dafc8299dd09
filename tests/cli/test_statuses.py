"""``swb statuses``: canonical states against the codes of every list, both ways."""

from broker.cli import statuses
from broker.paths import data_root
from broker.registry.statuses import load
from tests.support.cli_kit import objects

KNOWN = load(data_root() / "mappings/statuses")


def test_every_code_of_every_list_is_there_once_each_way():
    found = statuses.pairs(KNOWN, "")
    for one in KNOWN.lists.values():
        ways = {way: [p for p in found if p["list"] == one.id and p["way"] == way] for way in ("in", "out")}
        assert [p["code"] for p in ways["in"]] == list(one.codes)
        assert [p["state"] for p in ways["out"]] == list(one.states)


def test_one_list_alone_and_none_of_a_wrong_name(swb):
    name = next(iter(KNOWN.lists))
    assert {one["list"] for one in objects(swb("statuses", "--list", name, "-o", "json")[1])} == {name}
    code, _, err = swb("statuses", "--list", "nothing")
    assert (code, "nothing is none of" in err) == (2, True)


def test_for_people_each_state_is_a_line(swb):
    lines = swb("statuses")[1].splitlines()
    assert set(KNOWN.states) <= {line.split()[0] for line in lines if line}
