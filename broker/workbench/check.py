"""All data held against itself: schemas compile, rows lead somewhere, code lists resolve, samples pass."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lxml import etree

from broker import catalogue as catalogues
from broker.answers import way_back
from broker.answers.way_back import WayBack
from broker.line import process
from broker.model.documents import Message
from broker.model.errors import Misconfigured, Refused
from broker.model.ids import NO_MESSAGE_ID
from broker.relay.ledger import granting_families
from broker.validate import check as check_rules
from broker.validate import check_issuance
from broker.workbench import replay, versions
from broker.workbench.fault import DataFault
from broker.workbench.samples import FINDINGS, read_sample, sample_files
from broker.workbench.source_schema import Profile
from broker.workbench.window_trial import trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from broker.mapping.language.paths import Condition
    from broker.mapping.language.paths import Path as RowPath
    from broker.mapping.language.rows import Group, Row
    from broker.model.documents import DocumentType
    from broker.model.outcomes import Catalogue, Outcome
    from broker.registry.codelists import CodeList
    from broker.workbench.source_schema import Elements


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was looked at, and what is wrong with it."""

    counts: dict[str, int]
    faults: tuple[DataFault, ...]


def check(root: Path | None = None, tell: Callable[[str], None] = lambda _: None) -> CheckReport:
    """Look at all data below ``root``; ``tell`` hears what is looked at."""
    root = root or catalogues.data_root()
    counts = dict.fromkeys(("schemas", "code lists", "document types", "rows", "rules", "participants", "samples"), 0)
    faults: list[DataFault] = []
    tell("schemas")
    for file in sorted((root / "xsd").rglob("*.xsd")):
        counts["schemas"] += 1
        faults += _schema(file, root)
    tell("catalogue")
    try:
        catalogue = catalogues.load(root)
    except Misconfigured as error:
        return CheckReport(counts, (*faults, DataFault("mappings", _relative(str(error), root))))
    counts["participants"] = len(catalogue.participants)
    counts["code lists"] = len(catalogue.code_lists)
    faults += [DataFault(f.where, _relative(f.sentence, root)) for f in _code_lists(catalogue)]
    for document_type in catalogue.document_types.values():
        tell(document_type.name)
        counts["document types"] += 1
        counts["rules"] += len(document_type.rules)
        found = list(_document_type(document_type))
        try:
            counts["rows"] += sum(1 for _ in _rows(document_type))
            found += _mapping(document_type, catalogue)
        except Misconfigured as error:
            found.append(DataFault(f"{document_type.name}/mapping.toml", str(error)))
        faults += [DataFault(f.where, _relative(f.sentence, root)) for f in found]
    faults += _ungranted(root, catalogue)
    faults += _participants(catalogue)
    home = _way_back(root, catalogue)
    if isinstance(home, DataFault):
        faults.append(DataFault(home.where, _relative(home.sentence, root)))
    faults += versions.faults(root / "mappings", catalogue)
    tell("windows")
    for place, text in trial(root / "mappings", home, datetime.now(UTC)) if isinstance(home, WayBack) else ():
        faults.append(DataFault(str(place.relative_to(root)), _relative(text, root)))
    for file in sample_files(root / "mappings"):
        counts["samples"] += 1
        if file.is_relative_to(root / "mappings" / "participants"):
            continue  # tried already
        tell(str(file.relative_to(root)))
        faults += [
            DataFault(str(file.relative_to(root)), _relative(text, root)) for text in _sample(file, root, catalogue)
        ]
    return CheckReport(counts, tuple(faults))


def _relative(text: str, root: Path) -> str:
    return text.replace(f"{root}{os.sep}", "")


def _schema(file: Path, root: Path) -> Iterator[DataFault]:
    try:
        etree.XMLSchema(etree.parse(file))
    except (OSError, etree.LxmlError) as error:
        yield DataFault(str(file.relative_to(root)), f"not a schema: {error}")


def _code_lists(catalogue: Catalogue) -> Iterator[DataFault]:
    """Editions that cannot be read, and translations into a code that the list they lead to does not have."""
    read: dict[str, set[str]] = {}
    for code_list in catalogue.code_lists.values():
        for edition in code_list.editions:
            try:
                read.setdefault(code_list.name, set()).update(edition.codes)
            except (Misconfigured, OSError, ValueError) as error:
                yield DataFault(f"codelists/{code_list.name}/{edition.version}.csv", str(error))
    for code_list in catalogue.code_lists.values():
        target = _target(code_list.name, catalogue) if code_list.kind == "translation" else None
        if target is not None and target.name in read and code_list.name in read:
            led = {code.name for edition in code_list.editions for code in edition.codes.values()}
            if strangers := ", ".join(sorted(led - read[target.name])):
                yield DataFault(
                    f"codelists/{code_list.name}", f"leads to what is no code of {target.name}: {strangers}"
                )


def _target(name: str, catalogue: Catalogue) -> CodeList | None:
    """The list that a translation named ``x-to-list`` leads to, when it is here."""
    to = name.partition("-to-")[2]
    lists = [one for one in catalogue.code_lists.values() if one.kind == "list"]
    return next((one for one in lists if to and f"-{one.name}".endswith(f"-{to}")), None)


def _lists(document_type: DocumentType, known: Mapping[str, object]) -> dict[str, str]:
    """Each code list that rows name and that is not here, with the first of those rows."""
    missing: dict[str, str] = {}
    for row in _rows(document_type):
        for name in (row.codes, row.map, row.unit_codes, row.unit_map):
            if name and name not in known:
                missing.setdefault(name, row.name)
    return missing


def _rows(document_type: DocumentType) -> Iterator[Row]:
    rows = getattr(document_type.mapping, "rows", None)
    groups = [rows.body] if rows is not None else []
    for group in groups:
        yield from group.rows
        groups += group.groups


def _document_type(document_type: DocumentType) -> Iterator[DataFault]:
    """Schema and rules of one format."""
    name = document_type.name
    try:
        document_type.schema.warm()
    except Misconfigured as error:
        yield DataFault(f"{name}/document.toml", str(error))
    try:
        check_rules(document_type.rules, document_type.namespaces, document_type.tolerates)
        if document_type.issuance is not None:
            check_issuance(document_type.issuance, document_type.namespaces, f"{name}/issuance.toml")
    except Misconfigured as error:
        yield DataFault(f"{name}/rules.toml", str(error))
    ids = [rule.id for rule in document_type.rules]
    yield from (
        DataFault(f"{name}/rules.toml", f"two rules have the id {i}") for i in sorted(set(ids)) if ids.count(i) > 1
    )


def _ungranted(root: Path, catalogue: Catalogue) -> Iterator[DataFault]:
    """Types whose documents grant a quantity, and of which no table says when they are issued."""
    file = root / "mappings" / "writeoff.toml"
    families = granting_families(file) if file.exists() else frozenset()
    for document_type in catalogue.document_types.values():
        if document_type.family in families and document_type.issuance is None:
            sentence = "no table says which of them are issued, and they grant quantities (writeoff.toml)"
            yield DataFault(f"{document_type.name}/issuance.toml", sentence)


def _mapping(document_type: DocumentType, catalogue: Catalogue) -> Iterator[DataFault]:
    """The rows of one format against the payload's schema, its own schema and the code lists."""
    where = f"{document_type.name}/mapping.toml"
    missing = _lists(document_type, catalogue.code_lists)
    for code_list, row in missing.items():
        yield DataFault(where, f"row {row}: there is no code list {code_list!r} in mappings/codelists")
    try:
        document_type.mapping.warm()
    except Misconfigured as error:
        if not any(f"no code list '{code_list}'" in str(error) for code_list in missing):
            yield DataFault(where, str(error))
    rows = getattr(document_type.mapping, "rows", None)
    if rows is None or document_type.schema.file.suffix != ".xsd" or not document_type.schema.file.exists():
        return  # an XSLT names no paths; a JSON Schema is open, `swb coverage` shows rows that never meet a value
    profile = Profile(document_type.schema.file)
    start = profile.root(document_type.root)
    if not start:
        yield DataFault(where, f"the schema declares no root element {document_type.root}")
        return
    for row, unknown in _paths(rows.body, profile, (start,)):
        yield DataFault(where, f"{row}: the source schema has no {unknown} there")


def _paths(group: Group, profile: Profile, scopes: tuple[Elements, ...]) -> Iterator[tuple[str, str]]:
    """Row, and the name in one of its paths that the source schema does not know; ``scopes`` from the root inwards."""

    def ask(where: str, path: RowPath, of: tuple[Elements, ...] = scopes) -> Iterator[tuple[str, str]]:
        start = of[0] if path.up < 0 else of[max(0, len(of) - 1 - path.up)]
        _, unknown = profile.follow(start, path)
        yield from ((f"{where}, {path.text}", name) for name in unknown)

    for row in group.rows:
        where = f"row {row.name}"
        base = profile.follow(scopes[-1], row.sources[0])[0] if row.sources and not row.sources[0].up else None
        for path in row.sources:
            yield from ask(where, path)
        for measure in (*row.unit, row.scheme):
            if measure is not None:
                is_on_source = measure.attribute and not measure.steps and not measure.up
                yield from ask(where, measure, (*scopes, base) if is_on_source and base is not None else scopes)
        yield from (found for path in _tested(row.when) for found in ask(where, path))
    for drop in group.drops:
        if drop.path is not None:
            yield from ask(f"drop {drop.text}", drop.path)
    for sub in group.groups:
        where = f"group {sub.name or sub.each.text}"
        yield from ask(where, sub.each)
        start = scopes[0] if sub.each.up < 0 else scopes[max(0, len(scopes) - 1 - sub.each.up)]
        inner = (*scopes, profile.follow(start, sub.each)[0])
        yield from (found for path in _tested(sub.when) for found in ask(where, path, inner))
        yield from _paths(sub, profile, inner)


def _tested(condition: Condition | None) -> Iterator[RowPath]:
    if condition is not None:
        for test in condition.tests():
            yield from test.paths()


def _way_back(root: Path, catalogue: Catalogue) -> WayBack | DataFault | None:
    """The way of answers, with forms and status dictionary, or what is wrong with them; None without windows."""
    if not (root / "mappings" / "responses").is_dir():
        return DataFault("responses", "are missing: answers need a form") if catalogue.windows() else None
    try:
        return way_back.load(root, catalogue)
    except Misconfigured as error:
        return DataFault("answers", str(error))


def _participants(catalogue: Catalogue) -> Iterator[DataFault]:
    """Identifiers that cannot be right, and rules that name a family or a format that nobody has."""
    families = {document_type.family for document_type in catalogue.document_types.values()}
    for participant in catalogue.participants.values():
        where = f"participants/{participant.code}"
        for one in participant.identifiers:
            try:
                reason = catalogue.identifiers.check(one.scheme, one.value)
            except Misconfigured as error:
                reason = str(error)
            if reason:
                yield DataFault(where, f"identifiers: {reason}")
        for rule in participant.accepts:
            if rule.family and rule.family not in families:
                yield DataFault(
                    where, f"{rule.id}: there is no family {rule.family}; there are {', '.join(sorted(families))}"
                )
            for name in rule.types:
                if name not in catalogue.document_types:
                    yield DataFault(where, f"{rule.id}: there is no document type {name}")


def _sample(file: Path, root: Path, catalogue: Catalogue) -> Iterator[str]:
    """What is not as the sample's name and the expectations beside it say."""
    try:
        sample = read_sample(file, root / "mappings")
    except (Misconfigured, Refused, OSError) as error:
        yield f"cannot be made: {error}"
        return
    try:
        outcome = process.process(Message(NO_MESSAGE_ID, sample.content), catalogue)
    except Misconfigured:
        return  # told already, of its format
    yield from _as_named(file.stem, outcome, catalogue)
    if (file.parent / f"{file.stem}{FINDINGS}").exists():
        told = replay.difference(file.stem, outcome, file.parent)
        if told:
            yield f"differs from what is expected (swb replay --expect --update accepts it):\n{told}"


def _as_named(stem: str, outcome: Outcome, catalogue: Catalogue) -> Iterator[str]:
    """Refused by the rule that the name says, warned by it, or accepted."""
    errors = [f for f in outcome.findings if f.is_error]
    wanted, _, rule = stem.partition("-")
    is_ruled = wanted in {"refused", "warned"} and _is_rule(rule, outcome, catalogue)
    if wanted == "refused" and outcome.is_accepted:
        yield "must be refused, is accepted"
    elif wanted != "refused" and errors:
        yield f"must be accepted, is refused: {errors[0].code} {errors[0].pointer} {errors[0].message}"
    elif is_ruled and not any(_names(rule, f.code) for f in outcome.findings):
        told = ", ".join(dict.fromkeys(f.code for f in outcome.findings)) or "nothing"
        yield f"must be {wanted} by the rule it is named by, and is told: {told}"


def _names(text: str, code: str) -> bool:
    """``COD-07`` and ``COD-07-without-date`` name the rule COD-07."""
    return re.fullmatch(rf"{re.escape(code)}(?:[-.].*)?", text, re.IGNORECASE) is not None


def _is_rule(text: str, outcome: Outcome, catalogue: Catalogue) -> bool:
    """Whether a sample's name speaks of one of the format's rules; else it says in words what is wrong."""
    found = [t for name, t in catalogue.document_types.items() if name == outcome.document_type]
    return any(_names(text, rule.id) for document_type in found for rule in document_type.rules)
