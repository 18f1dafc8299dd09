"""What an answer of Kafka about transactions means."""

from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CoordinatorNotAvailableError, ProducerFenced

from broker.kafka.lanes.transaction_admin import _by_topic, _raise_for


def test_partitions_are_asked_for_by_topic():
    assert _by_topic([TopicPartition("a", 1), TopicPartition("b", 0), TopicPartition("a", 2)]) == {
        "a": [1, 2],
        "b": [0],
    }


def test_an_answer_without_a_fault_is_none_and_others_are_raised():
    _raise_for(SimpleNamespace(error_code=0))
    with pytest.raises(CoordinatorNotAvailableError):
        _raise_for(SimpleNamespace(error_code=15))
    with pytest.raises(ProducerFenced):
        _raise_for(SimpleNamespace(error_code=47))
