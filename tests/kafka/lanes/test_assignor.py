"""Who works which lane. No Kafka is needed: the group's leader is a pure function."""

import random

from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

from broker.kafka.lanes.assignor import LaneAssignor, divided
from broker.relay import topics


def test_the_first_has_all_and_lanes_move_only_as_far_as_is_fair():
    assert divided(12, {"a": (0, [])}) == {"a": list(range(12))}
    both = divided(12, {"a": (1, range(12)), "b": (0, [])})
    assert both == {"a": list(range(6)), "b": list(range(6, 12))}
    three = divided(12, {"a": (2, both["a"]), "b": (2, both["b"]), "c": (0, [])})
    assert [len(three[m]) for m in "abc"] == [4, 4, 4]
    assert set(three["a"]) < set(both["a"])
    assert set(three["b"]) < set(both["b"])


def test_who_leaves_leaves_its_lanes_and_nobody_else_s_move():
    left = divided(12, {"a": (3, [0, 1, 2, 3]), "c": (3, [8, 9, 10, 11])})
    assert set(left["a"]) > {0, 1, 2, 3}
    assert set(left["c"]) > {8, 9, 10, 11}
    assert [len(left[m]) for m in "ac"] == [6, 6]


def test_of_two_that_claim_a_lane_the_later_one_has_it():
    found = divided(4, {"old": (3, [0, 1, 2, 3]), "new": (7, [2, 3])})
    assert found == {"old": [0, 1], "new": [2, 3]}


def test_whatever_members_say_every_lane_has_one_owner_and_the_shares_are_even():
    chance = random.Random(5)
    for _ in range(500):
        count = chance.randint(1, 14)
        held = {
            f"m{n}": (chance.randint(0, 3), [chance.randint(-1, count + 1) for _ in range(chance.randint(0, count))])
            for n in range(chance.randint(1, 6))
        }
        found = divided(count, held)
        assert sorted(lane for lanes in found.values() for lane in lanes) == list(range(count))
        sizes = [len(lanes) for lanes in found.values()]
        assert max(sizes) - min(sizes) <= 1
        again = divided(count, {member: (9, lanes) for member, lanes in found.items()})
        assert again == found, "a second round moves nothing"


class Cluster:
    def __init__(self, **partitions):
        self.partitions = partitions

    def partitions_for_topic(self, name):
        return set(range(self.partitions[name])) if name in self.partitions else None


OUT, NEW, ODD = topics.outbox("farm"), topics.outbox("new"), topics.outbox("odd")


def given(assignment):
    return {name: list(numbers) for name, numbers in assignment.assignment}


def test_an_index_is_one_members_over_all_topics_also_those_the_others_do_not_know():
    cluster = Cluster(**{topics.FACTS: 4, topics.INTAKE: 4, OUT: 4, NEW: 4, ODD: 3})
    old = ConsumerProtocolMemberMetadata(0, [topics.FACTS, topics.INTAKE, OUT, ODD], b"")
    new = ConsumerProtocolMemberMetadata(0, [topics.FACTS, topics.INTAKE, OUT, NEW, "swb.gone.outbox"], b"junk")
    found = {m: given(a) for m, a in LaneAssignor.assign(cluster, {"old": old, "new": new}).items()}
    lanes = {member: set(of[topics.FACTS]) for member, of in found.items()}
    assert lanes["old"] | lanes["new"] == {0, 1, 2, 3}
    for member, of in found.items():
        for name, numbers in of.items():
            assert set(numbers) == lanes[member] & set(range(cluster.partitions[name]))
    assert NEW not in found["old"]
    assert set(found["new"]) == {topics.FACTS, topics.INTAKE, OUT, NEW}


def test_what_a_worker_was_given_it_says_at_the_next_round(monkeypatch):
    monkeypatch.setattr(LaneAssignor, "_held", ())
    monkeypatch.setattr(LaneAssignor, "_round", 0)
    cluster = Cluster(**{topics.FACTS: 4, OUT: 4})
    mine = LaneAssignor.metadata([topics.FACTS, OUT])
    first = LaneAssignor.assign(cluster, {"me": mine})["me"]
    LaneAssignor.on_assignment(ConsumerProtocolMemberAssignment.decode(first.encode()))
    later = LaneAssignor.metadata([topics.FACTS, OUT])
    newcomer = ConsumerProtocolMemberMetadata(0, [topics.FACTS, OUT], b"")
    second = LaneAssignor.assign(cluster, {"a newcomer": newcomer, "me": later})
    assert set(given(second["me"])[topics.FACTS]) < {0, 1, 2, 3}
    assert len(given(second["me"])[topics.FACTS]) == 2
