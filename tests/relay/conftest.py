"""A lane, and a message that one window has."""

import pytest

from broker.relay import ids
from tests.support.lane_kit import World


@pytest.fixture
def world():
    return World()


@pytest.fixture
def message(world):
    world.feed(world.send("aa-farm", b"k", b"ok xx-win", ce_id="1"))
    return ids.message_id("aa-farm", "1")
