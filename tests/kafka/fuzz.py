"""A fuzzer of the wire: records with random keys, headers, compression and bytes against a running worker.

``python -m tests.kafka.fuzz --records 100000`` (``make fuzz``) starts a Kafka and a worker of its own; a test runs a
short form. At the end nothing waits: every record is committed, every one that can be named was answered or is a dead
letter, and the worker is the one that was started.
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from broker.embedded.node import EmbeddedKafka
from broker.relay import ids, topics
from tests.support.relay_kit import Kit
from tests.support.wire_kit import AnyBytes, Memory

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
NAMES = (
    b"ce_id", b"ce_type", b"ce_source", b"content-type", b"traceparent", b"swb_message_id", b"swb_claim", b"swb_lane",
    b"swb_origin_topic", b"swb_origin_partition", b"swb_origin_offset", b"swb_redrive_of", b"swb_oversize",
    b"swb_content_sha256", b"swb_window", b"swb_fact_version", b"caf\xe9", b"\xff\xfe", b"",
)  # fmt: skip
TYPES = (b"swb.answer", b"swb.writeoff", b"swb.document", b"swb.fact.answer", b"\xff", b"")


class Fuzz:
    """Draws records, and remembers under which name each must be heard of again."""

    def __init__(self, seed, agency, windows):
        self.chance = random.Random(seed)
        self.agency, self.windows = agency, windows
        self.messages = []

    def junk(self, most):
        chance = self.chance
        if chance.random() < 0.1:
            return bytes(chance.choice((b"\0", b"\xff", b"<", b"{", b"\n"))) * chance.randint(0, most * 50)
        return chance.randbytes(chance.randint(0, most))

    def key(self):
        pick = self.chance.random()
        if pick < 0.15:
            return None
        if pick < 0.9:
            return b"k%d" % self.chance.randint(0, 50)
        return self.junk(200) if pick < 0.995 else b"K" * self.chance.randint(4000, 200_000)

    def headers(self):
        chance = self.chance
        count = chance.choice((0, 1, 2, 3, 5, 8)) if chance.random() < 0.995 else chance.randint(200, 3000)
        found = []
        for _ in range(count):
            name = chance.choice(NAMES) if chance.random() < 0.8 else self.junk(12)
            value = None if chance.random() < 0.1 else chance.choice(TYPES) if name == b"ce_type" else self.junk(30)
            found.append((name, value))
        return found

    def response(self):
        """An answer of a window, with random parts, sometimes under a reference that exists."""
        chance = self.chance
        known = self.messages and chance.random() < 0.5
        reference = chance.choice(self.messages) if known else "f" * 32
        code, when = (
            chance.choice(("01", "03", "11", "44", "", "9" * 9)),
            chance.choice(("20260101120000Z", "0001", "x")),
        )
        declared = f"<ID>MRN{chance.randint(0, 99)}</ID><FunctionalReferenceID>{reference}</FunctionalReferenceID>"
        sequence = f"<SequenceNumeric>{'9' * chance.choice((1, 20, 5000))}</SequenceNumeric>"
        pointer = f"<Pointer>{sequence}<DocumentSectionCode>42A</DocumentSectionCode></Pointer>"
        parts = [
            f"<FunctionCode>{code}</FunctionCode>",
            f"<FunctionalReferenceID>{chance.randint(0, 500)}</FunctionalReferenceID>",
            f"<IssueDateTime><DateTimeString formatCode='304'>{when}</DateTimeString></IssueDateTime>",
            f"<Declaration>{declared}</Declaration>",
            f"<Error><ValidationCode>9</ValidationCode>{pointer}</Error>",
            "<AdditionalInformation/>" * chance.choice((0, 1, 50)),
        ]
        chance.shuffle(parts)
        body = "".join(parts[: chance.randint(1, len(parts))])
        one = f'<Response xmlns="urn:wco:datamodel:WCO:RES-DMS:2">{body}</Response>'
        if chance.random() < 0.1:
            one = f"<Responses>{one * chance.randint(0, 30)}</Responses>"
        data = one.encode()
        return data[: chance.randint(0, len(data))] if chance.random() < 0.1 else data

    def sent_by_agency(self, number):
        """A record for the agency's outbox; one in two can be named and must be heard of."""
        window = self.chance.choice(self.windows)
        if self.chance.random() < 0.5:
            name = f"fuzz-{number}"
            self.messages.append(ids.message_id(self.agency, name))
            content = self.chance.choice((b"ok %b; #%d", b"bad; %b %d", b"boom; %b %d")) % (window.encode(), number)
            return content, self.key(), [(b"ce_id", name.encode())]
        return (None if self.chance.random() < 0.05 else self.junk(400)), self.key(), self.headers()

    def sent_by_window(self, number):
        content = self.response() if self.chance.random() < 0.7 else self.junk(400)
        given = (
            [(b"ce_type", b"swb.answer"), (b"ce_id", b"r%d" % number)] if self.chance.random() < 0.6 else self.headers()
        )
        return content, self.key(), given


def run(kit, records, seed=1, say=lambda _: None):
    """Send so many records and wait until all is done; what was counted.

    Fails where anything waits or is unheard of.
    """
    agency, *windows = kit.codes
    fuzz = Fuzz(seed, agency, windows)
    worker = kit.worker(SWB_CLAIMS=f"file://{_folder(kit)}", SWB_LOG_LEVEL="warning")
    producers = [AnyBytes(kit.bootstrap, **{"compression.type": codec, "batch.size": 200_000}) for codec in CODECS]
    partitions, began = kit.settings.partitions, time.monotonic()
    for number in range(records):
        producer = fuzz.chance.choice(producers)
        sender = agency if fuzz.chance.random() < 0.7 else fuzz.chance.choice(windows)
        content, key, given = (fuzz.sent_by_agency if sender == agency else fuzz.sent_by_window)(number)
        producer.send(topics.outbox(sender), content, key, given, fuzz.chance.randrange(partitions))
        if number % 5000 == 4999:
            say(f"{number + 1} sent after {time.monotonic() - began:.0f} s")
    for producer in producers:
        producer.flush()
    limit = 60 + records / 50
    kit.until(lambda: not open_records(kit), limit, every=1)
    wanted = set(fuzz.messages)
    kit.until(lambda: wanted <= {r.header("swb_message_id") for r in kit.inbox(agency)}, 60, every=1)
    took = time.monotonic() - began
    assert worker.poll() is None
    text, inbox, letters = worker.log.read_text(), kit.inbox(agency), kit.read(topics.DEADLETTER)
    return {
        "records": records, "seconds": round(took), "named": len(fuzz.messages), "inbox": len(inbox),
        "deadletters": len(letters), "peak_mb": round(Memory(worker).peak),
        "poison": text.count("record.poison"), "again": text.count('"lane.again"'), "exits": 0,
    }  # fmt: skip


def open_records(kit):
    """Partitions of outboxes of which something is not committed, with how much."""
    given = {"bootstrap.servers": kit.bootstrap, "group.id": topics.RELAY_GROUP, "enable.auto.commit": False}
    consumer, found = Consumer(given), {}
    try:
        for code in kit.codes:
            places = [TopicPartition(topics.outbox(code), number) for number in range(kit.settings.partitions)]
            for place in consumer.committed(places, timeout=20):
                end = consumer.get_watermark_offsets(place, timeout=20)[1]
                if place.offset < end:
                    found[place.topic, place.partition] = end - max(0, place.offset)
    finally:
        consumer.close()
    return found


def _folder(kit):
    folder = Path(kit.folder) / "claims"
    folder.mkdir(exist_ok=True)
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, EmbeddedKafka(data=Path(folder) / "kafka") as kafka:
        kit = Kit(kafka.bootstrap, Path(folder), farm="agency", wa="window", wb="window")
        try:
            found = run(kit, given.records, given.seed, lambda line: sys.stderr.write(f"{line}\n"))
        finally:
            kit.close()
    sys.stdout.write("".join(f"{name:>12} {value}\n" for name, value in found.items()))


if __name__ == "__main__":
    main()
