"""Batches as Kafka holds them, unpacked with measure. No Kafka is needed: the bytes are made here."""

import gzip
import struct
import tracemalloc

import cramjam
import pytest
from aiokafka.codec import snappy_encode
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition

from broker.kafka import unpack
from broker.kafka.unpack import Batches, BoundedRecords, UnreadableRecord

TP = TopicPartition("swb.farm.outbox", 0)
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
PACK = {
    "none": bytes,
    "gzip": lambda data: gzip.compress(data, 1),
    "snappy": snappy_encode,
    "lz4": lambda data: bytes(cramjam.lz4.compress(data)),
    "zstd": lambda data: bytes(cramjam.zstd.compress(data)),
}
LIMIT = 4 << 20


@pytest.fixture(autouse=True)
def bounded():
    before = fetcher.MemoryRecords, fetcher.PartitionRecords
    unpack.install(LIMIT)
    yield
    fetcher.MemoryRecords, fetcher.PartitionRecords = before


def varint(number):
    number, out = (number << 1) ^ (number >> 63), b""
    while number > 0x7F:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])


def sized(data):
    return varint(-1) if data is None else varint(len(data)) + data


def record(number, value, key=b"k", headers=(), count=None):
    body = b"\0" + varint(0) + varint(number) + sized(key) + sized(value)
    body += varint(len(headers) if count is None else count) + b"".join(sized(n) + sized(v) for n, v in headers)
    return varint(len(body)) + body


def batch(data, count, codec="none", base=100):
    """The bytes of a batch in Kafka's format 2, whatever is in it."""
    packed = PACK[codec](data) if data is not None else b"not packed at all"
    rest = struct.pack(">hiqqqhii", CODECS[codec], count - 1, 1000, 2000, -1, -1, -1, count) + packed
    return struct.pack(">qiibI", base, 9 + len(rest), 0, 2, calc_crc32c(rest)) + rest


def read(*batches, position=100):
    records = BoundedRecords(TP, Batches(b"".join(batches)), [], position, None, None, True, fetcher.READ_COMMITTED)
    return list(records), records


def told(found):
    return [
        (r.offset, r.last_offset, r.reason) if isinstance(r, UnreadableRecord) else (r.offset, r.value) for r in found
    ]


@pytest.mark.parametrize("codec", CODECS)
def test_what_can_be_read_is_read_as_the_client_reads_it(codec):
    data = b"".join(record(n, b"v%d" % n, headers=[(b"ce_id", b"x"), (b"none", None)]) for n in range(3))
    found, _ = read(batch(data, 3, codec))
    theirs = fetcher.PartitionRecords.__mro__[1]
    raw = MemoryRecords(batch(data, 3, codec))
    assert found == list(theirs(TP, raw, [], 100, None, None, True, fetcher.READ_COMMITTED))
    assert told(found) == [(100, b"v0"), (101, b"v1"), (102, b"v2")]


def test_the_clients_own_batches_are_read():
    builder = DefaultRecordBatchBuilder(2, 4, 0, -1, -1, -1, 1 << 20)
    for n in range(50):
        builder.append(n, n, b"k", b"v%d" % n, [("a", b"b")])
    found, records = read(bytes(builder.build()), position=10)
    assert [r.value for r in found] == [b"v%d" % n for n in range(10, 50)]
    assert records.next_fetch_offset == 50


@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_a_header_name_that_is_not_utf_8_is_its_record_s_trouble_alone(codec):
    bad = record(1, b"bad", headers=[(b"caf\xe9", b"x"), (b"ce_id", b"it")])
    found, records = read(batch(record(0, b"a") + bad + record(2, b"c"), 3, codec), batch(record(0, b"d"), 1, base=103))
    assert told(found) == [(100, b"a"), (101, 101, "header-name"), (102, b"c"), (103, b"d")]
    assert (found[1].value, found[1].headers) == (b"bad", (("caf\\xe9", b"x"), ("ce_id", b"it")))
    assert records.next_fetch_offset == 104


@pytest.mark.parametrize("codec", ["gzip", "lz4", "zstd", "snappy"])
def test_what_unpacks_beyond_the_limit_is_stepped_over_and_takes_no_more_memory(codec):
    packed = batch(record(0, b"first") + record(1, bytes(60 << 20)) + record(2, b"c"), 3, codec)
    assert len(packed) < 17 << 20
    tracemalloc.start()
    found, records = read(packed, batch(record(0, b"d"), 1, base=103))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert told(found) == [(100, b"first"), (101, 102, "unpacks-too-large"), (103, b"d")]
    assert found[1].value == packed  # as it was fetched
    assert records.next_fetch_offset == 104
    assert peak < 4 * LIMIT + 2 * len(packed)


def test_one_snappy_block_that_promises_gigabytes_is_not_begun():
    packed = batch(None, 2, "snappy")
    head = packed[:61]
    promise = b"\xff\xff\xff\xff\x07"  # 2 GB, in snappy's own numbers
    rest = head[21:] + promise + b"\0\0"
    raw = struct.pack(">qiibI", 100, 9 + len(rest), 0, 2, calc_crc32c(rest)) + rest
    assert told(read(raw)[0]) == [(100, 101, "unpacks-too-large")]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_what_is_not_packed_as_it_says_is_stepped_over(codec):
    found, records = read(batch(None, 5, codec), batch(record(0, b"d"), 1, base=105))
    assert told(found) == [(100, 104, "undecodable"), (105, b"d")]
    assert records.next_fetch_offset == 106


def test_bytes_that_are_no_record_are_stepped_over_by_their_length():
    junk = b"\xff" * 30
    found, _ = read(batch(record(0, b"a") + varint(len(junk)) + junk + record(2, b"c"), 3))
    assert told(found) == [(100, b"a"), (101, 101, "undecodable"), (102, b"c")]


def test_a_record_that_claims_more_than_there_is_ends_its_batch():
    found, _ = read(batch(record(0, b"a") + varint(1 << 30) + b"x", 3), batch(record(0, b"d"), 1, base=103))
    assert told(found) == [(100, b"a"), (101, 102, "undecodable"), (103, b"d")]


def test_millions_of_headers_are_not_made():
    many = record(1, b"bad", headers=[(b"ce_id", b"it")] + [(b"", b"")] * 1_000_000)
    tracemalloc.start()
    found, _ = read(batch(record(0, b"a") + many + record(2, b"c"), 3))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert told(found) == [(100, b"a"), (101, 101, "headers-too-many"), (102, b"c")]
    assert found[1].headers[0] == ("ce_id", b"it")
    assert len(found[1].headers) == 50
    assert peak < 4 * len(many)


def test_a_batch_that_was_damaged_on_its_way_is_stepped_over():
    good = batch(record(0, b"a"), 1)
    found, _ = read(good[:-1] + b"?", batch(record(0, b"d"), 1, base=101))
    assert told(found) == [(100, 100, "undecodable"), (101, b"d")]


def test_no_more_comes_out_at_once_than_a_turn_takes():
    data = b"".join(record(n, bytes(1 << 20)) for n in range(20))
    first, records = read(batch(data, 20))
    assert len(first) == 8
    assert records.next_fetch_offset == 108
    again, _ = read(batch(data, 20), position=108)
    assert [r.offset for r in again] == list(range(108, 116))


def test_records_of_a_transaction_that_was_given_up_are_passed_over():
    def of_producer(base, attributes, data):
        rest = struct.pack(">hiqqqhii", attributes, 0, 0, 0, 7, 0, 0, 1) + data
        return struct.pack(">qiibI", base, 9 + len(rest), 0, 2, calc_crc32c(rest)) + rest

    abort = of_producer(101, 0x30, record(0, b"\0\0\0\0\0\0", key=struct.pack(">hh", 0, 0)))
    given = of_producer(100, 0x10, record(0, b"never")) + abort + of_producer(102, 0x10, record(0, b"was"))
    records = BoundedRecords(TP, Batches(given), [(7, 100)], 100, None, None, True, fetcher.READ_COMMITTED)
    assert told(records) == [(102, b"was")]
    assert records.next_fetch_offset == 103


def test_a_batch_that_was_fetched_in_part_waits_for_the_rest():
    one, two = batch(record(0, b"a"), 1), batch(record(0, b"b"), 1, base=101)
    found, records = read(one + two[:-3])
    assert (told(found), records.next_fetch_offset) == ([(100, b"a")], 101)
