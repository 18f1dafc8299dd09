"""How answers are told: forms, the dictionary of states, sentences in every language that somebody is told in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from broker.answers import way_back
from broker.answers.way_back import ALWAYS
from broker.model.errors import Misconfigured
from broker.registry import relations
from broker.relay.ledger import granting_families
from broker.toml_table import read_toml
from broker.workbench.fault import DataFault, of_error, placed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from broker.answers.way_back import WayBack
    from broker.workbench.check.scope import CheckScope

_UNREADABLE = (Misconfigured, OSError, etree.LxmlError)


def faults(scope: CheckScope) -> Iterator[DataFault]:
    """What is wrong with the data that tell a sender what became of a document."""
    mappings = scope.root / "mappings"
    if not (mappings / "responses").is_dir():
        if scope.catalogue.windows():
            yield DataFault("mappings/responses", "are missing: answers need a form")
        return
    try:
        way_back.load(scope.root, scope.catalogue)
    except _UNREADABLE as error:
        for one in getattr(error, "faults", (error,)):
            yield of_error(one, mappings / "responses", scope.root)
    yield from _sentences(scope)
    try:
        relations.load(mappings / "relations.toml")
    except (Misconfigured, OSError) as error:
        yield of_error(error, mappings / "relations.toml", scope.root)
    yield from _granting(scope)


def home(scope: CheckScope) -> WayBack | None:
    """The way of answers for the windows that are looked at; None where it cannot be read."""
    try:
        return way_back.load(scope.root, scope.with_windows())
    except _UNREADABLE:
        return None  # told already


def _sentences(scope: CheckScope) -> Iterator[DataFault]:
    file = scope.root / "mappings" / "responses" / "sentences.toml"
    try:
        sentences = read_toml(file)
    except Misconfigured:
        return  # told already
    spoken = dict.fromkeys([*ALWAYS, *(one for p in scope.catalogue.participants.values() for one in p.languages)])
    for code, told in sentences.items():
        for language in spoken:
            if not told.get(language):
                fault = DataFault(
                    "mappings/responses/sentences.toml", f"{code} has no sentence in {language}", row=code
                )
                yield placed(fault, scope.root, f'["{code}"]')


def _granting(scope: CheckScope) -> Iterator[DataFault]:
    """Families that grant a quantity and that nobody has."""
    file = scope.root / "mappings" / "writeoff.toml"
    try:
        named = granting_families(file)
    except (Misconfigured, OSError) as error:
        yield of_error(error, file, scope.root)
        return
    families = {document_type.family for document_type in scope.catalogue.document_types.values()}
    for family in sorted(set(named) - families):
        fault = DataFault("mappings/writeoff.toml", f"there is no family {family}", row=family)
        yield placed(fault, scope.root, f'"{family}"')
