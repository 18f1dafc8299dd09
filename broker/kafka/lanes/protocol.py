"""Requests that aiokafka has no words for: what a transaction and a partition's producers are at (KIP-664), and offsets
of which no transaction is open (KIP-447).

The fields stand in Kafka's DescribeTransactions*.json and DescribeProducers*.json, version 0, and in OffsetFetch*.json,
version 7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Int64, Schema, TaggedFields

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NO_TAGS: dict[int, bytes] = {}
_TEXT = CompactString("utf-8")
_PARTITIONS = CompactArray(("name", _TEXT), ("partition_indexes", CompactArray(Int32)), ("tags", TaggedFields))


def _of_each_partition(*fields: tuple[str, Any]) -> CompactArray:
    """The part of an answer that tells this of each partition, by topic."""
    partitions = CompactArray(("partition_index", Int32), *fields, ("tags", TaggedFields))
    return CompactArray(("name", _TEXT), ("partitions", partitions), ("tags", TaggedFields))


def _asked(partitions: Mapping[str, Iterable[int]]) -> list[tuple[str, list[int], dict[int, bytes]]]:
    return [(name, sorted(numbers), _NO_TAGS) for name, numbers in partitions.items()]


class _TransactionsTold(Response):  # type: ignore[misc]  # aiokafka publishes no types
    API_KEY, API_VERSION = 65, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "transaction_states",
            CompactArray(
                ("error_code", Int16),
                ("transactional_id", _TEXT),
                ("transaction_state", _TEXT),
                ("transaction_timeout_ms", Int32),
                ("transaction_start_time_ms", Int64),
                ("producer_id", Int64),
                ("producer_epoch", Int16),
                ("topics", _PARTITIONS),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _TransactionsAsked(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY, API_VERSION, RESPONSE_TYPE = 65, 0, _TransactionsTold
    SCHEMA = Schema(("transactional_ids", CompactArray(_TEXT)), ("tags", TaggedFields))


class DescribeTransactions(Request[_TransactionsAsked]):  # type: ignore[misc]
    """What a coordinator knows of its transactional ids."""

    API_KEY = 65

    def __init__(self, transactional_ids: Iterable[str]) -> None:
        self._ids = list(transactional_ids)

    def build(self, request_struct_class: type[_TransactionsAsked]) -> Any:  # noqa: ANN401 - as its parent has it
        return request_struct_class(self._ids, _NO_TAGS)


class _ProducersTold(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = 61, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            _of_each_partition(
                ("error_code", Int16),
                ("error_message", _TEXT),
                (
                    "active_producers",
                    CompactArray(
                        ("producer_id", Int64),
                        ("producer_epoch", Int32),
                        ("last_sequence", Int32),
                        ("last_timestamp", Int64),
                        ("coordinator_epoch", Int32),
                        ("current_txn_start_offset", Int64),
                        ("tags", TaggedFields),
                    ),
                ),
            ),
        ),
        ("tags", TaggedFields),
    )


class _ProducersAsked(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY, API_VERSION, RESPONSE_TYPE = 61, 0, _ProducersTold
    SCHEMA = Schema(("topics", _PARTITIONS), ("tags", TaggedFields))


class DescribeProducers(Request[_ProducersAsked]):  # type: ignore[misc]
    """What the leader of partitions knows of those who write to them."""

    API_KEY = 61

    def __init__(self, partitions: Mapping[str, Iterable[int]]) -> None:
        self._topics = _asked(partitions)

    def build(self, request_struct_class: type[_ProducersAsked]) -> Any:  # noqa: ANN401 - as its parent has it
        return request_struct_class(self._topics, _NO_TAGS)


class _OffsetsTold(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = 9, 7
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            _of_each_partition(
                ("committed_offset", Int64),
                ("committed_leader_epoch", Int32),
                ("metadata", _TEXT),
                ("error_code", Int16),
            ),
        ),
        ("error_code", Int16),
        ("tags", TaggedFields),
    )


class _OffsetsAsked(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY, API_VERSION, RESPONSE_TYPE = 9, 7, _OffsetsTold
    SCHEMA = Schema(("group_id", _TEXT), ("topics", _PARTITIONS), ("require_stable", Boolean), ("tags", TaggedFields))


class StableOffsets(Request[_OffsetsAsked]):  # type: ignore[misc]
    """The committed offsets of a group; an error for each partition where a transaction over them is open."""

    API_KEY = 9

    def __init__(self, group: str, partitions: Mapping[str, Iterable[int]]) -> None:
        self._group = group
        self._topics = _asked(partitions)

    def build(self, request_struct_class: type[_OffsetsAsked]) -> Any:  # noqa: ANN401 - as its parent has it
        return request_struct_class(self._group, self._topics, True, _NO_TAGS)
