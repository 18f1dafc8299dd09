"""Where partitions begin and end: ours must be known, a participant's may be gone."""

import pytest
from aiokafka import TopicPartition

from broker.kafka.offsets import Offsets
from broker.model.errors import Failed
from broker.relay import topics
from broker.settings import Settings

OWN, OTHER = TopicPartition(topics.FACTS, 0), TopicPartition(topics.outbox("aa"), 0)


async def test_a_participant_s_topic_that_is_gone_is_left_out_and_ours_never(monkeypatch):
    offsets = Offsets(Settings(bootstrap="127.0.0.1:1"))
    known = {OWN: (0, 5)}
    monkeypatch.setattr(offsets, "_ask", lambda partitions, _: {tp: known[tp] for tp in partitions if tp in known})
    assert await offsets.of([OWN, OTHER]) == {OWN: (0, 5)}
    known.clear()
    with pytest.raises(Failed, match=r"nothing is known of swb\.facts/0"):
        await offsets.of([OWN])
