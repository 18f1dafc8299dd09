"""Documents carried along the line once more, and what becomes of them held against what became of them before.

An expectation is a pair of files: ``<name>.findings.json``, always, and ``<name>.payload.xml`` when it was accepted:
the same form in which samples keep theirs.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lxml import etree

from broker import catalogue
from broker.content.parts import split
from broker.model.documents import Message
from broker.model.errors import Misconfigured, Refused
from broker.model.ids import NO_MESSAGE_ID, MessageId, ParticipantCode
from broker.relay import headers, ids, topics
from broker.workbench.samples import FINDINGS, FOLDER, PAYLOAD, VARIANT, is_expectation, read_sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from broker.content.parts import Part
    from broker.model.documents import Envelope
    from broker.model.findings import Finding
    from broker.model.outcomes import Outcome
    from broker.relay.records import Consumed

_EXPORTS = frozenset({".ndjson", ".jsonl"})
_NO_DOCUMENTS = frozenset({".md", ".py", ".txt"})


@dataclass(frozen=True, slots=True)
class Item:
    """One message to carry: the name its expectation has, and where it came from, for people."""

    name: str
    origin: str
    message: Message
    ce_id: str = ""
    """What its sender called it; empty where there is no sender."""


def apart(item: Item, envelopes: Sequence[Envelope]) -> list[Item]:
    """The item, or one for each document of an envelope that holds several, under the ids that the broker gives them.

    An envelope that cannot be taken apart stays whole: the line refuses it.
    """
    try:
        parts = split(item.message.content, envelopes)
    except Refused:
        parts = ()
    return [_part(item, part) for part in parts] or [item]


def _part(item: Item, part: Part) -> Item:
    whole = item.message
    identity = whole.id
    if item.ce_id and whole.sender:
        identity = ids.message_id(whole.sender, ids.part_id(item.ce_id, part.number))
    message = replace(whole, id=identity, content=part.content, skipped=part.skipped)
    return Item(f"{item.name}#{part.number}", f"{item.origin}#{part.number}", message)


def items(sources: Sequence[Path], given: MessageId = NO_MESSAGE_ID) -> Iterator[Item]:
    """The messages of files, of folders with all below them, and of exports (a JSON object a line)."""
    for source in sources:
        if source.is_dir():
            for file in documents(source):
                yield from _file(file, file.relative_to(source), given)
        else:
            yield from _file(source, Path(source.name), given)


def documents(folder: Path) -> list[Path]:
    """The documents below a folder: no expectations, no hidden files, none of the files that describe data."""
    return [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file()
        and not is_expectation(file)
        and file.suffix not in _NO_DOCUMENTS
        and (file.suffix != VARIANT or FOLDER in file.parts)  # elsewhere TOML describes data
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ]


def _file(file: Path, name: Path, given: MessageId) -> Iterator[Item]:
    if file.suffix in _EXPORTS:
        yield from _export(file)
    else:
        content = read_sample(file, catalogue.data_root() / "mappings").content
        yield Item(str(name.with_suffix("")), str(file), Message(given, content))


def _export(file: Path) -> Iterator[Item]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield _exported(line, f"{file}:{number}", f"{file.stem}-{number}")


def _exported(line: bytes, origin: str, name: str) -> Item:
    """A line of an export: ``content`` or ``content_base64``; who and which from its topic and headers."""
    try:
        record: dict[str, Any] = json.loads(line)
        text = record.get("content")
        content = base64.b64decode(record["content_base64"], validate=True) if text is None else text.encode()
        given = record.get("headers") or {}
        ce_id = record.get("ce_id") or given.get(headers.CE_ID) or ids.content_id(content)
        sender = record.get("participant") or topics.writer_of(record.get("topic") or "")
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise Misconfigured(
            f"{origin}: a line is a JSON object with content (or content_base64), and participant and ce_id, or topic "
            f"and headers: {type(error).__name__} {error}"
        ) from None
    known = str(ce_id) if sender and not record.get("message_id") else ""
    return Item(name, origin, _sent(sender, str(ce_id), content, record.get("message_id")), known)


def recorded(record: Consumed) -> Item:
    """A record of a topic as an item, with the id that the broker gives it, or gave it on a topic of its own."""
    ce_id = record.header(headers.CE_ID) or ids.content_id(record.content)
    sender = topics.writer_of(record.topic)
    given = None if sender else record.header(headers.MESSAGE_ID)  # in an outbox anyone could have written it
    name = f"{record.topic}-{record.partition}-{record.offset}"
    return Item(name, str(record.place), _sent(sender, ce_id, record.content, given), ce_id if sender else "")


def _sent(sender: str | None, ce_id: str, content: bytes, given: str | None) -> Message:
    derived = ids.message_id(sender, ce_id) if sender else NO_MESSAGE_ID
    identity = MessageId(given) if given else derived
    return Message(identity, content, ParticipantCode(sender) if sender else None)


def accept(name: str, outcome: Outcome, folder: Path) -> None:
    """Store the outcome as what is expected from now on."""
    findings, payload = _places(name, folder)
    findings.parent.mkdir(parents=True, exist_ok=True)
    findings.write_text(_json(outcome.findings), encoding="utf-8")
    if outcome.payload is None:
        payload.unlink(missing_ok=True)
    else:
        payload.write_bytes(outcome.payload.content)


def difference(name: str, outcome: Outcome, folder: Path) -> str:
    """How the outcome differs from what is expected, line by line; empty when it does not."""
    findings, payload = _places(name, folder)
    if not findings.exists():
        return f"nothing is expected of it yet: there is no {findings}"
    told = _diff(findings.read_text(encoding="utf-8"), _json(outcome.findings), findings.name)
    was = payload.read_bytes() if payload.exists() else None
    now = outcome.payload.content if outcome.payload else None
    if was is None or now is None:
        if was is not None:
            told = [f"was accepted, is now refused ({payload.name} is expected)", *told]
        elif now is not None:
            told = ["was refused, is now accepted", *told]
    elif was != now and _canonical(was) != _canonical(now):
        told += _diff(_indented(was), _indented(now), payload.name)
    return "\n".join(told)


def _places(name: str, folder: Path) -> tuple[Path, Path]:
    return folder / f"{name}{FINDINGS}", folder / f"{name}{PAYLOAD}"


def _json(findings: Iterable[Finding]) -> str:
    return json.dumps([f.as_json() for f in findings], ensure_ascii=False, indent=2) + "\n"


def _diff(was: str, now: str, name: str) -> list[str]:
    lines = difflib.unified_diff(
        was.splitlines(), now.splitlines(), f"{name} (expected)", f"{name} (now)", "", "", 2, ""
    )
    return list(lines)


def _canonical(content: bytes) -> bytes:
    """C14N 2.0: order of attributes, quotes and the declaration make no difference; what is no XML stays as it is."""
    try:
        return etree.tostring(etree.fromstring(content), method="c14n2")
    except etree.XMLSyntaxError:
        return content


def _indented(content: bytes) -> str:
    try:
        root = etree.fromstring(content)
    except etree.XMLSyntaxError:
        return content.decode(errors="replace")
    etree.indent(root)
    return etree.tostring(root, encoding="unicode")
