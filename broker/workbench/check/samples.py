"""Samples: each becomes what its name says, and every format and rule has one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from broker.line import process
from broker.model.documents import Message
from broker.model.errors import Misconfigured, Refused
from broker.model.ids import NO_MESSAGE_ID
from broker.workbench import replay
from broker.workbench.fault import DataFault, below, of_error
from broker.workbench.samples import FINDINGS, PAYLOAD, is_expectation, read_sample, sample_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from broker.model.documents import DocumentType
    from broker.model.outcomes import Catalogue, Outcome
    from broker.workbench.check.scope import CheckScope


def files(root: Path) -> list[Path]:
    """Every sample below a root."""
    return sample_files(root / "mappings")


def faults(scope: CheckScope, tell: Callable[[str], None]) -> Iterator[DataFault]:
    """What is not as the samples' names and the expectations beside them say."""
    for document_type in scope.document_types():
        folder = scope.type_folder(document_type.name)
        beside = sample_files(folder)
        yield from _untried(document_type, beside, scope)
        yield from _stale(folder, beside, scope)
        for file in beside:
            if scope.takes_sample(file):
                tell(below(file, scope.root))
                yield from _sample(file, document_type, scope)


def _untried(document_type: DocumentType, beside: list[Path], scope: CheckScope) -> Iterator[DataFault]:
    """A format without a document that is accepted, and rules of its own that no document breaks."""
    folder = scope.type_folder(document_type.name)
    stems = [file.stem for file in beside]
    inherits = not (folder / "mapping.toml").exists() and not (folder / "mapping.xslt").exists()
    if not any(not stem.startswith("refused-") for stem in stems) and not inherits:
        text = "has no sample that is accepted: put a document into samples"
        yield DataFault(f"mappings/documents/{document_type.name}/document.toml", text, 1)
    chain = [file.stem for name in scope.lineage(document_type.name) for file in sample_files(scope.type_folder(name))]
    heirs = [t.name for t in scope.catalogue.document_types.values() if document_type.name in scope.lineage(t.name)]
    chain += [file.stem for name in heirs for file in sample_files(scope.type_folder(name))]
    for rule in document_type.rules:
        wanted = "warned" if rule.severity.value == "warning" else "refused"
        if not any(names(stem.partition("-")[2], rule.id) for stem in chain if stem.partition("-")[0] == wanted):
            text = f"the rule {rule.id} has no sample: samples/{wanted}-{rule.id}.xml, .json or .toml"
            yield DataFault(f"mappings/documents/{document_type.name}/rules.toml", text, row=rule.id)


def _stale(folder: Path, beside: list[Path], scope: CheckScope) -> Iterator[DataFault]:
    """Expectations of documents that are not there any more."""
    stems = {file.stem for file in beside}
    for file in sorted(folder.rglob("samples/*")):
        if is_expectation(file) and file.name.removesuffix(FINDINGS).removesuffix(PAYLOAD) not in stems:
            yield DataFault(below(file, scope.root), "there is no sample of this name: what is expected, and of what?")


def _sample(file: Path, document_type: DocumentType, scope: CheckScope) -> Iterator[DataFault]:
    """One sample: made, carried along the line, and held against its name and what is stored."""
    try:
        sample = read_sample(file, scope.root / "mappings")
    except (Misconfigured, Refused, OSError) as error:
        fault = of_error(error, file, scope.root)
        yield DataFault(below(file, scope.root), f"cannot be made: {fault.sentence}", fault.line)
        return
    try:
        outcome = process.process(Message(NO_MESSAGE_ID, sample.content), scope.catalogue)
    except Misconfigured:
        return  # told already, of its format
    except Exception as error:  # noqa: BLE001 - whatever the line says, it is told with the document
        yield DataFault(below(file, scope.root), f"cannot be carried: {type(error).__name__}: {error}")
        return
    for text in _as_named(file.stem, outcome, scope.catalogue):
        yield DataFault(below(file, scope.root), text)
    if outcome.is_accepted and outcome.document_type != document_type.name:
        text = f"is recognised as {outcome.document_type}, and lies with {document_type.name}"
        yield DataFault(below(file, scope.root), text)
    if (file.parent / f"{file.stem}{FINDINGS}").exists():
        told = replay.difference(file.stem, outcome, file.parent).replace(f"{scope.root}/", "")
        if told:
            text = f"differs from what is expected (swb replay --expect --update accepts it):\n{told}"
            yield DataFault(below(file, scope.root), text)


def _as_named(stem: str, outcome: Outcome, catalogue: Catalogue) -> Iterator[str]:
    """Refused by the rule that the name says, warned by it, or accepted."""
    errors = [f for f in outcome.findings if f.is_error]
    wanted, _, rule = stem.partition("-")
    is_ruled = wanted in {"refused", "warned"} and _is_rule(rule, outcome, catalogue)
    if wanted == "refused" and outcome.is_accepted:
        yield "must be refused, is accepted"
    elif wanted != "refused" and errors:
        yield f"must be accepted, is refused: {errors[0].code} {errors[0].pointer} {errors[0].message}"
    elif is_ruled and not any(names(rule, f.code) for f in outcome.findings):
        told = ", ".join(dict.fromkeys(f.code for f in outcome.findings)) or "nothing"
        yield f"must be {wanted} by the rule it is named by, and is told: {told}"


def names(text: str, code: str) -> bool:
    """``COD-07`` and ``COD-07-without-date`` name the rule COD-07."""
    return re.fullmatch(rf"{re.escape(code)}(?:[-.].*)?", text, re.IGNORECASE) is not None


def _is_rule(text: str, outcome: Outcome, catalogue: Catalogue) -> bool:
    """Whether a sample's name speaks of one of the format's rules; else it says in words what is wrong."""
    found = [t for name, t in catalogue.document_types.items() if name == outcome.document_type]
    return any(names(text, rule.id) for document_type in found for rule in document_type.rules)
