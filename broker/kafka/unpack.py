"""Fetched batches unpacked with measure: a record that cannot be read is stepped over, and those around it are read.

The client unpacks a batch whole, whatever it holds, and ends the consumer at the first record it cannot read. Here a
batch is unpacked up to a limit, and what cannot be read comes as an :class:`UnreadableRecord` that says its place. That
holds for every aiokafka consumer of the process once :func:`install` was called. It leans on two names in
``aiokafka.consumer.fetcher`` (0.14.0), which tests guard.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cramjam
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBase, DefaultRecordBatch
from aiokafka.structs import ConsumerRecord, TopicPartition

from broker import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

logger = log.get(__name__)

_LOG_OVERHEAD = struct.Struct(">qi")
"""Base offset and length, which every format begins with."""
_HEADER = DefaultRecordBase.HEADER_STRUCT
_ATTRIBUTES = struct.Struct(">h")
_ATTRIBUTES_AT = DefaultRecordBase.ATTRIBUTES_OFFSET
_MAGIC_AT = 16
_MAGIC = 2
_LARGE_BYTES = 64 * 1024
"""A record below this holds no more headers than can be borne."""
_MOST_HEADERS = 1000
"""Of one record; each takes a hundred times in memory what it takes on the wire."""
_KEPT_HEADERS = 50
_KEPT_NAME_BYTES, _KEPT_VALUE_BYTES = 200, 4096
"""Of the headers of an unreadable record: as much as its dead letter carries."""
_TURN_BYTES = 8 << 20
"""So much comes out of one fetch at a time; the rest is fetched again."""
_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_HEAD = 16


@dataclass
class UnreadableRecord(ConsumerRecord[bytes, bytes]):  # type: ignore[misc]  # aiokafka publishes no types
    """What stands in the place of records that cannot be read, from its offset to ``last_offset``.

    ``value`` is the content where it could be had, else the bytes of the batch as they were fetched.
    """

    reason: str = ""
    """``header-name``, ``unpacks-too-large``, ``undecodable``, ``headers-too-many``."""
    last_offset: int = 0


class _Limits:
    unpacked = 26 << 20


def install(unpacked_bytes: int) -> None:
    """From now on consumers of this process unpack a batch up to so many bytes."""
    _Limits.unpacked = unpacked_bytes
    fetcher.MemoryRecords, fetcher.PartitionRecords = Batches, BoundedRecords


class Batches:
    """The batches of a fetched partition, each as its bytes; the client's own class keeps them to itself."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = memoryview(data), 0

    def size_in_bytes(self) -> int:
        return len(self._data)

    def has_next(self) -> bool:
        """Whether one more lies there whole; a fetch may end in the middle of one."""
        return self._end() is not None

    def next_batch(self) -> bytes:
        end = self._end()
        if end is None:
            raise StopIteration
        batch = bytes(self._data[self._at : end])
        self._at = end
        return batch

    def _end(self) -> int | None:
        if len(self._data) - self._at < _LOG_OVERHEAD.size:
            return None
        end = self._at + _LOG_OVERHEAD.size + _LOG_OVERHEAD.unpack_from(self._data, self._at)[1]
        return end if self._at < end <= len(self._data) else None


class BoundedRecords(fetcher.PartitionRecords):  # type: ignore[misc]  # aiokafka publishes no types
    """The records of a fetched partition, in order; unreadable ones in their places."""

    def _unpack_records(self) -> Iterator[ConsumerRecord[bytes, bytes]]:
        given = 0
        while self._records.has_next() and given < _TURN_BYTES:
            raw = self._records.next_batch()
            for record in self._of_batch(raw):
                self.next_fetch_offset = 1 + (
                    record.last_offset if isinstance(record, UnreadableRecord) else record.offset
                )
                given += len(record.value or b"") + len(record.key or b"")
                yield record
                if given >= _TURN_BYTES:
                    return
            self.next_fetch_offset = max(self.next_fetch_offset, _end_of(raw))

    def _of_batch(self, raw: bytes) -> Iterator[ConsumerRecord[bytes, bytes]]:
        if len(raw) < _HEADER.size or raw[_MAGIC_AT] != _MAGIC:
            yield self._unreadable(raw, "undecodable")
            return
        batch = DefaultRecordBatch(raw)
        if self._is_passed_over(batch):
            return
        if self._check_crcs and not batch.validate_crc():
            yield self._unreadable(raw, "undecodable")
            return
        data, reason = unpacked(raw, batch.compression_type, _Limits.unpacked)
        if reason or (len(data) > _LARGE_BYTES and _is_suspicious(data)):
            yield from self._one_by_one(raw, data, reason or "undecodable", 0)
            return
        if batch.compression_type != DefaultRecordBase.CODEC_NONE:
            batch = DefaultRecordBatch(_plain(raw, data))
        read = 0
        try:
            for record in batch:
                read += 1
                if record.offset >= self.next_fetch_offset:
                    yield self._consumer_record(self._tp, record)
        except Exception:  # noqa: BLE001 - the client has many words for what it cannot read
            yield from self._one_by_one(raw, data, "undecodable", read)

    def _is_passed_over(self, batch: DefaultRecordBatch) -> bool:
        """Whether it is a mark of a transaction, or of a transaction that was given up."""
        if self._isolation_level == fetcher.READ_COMMITTED and batch.producer_id is not None:
            self._consume_aborted_up_to(batch.base_offset)
            if batch.is_control_batch and self._contains_abort_marker(batch):
                self._aborted_producers.discard(batch.producer_id)
            if batch.is_transactional and batch.producer_id in self._aborted_producers:
                return True
        return bool(batch.is_control_batch)

    def _one_by_one(self, raw: bytes, data: bytes, reason: str, read: int) -> Iterator[ConsumerRecord[bytes, bytes]]:
        """The records from the number ``read`` on, each by itself; nothing after the last whole one can be read."""
        _, _, _, _, _, attributes, _, first, latest, *_ = _HEADER.unpack_from(raw)
        append_time = bool(attributes & DefaultRecordBase.TIMESTAMP_TYPE_MASK)
        base = last = _LOG_OVERHEAD.unpack_from(raw)[0] - 1
        for number, (begin, end) in enumerate(_frames(data)):
            if number < read:
                last = max(last, base + 1 + number)
                continue
            found = _parsed(data, begin, end, number)
            last = offset = max(base + 1 + found.offset_delta, last + 1)
            if offset < self.next_fetch_offset:
                continue
            at = latest if append_time else first + found.timestamp_delta
            if found.fault:
                value = data[begin:end] if found.value is None else found.value
                yield self._marked(offset, offset, at, found.key, value, found.headers, found.fault)
            else:
                yield ConsumerRecord(
                    self._tp.topic, self._tp.partition, offset, at, int(append_time), found.key, found.value, None,
                    len(found.key or b""), len(found.value or b""), found.headers,
                )  # fmt: skip
        if (following := max(last + 1, self.next_fetch_offset)) < _end_of(raw):
            yield self._unreadable(raw, reason, following)

    def _unreadable(self, raw: bytes, reason: str, first: int | None = None) -> UnreadableRecord:
        begin = max(self.next_fetch_offset, _LOG_OVERHEAD.unpack_from(raw)[0] if first is None else first)
        at = _HEADER.unpack_from(raw)[8] if len(raw) >= _HEADER.size else 0
        return self._marked(begin, max(begin, _end_of(raw) - 1), at, None, raw, (), reason)

    def _marked(  # noqa: PLR0917 - the parts of a record
        self,
        offset: int,
        last: int,
        at: int,
        key: bytes | None,
        content: bytes | None,
        headers: tuple[tuple[str, bytes], ...],
        reason: str,
    ) -> UnreadableRecord:
        tp: TopicPartition = self._tp
        logger.error("record.unreadable", origin=f"{tp.topic}/{tp.partition}/{offset}", to=last, reason=reason)
        return UnreadableRecord(
            tp.topic, tp.partition, offset, at, 0, key, content, None, len(key or b""), len(content or b""), headers,
            reason, last,
        )  # fmt: skip


def _end_of(raw: bytes) -> int:
    """The offset after a batch."""
    base: int = _LOG_OVERHEAD.unpack_from(raw)[0]
    delta: int = _HEADER.unpack_from(raw)[6] if len(raw) >= _HEADER.size and raw[_MAGIC_AT] == _MAGIC else 0
    return base + max(0, delta) + 1


def _plain(raw: bytes, data: bytes) -> bytes:
    """The batch as if it had never been packed."""
    head = bytearray(raw[: _HEADER.size])
    (attributes,) = _ATTRIBUTES.unpack_from(head, _ATTRIBUTES_AT)
    _ATTRIBUTES.pack_into(head, _ATTRIBUTES_AT, attributes & ~DefaultRecordBase.CODEC_MASK)
    return bytes(head) + data


# --- unpacking --------------------------------------------------------------------------------------------------------


class _TooLarge(Exception):
    def __init__(self, begin: bytes) -> None:
        super().__init__()
        self.begin = begin


def unpacked(raw: bytes, codec: int, limit: int) -> tuple[bytes, str]:
    """The records of a batch as one run of bytes; where not all can be had, as much as can be, and why.

    Never more than ``limit`` bytes are made, whatever the batch promises.
    """
    packed = raw[_HEADER.size :]
    if codec == DefaultRecordBase.CODEC_NONE:
        return packed, ""
    try:
        return _UNPACKED[codec](packed, limit), ""
    except _TooLarge as error:
        return error.begin, "unpacks-too-large"
    except Exception:  # noqa: BLE001 - each library has words of its own for what is broken, and none is known
        return b"", "undecodable"


def _gzip(packed: bytes, limit: int) -> bytes:
    out, rest = bytearray(), packed
    while rest:
        one = zlib.decompressobj(wbits=31)
        out += one.decompress(rest, limit + 1 - len(out))
        if len(out) > limit:
            raise _TooLarge(bytes(out[:limit]))
        if not one.eof:
            raise ValueError("it ends in the middle")
        rest = one.unused_data
    return bytes(out)


def _into(decompress: Callable[[bytes, bytearray], int]) -> Callable[[bytes, int], bytes]:
    """Into room that is there already: the library stops where it ends."""

    def to_limit(packed: bytes, limit: int) -> bytes:
        out = bytearray(limit)
        try:
            return bytes(out[: decompress(packed, out)])
        except cramjam.DecompressionError as error:
            if "whole buffer" not in str(error):
                raise
            raise _TooLarge(bytes(out)) from error

    return to_limit


def _snappy(packed: bytes, limit: int) -> bytes:
    """A block says beforehand how large it will be."""
    if not packed.startswith(_XERIAL):
        return bytes(_snappy_block(packed, limit, b""))
    out, at = bytearray(), _XERIAL_HEAD
    while at < len(packed):
        (size,) = struct.unpack_from(">i", packed, at)
        if size < 0:
            raise ValueError("a block of less than nothing")
        out += _snappy_block(packed[at + 4 : at + 4 + size], limit - len(out), bytes(out))
        at += 4 + size
    return bytes(out)


def _snappy_block(block: bytes, room: int, before: bytes) -> bytes:
    if cramjam.snappy.decompress_raw_len(block) > room:
        raise _TooLarge(before)
    return bytes(cramjam.snappy.decompress_raw(block))


_UNPACKED: dict[int, Callable[[bytes, int], bytes]] = {
    DefaultRecordBase.CODEC_GZIP: _gzip,
    DefaultRecordBase.CODEC_SNAPPY: _snappy,
    DefaultRecordBase.CODEC_LZ4: _into(cramjam.lz4.decompress_into),
    DefaultRecordBase.CODEC_ZSTD: _into(cramjam.zstd.decompress_into),
}


# --- one record -------------------------------------------------------------------------------------------------------


class Parsed(NamedTuple):
    """What a record's bytes say, as far as they can be read."""

    timestamp_delta: int
    offset_delta: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    fault: str


def parse(data: bytes, begin: int, end: int) -> Parsed:
    """A record by itself; raises ValueError or IndexError where not even its place can be read."""
    when, at = _varint(data, begin + 1)  # after its attributes, of which there are none
    delta, at = _varint(data, at)
    key: bytes | None = None
    value: bytes | None = None
    try:
        key, at = _bytes(data, at, end)
        value, at = _bytes(data, at, end)
        count, at = _varint(data, at)
        if count > _MOST_HEADERS:
            return Parsed(when, delta, key, value, _headers(data, at, end, _KEPT_HEADERS)[0], "headers-too-many")
        found, fault = _headers(data, at, end, count)
    except (ValueError, IndexError):
        return Parsed(when, delta, key, value, (), "undecodable")
    return Parsed(when, delta, key, value, _shortened(found) if fault else found, fault)


def _parsed(data: bytes, begin: int, end: int, number: int) -> Parsed:
    """The record; one whose place cannot be read stands where it is counted."""
    try:
        return parse(data, begin, end)
    except (ValueError, IndexError):
        return Parsed(0, number, None, None, (), "undecodable")


def _headers(data: bytes, at: int, end: int, count: int) -> tuple[tuple[tuple[str, bytes], ...], str]:
    """The headers, with what is wrong with the first that is wrong."""
    found: list[tuple[str, bytes]] = []
    fault = "" if count >= 0 else "undecodable"
    for _ in range(count):
        name, at = _bytes(data, at, end)
        value, at = _bytes(data, at, end)
        if name is None:
            raise ValueError("a header without a name")
        try:
            told = name.decode()
        except UnicodeDecodeError:
            told, fault = name.decode("utf-8", "backslashreplace"), "header-name"
        found.append((told, value))  # type: ignore[arg-type]  # a header's value may be null, as the client has it
    return tuple(found), fault


def _shortened(found: tuple[tuple[str, bytes], ...]) -> tuple[tuple[str, bytes], ...]:
    kept = found[:_KEPT_HEADERS]
    return tuple((name[:_KEPT_NAME_BYTES], value) for name, value in kept if len(value or b"") <= _KEPT_VALUE_BYTES)


def _is_suspicious(data: bytes) -> bool:
    """Whether a large record claims more headers than can be borne; the small ones are not looked at."""
    for begin, end in _frames(data):
        if end - begin > _LARGE_BYTES:
            try:
                at = _varint(data, _varint(data, begin + 1)[1])[1]
                for _ in range(2):
                    length, at = _varint(data, at)
                    at += max(0, length)
                if _varint(data, at)[0] > _MOST_HEADERS:
                    return True
            except (ValueError, IndexError):
                return True
    return False


def _frames(data: bytes) -> Iterator[tuple[int, int]]:
    """Where each whole record begins, after its length, and ends."""
    at = 0
    while at < len(data):
        try:
            length, begin = _varint(data, at)
        except (ValueError, IndexError):
            return
        if length <= 0 or begin + length > len(data):
            return
        yield begin, begin + length
        at = begin + length


def _bytes(data: bytes, at: int, end: int) -> tuple[bytes | None, int]:
    length, at = _varint(data, at)
    if length < 0:
        return None, at
    if at + length > end:
        raise ValueError("it reaches beyond its record")
    return bytes(data[at : at + length]), at + length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A zigzag number of at most ten bytes, and where the next field begins."""
    found = shift = 0
    while shift < 70:
        byte = data[at]
        at += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (found >> 1) ^ -(found & 1), at
        shift += 7
    raise ValueError("a number without end")
