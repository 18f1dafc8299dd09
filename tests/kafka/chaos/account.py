"""The account of the chaos test: what a client that is not ours finds committed, against the book of what was sent.

For every distinct (message id, content): one refusal, or one ``not_routed`` notice, or one document dead letter, or for
each window routed to one delivery or one dead letter with its notice; per key and destination in order.
"""

import hashlib
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaException, TopicPartition

from broker.relay import headers, ids, topics

_STEPS = 4
"""More answers than any mock window gives to one payload."""


@dataclass
class Account:
    """What was found wrong, as sentences, and how much was looked at."""

    missing: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    seen: Counter = field(default_factory=Counter)

    @property
    def breaches(self):
        return len(self.missing) + len(self.doubled) + len(self.unexpected) + len(self.out_of_order)

    def want(self, what, found, expected=1):
        """Exactly that many."""
        if found < expected:
            self.missing.append(f"{what}: {found} of {expected}")
        elif found > expected:
            self.doubled.append(f"{what}: {found} instead of {expected}")

    def told(self):
        return {
            "missing": len(self.missing), "doubled": len(self.doubled), "unexpected": len(self.unexpected),
            "out_of_order": len(self.out_of_order), "seen": dict(sorted(self.seen.items())),
            "examples": [
                f"{kind}: {one}"
                for kind in ("missing", "doubled", "unexpected", "out_of_order") for one in getattr(self, kind)[:5]
            ],
        }  # fmt: skip


def consumer(bootstrap, **options):
    return Consumer(
        {
            "bootstrap.servers": bootstrap, "group.id": "chaos-account", "enable.auto.commit": False,
            "isolation.level": "read_committed", "enable.partition.eof": True, "auto.offset.reset": "earliest",
            "fetch.message.max.bytes": 4 << 20, "queued.max.messages.kbytes": 65536, "log_level": 0, **options,
        }
    )  # fmt: skip


def ends(bootstrap, names):
    """The ends of every partition of these topics that are there; new ones may want a moment."""
    reader = consumer(bootstrap)
    known = reader.list_topics(timeout=20).topics
    places = [TopicPartition(name, p) for name in names if name in known for p in known[name].partitions]
    try:
        return {(tp.topic, tp.partition): _end(reader, tp) for tp in places}
    finally:
        reader.close()


def _end(reader, place, seconds=60):
    until = time.monotonic() + seconds
    while True:
        try:
            return reader.get_watermark_offsets(place, timeout=20)[1]
        except KafkaException:
            if time.monotonic() > until:
                raise
        time.sleep(0.2)


def records(bootstrap, names, starts, **options):
    """Every committed record of these topics from the starts to the end of now."""
    reader = consumer(bootstrap, **options)
    known = reader.list_topics(timeout=20).topics
    places = [
        TopicPartition(name, p, starts.get((name, p), 0)) for name in names if name in known
        for p in known[name].partitions
    ]  # fmt: skip
    reader.assign(places)
    ended = set()
    while len(ended) < len(places):
        for record in reader.consume(2000, 0.5):
            place = record.topic(), record.partition()
            if record.error() is None:
                yield record
            elif record.error().name() == "_PARTITION_EOF":
                ended.add(place)
            else:
                raise AssertionError(record.error().str())
    reader.close()


def take(bootstrap, book, participants, starts, *, hurt=frozenset(), redriven=frozenset()):
    """The account; ``hurt`` are windows whose inbox refused records for a while, where a dead letter may stand;
    ``redriven`` are (message id, window) of those that were brought back."""
    account, found = Account(), _Found(book, redriven)
    names = [topics.inbox(code) for code in participants] + [topics.DEADLETTER]
    for record in records(bootstrap, names, starts):
        found.see(record, account)
    for message, sent in book.items():
        _one(account, found, message, sent, hurt)
    outboxes = [topics.outbox(code) for code, kind in participants.items() if kind == "window"]
    _answers(account, found, records(bootstrap, outboxes, starts))
    return account


class _Found:
    """What lies in inboxes and among the dead letters, counted."""

    def __init__(self, book, redriven=frozenset()):
        self.book, self.redriven = book, redriven
        self.payloads, self.letters, self.failed = Counter(), Counter(), Counter()
        self.receipts, self.dead = Counter(), Counter()
        self.ids = Counter()
        """Records in senders' inboxes by ``ce_id``."""
        self.notices = Counter()
        self.answers = Counter()
        self.routed = defaultdict(set)
        self._last, self._partition = {}, {}

    def see(self, record, account):
        told = dict(record.headers() or ())
        header = lambda name: told.get(name, b"").decode()  # noqa: E731
        message, kind, name = header(headers.MESSAGE_ID), header(headers.CE_TYPE), header(headers.CE_ID)
        if record.topic() == topics.DEADLETTER:
            self._letter(record, header, message, kind, account)
            return
        sent = self.book.get(message)
        if sent is None:
            return  # of another run
        reader = str(topics.reader_of(record.topic()))
        account.seen[kind.removeprefix("swb.")] += 1
        if kind == "swb.payload":
            self.payloads[message, reader] += 1
            self.routed[message].add(reader)
            if message.encode() not in (record.value() or b""):
                account.unexpected.append(f"payload of {message} at {reader} bears another name")
            if (message, reader) not in self.redriven:
                self._order(record, [e.seq for e in sent.entries.values() if e.verdict == "accepted"], account)
            return
        if reader != sent.sender:
            account.unexpected.append(f"{kind} of {message} in the inbox of {reader}")
        self.ids[name] += 1
        self._told(message, kind, header)
        if kind in ("swb.receipt", "swb.refusal") and sent.times == 1:
            self._order(record, [e.seq for e in sent.entries.values()], account)

    def _told(self, message, kind, header):
        """A word to the sender."""
        if kind == "swb.receipt":
            self.receipts[message] += 1
        elif kind == "swb.notice" and header(headers.STATE_HEADER) == "not_routed":
            self.notices[message] += 1
        elif kind == "swb.notice" and header(headers.STATE_HEADER) == "failed" and header(headers.WINDOW):
            self.failed[message, header(headers.WINDOW)] += 1
        elif kind == "swb.answer":
            self.answers[message, header(headers.WINDOW)] += 1

    def _letter(self, record, header, message, kind, account):
        if topics.reader_of(header(headers.DESTINATION)):
            if message in self.book:
                account.seen["dead letter of a delivery"] += 1
                self.letters[message, str(topics.reader_of(header(headers.DESTINATION))), kind] += 1
            return
        writer = topics.writer_of(header(headers.ORIGIN_TOPIC))
        message = ids.message_id(writer, header(headers.CE_ID)) if writer else ""
        if message in self.book:
            account.seen["dead letter of a document"] += 1
            self.dead[message, ids.content_id(record.value() or b"")] += 1

    def _order(self, record, seqs, account):
        """Per key and destination: later ones later, and in one partition."""
        if len(seqs) != 1 or record.key() is None:
            return
        name = record.topic(), record.key()
        if self._last.get(name, 0) > seqs[0]:
            account.out_of_order.append(f"key {record.key()!r} at {record.topic()}: {seqs[0]} after {self._last[name]}")
        self._last[name] = seqs[0]
        if self._partition.setdefault(name, record.partition()) != record.partition():
            account.out_of_order.append(f"key {record.key()!r} in two partitions of {record.topic()}")


def _one(account, found, message, sent, hurt):
    """One message id, every content sent under it."""
    accepted = [e for e in sent.entries.values() if e.verdict in ("accepted", "not_routed")]
    account.want(f"receipt of {message}", found.receipts[message], sum(e.times for e in accepted))
    for sha, entry in sent.entries.items():
        if entry.verdict == "refused":
            name = ids.broker_id(message, sent.sender, "refusal", sha)
            account.want(f"refusal of {message}", found.ids[name], entry.times)
        if entry.verdict == "dead":
            name = ids.broker_id(message, sent.sender, "notice", sha)
            account.want(f"dead letter of document {message}", found.dead[message, sha], entry.times)
            account.want(f"notice of dead document {message}", found.ids[name], entry.times)
    is_unrouted = any(e.verdict == "not_routed" for e in accepted)
    account.want(f"not_routed of {message}", found.notices[message], int(is_unrouted))
    windows = {window for entry in accepted for window in entry.windows}
    for window in sorted(windows | found.routed.get(message, set())):
        if window not in windows:
            account.unexpected.append(f"payload of {message} at {window}")
            continue
        letters = found.letters[message, window, "swb.payload"]
        came_back = int((message, window) in found.redriven)
        account.want(f"delivery of {message} to {window}", found.payloads[message, window] + letters - came_back)
        if came_back:
            account.want(f"redriven delivery of {message} to {window}", found.payloads[message, window])
            account.seen["dead letter redriven"] += 1
        account.want(f"notice of dead delivery of {message} to {window}", found.failed[message, window], letters)
        if letters and window not in hurt:
            account.unexpected.append(f"dead letter of {message} to {window}, which took everything")


def _answers(account, found, outboxes):
    """Every distinct answer of a window to what it was given is once in the sender's inbox (the latest ones again when
    the sender repeated its document)."""
    wanted = {}
    for message, window in found.payloads:
        for step in range(_STEPS):
            text = f"{window}\n{message}\n{step}"
            wanted[hashlib.sha256(text.encode()).hexdigest()[:32]] = message, window
    given = {}
    for record in outboxes:
        name = dict(record.headers() or ()).get(headers.CE_ID, b"").decode()
        if name in wanted:
            given[name] = wanted[name]
            account.seen["answers written by windows"] += 1
    for name, (message, window) in given.items():
        home = found.ids[ids.broker_id(message, window, "answer", name)]
        repeats = found.book[message].times - 1
        if not 1 <= home <= 1 + repeats:
            account.want(f"answer {name} of {window} to {message}", home)
    account.seen["answers, distinct"] = len(given)
    strangers = sum(found.answers.values()) - sum(
        found.ids[ids.broker_id(message, window, "answer", name)] for name, (message, window) in given.items()
    )
    if strangers:
        account.unexpected.append(f"{strangers} answers came home that no window gave")


def behind(bootstrap, group, names):
    """How many offsets lie behind what a group has committed; 0 when no committed record is among them."""
    last = ends(bootstrap, names)
    reader = consumer(bootstrap, **{"group.id": group})  # asks, and never joins
    try:
        asked = reader.committed([TopicPartition(*place) for place in last], timeout=20)
    except KafkaException:
        return -1
    finally:
        reader.close()
    offsets = {(tp.topic, tp.partition): max(tp.offset, 0) for tp in asked}
    late = {place: offsets[place] for place, end in last.items() if offsets[place] < end}
    if not late or not _holds_records(bootstrap, late):
        return 0
    return sum(last[place] - offset for place, offset in late.items())


def _holds_records(bootstrap, places):
    """Whether any committed record lies there; what transactions leave unseen does not count."""
    reader = consumer(bootstrap)
    reader.assign([TopicPartition(*place, offset) for place, offset in places.items()])
    ended = set()
    try:
        while len(ended) < len(places):
            for record in reader.consume(500, 0.5):
                if record.error() is None:
                    return True
                ended.add((record.topic(), record.partition()))
    finally:
        reader.close()
    return False
