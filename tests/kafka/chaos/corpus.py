"""What the chaos test sends: our samples of all families under ids and keys of its own, and what must become of each.

What a document comes to is asked of the line alone, once for each sample, without the relay. How often, where and in
which order its outcome may be seen is counted here.
"""

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from broker import catalogue as catalogues
from broker.line.process import process
from broker.model.documents import Message
from broker.model.ids import NO_MESSAGE_ID
from broker.relay import ids
from broker.workbench.samples import read_sample

POISON = b"<!-- an exception nobody foresaw -->"
"""What the workers of the chaos test fall over."""
_BOMB = b'<!DOCTYPE x [<!ENTITY a "%s"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>' % (b"a" * 5000)
HOSTILE = {
    "empty": b"", "tombstone": None, "junk": bytes(range(256)) * 8, "doctype": _BOMB, "truncated": b"<Invoice><ID>1</I",
    "deep": b"<a>" * 3000, "encoding": b'<?xml version="1.0" encoding="EBCDIC-CP-BE"?><a/>', "json": b'{"a": [1, 2',
    "entity": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', "nothing known": b"<Unknown/>",
}  # fmt: skip


@dataclass(frozen=True)
class Template:
    """One sample, and what the line makes of it."""

    name: str
    family: str
    content: bytes | None
    verdict: str
    """accepted, refused, not_routed or dead."""
    windows: tuple[str, ...] = ()


@dataclass
class Entry:
    """One (message id, content): where in the order of its key it came, what must become of it."""

    seq: int
    verdict: str
    windows: tuple[str, ...]
    times: int = 1


@dataclass
class Sent:
    """One message id: its sender and key, and an entry for each content sent under it."""

    sender: str
    ce_id: str
    key: bytes | None
    entries: dict[str, Entry] = field(default_factory=dict)
    """By the SHA-256 of the content."""

    @property
    def times(self):
        return sum(entry.times for entry in self.entries.values())


@dataclass(frozen=True)
class Document:
    """One record for an outbox."""

    sender: str
    ce_id: str
    key: bytes | None
    content: bytes | None


def templates(largest):
    """Samples of every family that are not larger, and hostile messages, by verdict."""
    catalogue = catalogues.load()
    mappings = catalogues.data_root() / "mappings"
    found = {"accepted": [], "refused": [], "not_routed": [], "dead": []}
    for file in sorted(mappings.glob("documents/*/*/samples/*")):
        if ".payload." in file.name or ".findings." in file.name or "refused-structure" in file.name:
            continue  # expectations; and what takes a hundred times the time of others
        content = read_sample(file, mappings).content
        if len(content) <= largest:
            outcome = process(Message(NO_MESSAGE_ID, content, received=datetime.now(UTC)), catalogue)
            if outcome.payload and b"PreviousDocument" in outcome.payload.content:
                continue  # amendments have a test of their own
            windows = tuple(map(str, outcome.windows))
            verdict = "refused" if not outcome.payload else "accepted" if windows else "not_routed"
            family = file.parent.parent.parent.name
            found[verdict].append(Template(f"{family}/{file.stem}", family, content, verdict, windows))
    found["dead"] = [
        Template(f"{t.name} poisoned", t.family, t.content + POISON, "dead") for t in found["accepted"] if _is_utf8(t)
    ]
    found["hostile"] = [Template(name, "hostile", content, "refused") for name, content in HOSTILE.items()]
    agencies = sorted((p for p in catalogue.participants.values() if p.kind == "agency"), key=lambda p: p.code)
    return found, [str(p.code) for p in agencies], {str(p.code): p.limits.size or 16 << 20 for p in agencies}


def _is_utf8(template):
    return template.content.isascii() and b"utf-16" not in template.content[:60].lower()


class Corpus:
    """Documents without end, drawn by chance, and the book of what was sent."""

    def __init__(self, run, seed, largest=20_000, keys=60):
        self._chance = random.Random(seed)
        self._templates, self._agencies, self._limits = templates(largest)
        self._by_family = {}
        for template in self._templates["accepted"]:
            self._by_family.setdefault(template.family, []).append(template)
        self._run, self._keys = run, keys
        self._lately = []
        self.book = {}
        """Message id to what was sent under it."""
        self.seq = 0
        self.drawn = {}
        """How many documents of each sort were drawn."""

    @property
    def families(self):
        return sorted(self._by_family)

    def draw(self):
        """The next document, entered in the book."""
        sort = self._chance.choices(list(_MIX), list(_MIX.values()))[0]
        if sort in ("repeat", "conflict", "second") and not (old := self._earlier(sort)):
            sort = "accepted"
        self.drawn[sort] = self.drawn.get(sort, 0) + 1
        if sort == "repeat":
            return self._enter(*old)
        if sort == "conflict":
            return self._enter(old[0], Template("conflict", "hostile", b"<Other id='%d'/>" % self.seq, "refused"))
        if sort == "second":
            return self._enter(old[0], self._accepted())
        template = self._accepted() if sort in ("accepted", "keyless") else self._chance.choice(self._templates[sort])
        sender = self._chance.choice(self._agencies)
        key = None if sort == "keyless" else f"{sender}/{self._run}/{self._chance.randrange(self._keys)}".encode()
        return self._enter((sender, f"{self._run}-{self.seq}", key), template)

    def large(self):
        """A document as large as any sender may send: one that is accepted, with comments behind it."""
        self.drawn["large"] = self.drawn.get("large", 0) + 1
        small = next(t for t in self._templates["accepted"] if t.family == "invoice" and _is_utf8(t))
        sender = max(self._agencies, key=lambda code: self._limits[code])
        content = small.content + (b"<!--" + b" " * (1 << 20) + b"-->") * (self._limits[sender] // (1 << 20) - 1)
        key = f"{sender}/{self._run}/{self._chance.randrange(self._keys)}".encode()
        return self._enter((sender, f"{self._run}-{self.seq}", key), replace(small, content=content))

    def _accepted(self):
        """Every family as often."""
        return self._chance.choice(self._by_family[self._chance.choice(self.families)])

    def _earlier(self, sort):
        """A document of some time ago (sender, id and key; template) that may be sent so again; each once."""
        wanted = {"repeat": ("accepted", "not_routed"), "conflict": ("accepted",), "second": ("refused",)}[sort]
        for _ in range(20 if self._lately else 0):
            at = self._chance.randrange(len(self._lately))
            name, template = self._lately[at]
            if template.verdict in wanted and name[2] is not None:
                del self._lately[at]
                return name, template
        return None

    def _enter(self, name, template):
        sender, ce_id, key = name
        self.seq += 1
        message = ids.message_id(sender, ce_id)
        sent = self.book.setdefault(message, Sent(sender, ce_id, key))
        sha = ids.content_id(template.content or b"")
        if sha in sent.entries:
            sent.entries[sha].times += 1
        else:
            sent.entries[sha] = Entry(self.seq, template.verdict, template.windows)
        if len(sent.entries) == 1 and sent.times == 1:
            self._lately.append((name, template))
            del self._lately[:-400]
        return Document(sender, ce_id, key, template.content)


_MIX = {
    "accepted": 82, "not_routed": 3, "refused": 4, "hostile": 3, "dead": 0.7, "keyless": 3, "repeat": 2, "conflict": 1,
    "second": 1,
}  # fmt: skip
