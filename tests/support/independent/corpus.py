"""Every document there is to try, and what becomes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from broker import Message, explain, process
from broker.content.parts import split
from broker.model.errors import Refused
from broker.model.ids import NO_MESSAGE_ID
from broker.workbench.samples import read_sample, sample_files
from tests.support.independent import payload, sources
from tests.support.independent.compare import Account, Explained, compare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from broker.model.outcomes import Catalogue

_PREFIX = re.compile(r"(?<=/)(@?)[\w.-]+:(?=[\w.-])")


@dataclass(frozen=True, slots=True)
class Checked:
    """One accepted document, held against its payload."""

    name: str
    document_type: str
    account: Account


def samples(mappings: Path) -> Iterator[tuple[str, bytes]]:
    """The samples below the mappings, variants made from their bases."""
    for file in sample_files(mappings):
        yield str(file.relative_to(mappings)), read_sample(file, mappings).content


def published(reference: Path) -> Iterator[tuple[str, bytes]]:
    """The documents that others published."""
    home = reference / "samples"
    for file in sorted(p for p in home.rglob("*") if p.suffix in {".xml", ".json"}):
        yield str(file.relative_to(home)), file.read_bytes()


def check(name: str, content: bytes, catalogue: Catalogue) -> list[Checked]:
    """Every accepted document of a content held against its payload; an envelope may hold several."""
    try:
        parts = split(content, catalogue.envelopes)
    except Refused:
        return []
    if not parts:
        return _check(name, content, catalogue)
    whole = [facts.number for facts in sources.read(content)]
    alone = [facts.number for part in parts for facts in sources.read(part.content)]
    assert [[v.text for v in number] for number in whole] == [[v.text for v in number] for number in alone], name
    return [one for part in parts for one in _check(f"{name}#{part.number}", part.content, catalogue)]


def _check(name: str, content: bytes, catalogue: Catalogue) -> list[Checked]:
    message = Message(NO_MESSAGE_ID, content)
    outcome = process(message, catalogue)
    if outcome.payload is None or outcome.document_type is None:
        return []
    loss = explain(message, catalogue).loss
    told = Explained(
        tuple((plain(f.pointer), f"{f.value} {f.message}") for f in outcome.findings if f.pointer),
        frozenset(plain(one.path) for one in loss if one.state == "dropped"),
    )
    (facts,) = sources.read(content)
    return [Checked(name, outcome.document_type, compare(facts, payload.read(outcome.payload.content), told))]


def plain(path: str) -> str:
    """A pointer without prefixes; a JSON pointer has none."""
    return _PREFIX.sub(r"\1", path)
