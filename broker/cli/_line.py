"""What the verbs on the line share: documents in, outcomes out as JSON or as text for people."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from broker.model.documents import Message
from broker.model.ids import NO_MESSAGE_ID, MessageId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from broker.model.documents import DocumentType
    from broker.model.errors import Refused
    from broker.model.outcomes import Catalogue, Outcome

files = click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True),
)
as_json = click.option("-o", "form", type=click.Choice(["text", "json"]), default="text", help="Text, or JSON lines.")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A document to carry, and the name by which its outcome is told."""

    name: str
    content: bytes
    number: int = 0
    """Which document of an envelope of several it is, from 1."""
    skipped: int = 0
    """Lines of the documents before it."""
    refusal: Refused | None = None
    """Why an envelope cannot be taken apart."""


_MAX_ID = 35
"""WCO D026: an..35."""


def _id(_context: click.Context, _parameter: click.Parameter, text: str | None) -> MessageId:
    """A message id; BadParameter for what could not stand in a payload (WCO D026, an..35)."""
    if text is None:
        return NO_MESSAGE_ID
    if not (0 < len(text) <= _MAX_ID and text.isascii() and text.replace("-", "").replace(".", "").isalnum()):
        raise click.BadParameter(f"at most {_MAX_ID} letters, digits, dots and hyphens")
    return MessageId(text)


message_id = click.option(
    "--message-id", "given_id", callback=_id, help="The payload's own reference; default: 32 zeros."
)


def load() -> Catalogue:
    """The catalogue that came with the package."""
    from broker import catalogue, settings  # noqa: PLC0415 - a quarter of a second that --help does without

    return catalogue.load(max_content=settings.load().max_content_bytes)


def document_types(formats: Sequence[str], catalogue: Catalogue) -> list[DocumentType]:
    """The document types of these names, or all; BadParameter for a name that there is not."""
    for name in formats:
        if name not in catalogue.document_types:
            known = ", ".join(sorted(catalogue.document_types))
            raise click.BadParameter(f"no format {name}; there are {known}", param_hint="FORMAT")
    found = [kind for name, kind in sorted(catalogue.document_types.items()) if not formats or name in formats]
    for kind in found:
        if not kind.mapping.has_lineage:
            click.echo(f"{kind.name}: its mapping is an XSLT stylesheet, which has no rows to tell of.", err=True)
    return [kind for kind in found if kind.mapping.has_lineage]


def read(names: Sequence[str]) -> Iterable[SourceFile]:
    """The documents, one after another; ``-`` is standard input."""
    for name in names:
        yield SourceFile(name, sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes())


def documents(names: Sequence[str], catalogue: Catalogue) -> Iterable[SourceFile]:
    """The same, and each document of an envelope that holds several by itself: ``file#1``, ``file#2``."""
    from broker.content.parts import split  # noqa: PLC0415 - as above
    from broker.model.errors import Refused  # noqa: PLC0415 - as above

    for source in read(names):
        try:
            parts = split(source.content, catalogue.envelopes)
        except Refused as refusal:
            yield replace(source, refusal=refusal)
            continue
        for part in parts:
            yield SourceFile(f"{source.name}#{part.number}", part.content, part.number, part.skipped)
        if not parts:
            yield source


def as_message(source: SourceFile, given: MessageId) -> Message:
    """The document as the line takes it, now; parts of one envelope have ids of their own."""
    identity = given if given == NO_MESSAGE_ID or not source.number else MessageId(f"{given}.{source.number}")
    if len(identity) > _MAX_ID:
        raise click.BadParameter(f"with the number of a document it has more than {_MAX_ID} characters: {identity}")
    return Message(identity, source.content, skipped=source.skipped, received=datetime.now(UTC))


def process(source: SourceFile, given: MessageId, catalogue: Catalogue) -> Outcome:
    """One document on the line."""
    from broker.line import process  # noqa: PLC0415 - as above
    from broker.model.outcomes import Outcome  # noqa: PLC0415 - as above

    message = as_message(source, given)
    if source.refusal is not None:
        return Outcome(message, None, source.refusal.findings)
    return process.process(message, catalogue)


def told(source: SourceFile, outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON tells it, without the payload."""
    return {
        "file": source.name,
        "outcome": "accepted" if outcome.is_accepted else "refused",
        "document_type": outcome.document_type,
        "message": message(outcome.message),
        "findings": findings(outcome),
    }


def findings(of: Outcome | Refused) -> list[dict[str, Any]]:
    """What was found, as JSON tells it."""
    return [finding.as_json() for finding in of.findings]


def refused(source: SourceFile, refusal: Refused, form: str) -> None:
    """A document that the line refused, told by a verb that has nothing else to say of it."""
    if form == "json":
        write_json({"file": source.name, "outcome": "refused", "findings": findings(refusal)})
    else:
        click.echo(f"{source.name}: {verdict('refused', good=False)}", err=True)
        write_findings(findings(refusal), err=True)


def message(one: Message) -> dict[str, Any]:
    """Which message it was, without its content."""
    return {
        "id": one.id,
        "sender": one.sender,
        "bytes": len(one.content),
        "sha256": hashlib.sha256(one.content).hexdigest(),
    }


def payload(outcome: Outcome) -> str | None:
    """The payload as text."""
    return None if outcome.payload is None else outcome.payload.content.decode()


def write_json(value: object) -> None:
    """One JSON object on a line of its own."""
    click.echo(json.dumps(value, ensure_ascii=False))


def write_findings(findings: Iterable[Mapping[str, Any]], *, err: bool = False) -> None:
    """Findings as JSON tells them, for people: what, where, and the sentence."""
    for one in findings:
        severity = click.style(one["severity"], fg="red" if one["severity"] == "error" else "yellow")
        names = " ".join(dict.fromkeys(name for name in (one.get("rule"), one["code"]) if name))
        place = " ".join(part for part in (one["pointer"], f"(line {one['line']})" if one["line"] else "") if part)
        click.echo(f"  {severity} {names}  {place}".rstrip(), err=err)
        label = f" {one['label']}" if one.get("label") else ""
        value = f" Found{label}: {one['value']}" if one["value"] else ""
        click.echo(f"    {one['message']}{value}", err=err)


def write_summary(counts: dict[str, int], *, err: bool = False) -> None:
    """The last line, for more than one document: ``12 accepted, 1 refused``."""
    if sum(counts.values()) > 1:
        click.echo(", ".join(f"{number} {word}" for word, number in counts.items() if number), err=err)


def verdict(word: str, *, good: bool) -> str:
    """One word in its colour."""
    return click.style(word, fg="green" if good else "red", bold=True)


def each(
    names: Sequence[str],
    given: MessageId,
    tell: Callable[[SourceFile, Outcome], bool],
    words: tuple[str, str],
    *,
    err: bool,
) -> None:
    """Carry every document and tell its outcome; leaves with 0 when all were told to be good, 1 when some were not."""
    catalogue = load()
    counts = dict.fromkeys(words, 0)
    for source in documents(names, catalogue):
        good = tell(source, process(source, given, catalogue))
        counts[words[0 if good else 1]] += 1
    write_summary(counts, err=err)
    sys.exit(1 if counts[words[1]] else 0)
