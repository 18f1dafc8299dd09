"""All data held against itself: schemas compile, rows lead somewhere, code lists resolve, samples pass.

Every fault is told at once, with its file, its line and a sentence; what is at fault is left out and the rest is looked
at. Nothing here decides what a document becomes: it only says beforehand what would go wrong with one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lxml import etree

from broker import catalogue as catalogues
from broker.workbench import versions
from broker.workbench.check import answers, documents, lists, participants, samples
from broker.workbench.check.scope import CheckScope
from broker.workbench.fault import DataFault, below, of_error
from broker.workbench.window_trial import trial

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from broker.model.errors import Misconfigured

__all__ = ["CheckReport", "DataFault", "check"]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was looked at, and what is wrong with it."""

    counts: dict[str, int]
    faults: tuple[DataFault, ...]


def check(
    root: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
    *,
    changed: Collection[Path] | None = None,
    with_samples: bool = True,
    with_versions: bool = True,
) -> CheckReport:
    """Look at all data below ``root``; ``tell`` hears what is looked at.

    With ``changed`` only what these files can have broken; without samples only what no document is needed for; without
    versions nothing of ``versions.lock``, which is the authors' and not a worker's concern.
    """
    root = root or catalogues.data_root()
    heard: list[Misconfigured] = []
    tell("catalogue")
    catalogue = catalogues.load(root, heard=heard.append)
    scope = CheckScope(root, catalogue, changed)
    found: list[DataFault] = [of_error(one, root / "mappings", root) for error in heard for one in error.faults]
    for part in (_schemas, lists.faults, participants.faults, answers.faults):
        found += part(scope)
    for document_type in scope.document_types():
        tell(document_type.name)
        found += documents.faults(document_type, scope)
    found += documents.faults_of_all(scope)
    if with_versions and not heard:
        found += versions.faults(root / "mappings", catalogue)
    if with_samples:
        found += _tried(scope, tell)
    counts = {
        "schemas": sum(1 for _ in (root / "xsd").rglob("*.xsd")),
        "code lists": len(catalogue.code_lists),
        "document types": len(catalogue.document_types),
        "rows": sum(documents.count_rows(t) for t in catalogue.document_types.values()),
        "rules": sum(len(t.rules) for t in catalogue.document_types.values()),
        "participants": len(catalogue.participants),
        "samples": len(samples.files(root)),
    }
    return CheckReport(counts, tuple(dict.fromkeys(found)))


def _schemas(scope: CheckScope) -> Iterator[DataFault]:
    """Every XSD by itself: one that nothing uses yet, too."""
    for file in scope.files("xsd/**/*.xsd"):
        try:
            etree.XMLSchema(etree.parse(file))
        except (OSError, etree.LxmlError) as error:
            yield of_error(error, file, scope.root)


def _tried(scope: CheckScope, tell: Callable[[str], None]) -> Iterator[DataFault]:
    """The samples of windows and of formats, each as its name says."""
    tell("windows")
    mappings = scope.root / "mappings"
    home = answers.home(scope)
    for place, text in trial(mappings, home, datetime.now(UTC)) if home else ():
        yield DataFault(below(place, scope.root), text.replace(f"{scope.root}/", ""))
    yield from samples.faults(scope, tell)
