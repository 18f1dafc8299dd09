"""Waits that grow, and routings that say whether a window takes a payload."""

from datetime import timedelta

import pytest

from broker.model.participants import Routing, Wait

M = timedelta(minutes=1)


def test_a_wait_grows_from_the_first_event_to_its_end():
    assert Wait(M, (2 * M, 3 * M), 3 * M).give_up == 3 * M
    for wrong in ((0 * M, (), None), (2 * M, (M,), None), (M, (2 * M, 2 * M), None), (M, (3 * M,), 2 * M)):
        with pytest.raises(ValueError, match="a wait grows"):
            Wait(*wrong)


def test_a_routing_without_a_rule_is_a_refusal_to_take_it():
    assert Routing("w", "W-1", "").is_accepted
    assert not Routing("w", None, "not its goods").is_accepted
