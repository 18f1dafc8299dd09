"""The implementation report of a mapping: what an official can sign, as Markdown; ``report_page`` makes the page."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from broker.mapping.language.statements import CODE, TEXT, WHY
from broker.mapping.mapping import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from broker.mapping.compiler.bind import PlannedGroup, PlannedRow
    from broker.mapping.language.rows import Drop, Group, Row
    from broker.mapping.lineage.explain import Explanation
    from broker.model.documents import DocumentType
    from broker.registry.codelists import CodeList

_HEADER = (
    "Element",
    "WCO id",
    "Format",
    "Obligation",
    "Source",
    "Label",
    "Condition",
    "Code list",
    "Transform",
    "Example",
    "Note",
)


@dataclass(frozen=True, slots=True)
class ImplementationReport:
    """Everything the report says, before it has a form."""

    title: str
    name: str
    version: str
    digest: str
    """SHA-256 of what is described: the rows with what they extend, editions of their lists, the payload schema."""
    facts: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...], ...]
    losses: tuple[tuple[str, str], ...]
    rules: tuple[tuple[str, str, str], ...]
    record: str
    """What `swb_mapping` says in every record that the mapping made: id, version and digest."""
    lists: tuple[tuple[str, str, str, str], ...]
    """The code lists that rows ask: name, title, agency, editions."""
    sentences: tuple[dict[str, str], ...]
    """What each rule says, by language."""


def report(
    document_type: DocumentType, explanations: Iterable[Explanation], schema_digest: str
) -> ImplementationReport:
    """The report of a document type, with an example of each row from its samples."""
    mapping = rows_of(document_type)
    examples: dict[str, str] = {}
    for explanation in explanations:
        for origin in explanation.lineage:
            examples.setdefault(origin.row, origin.value)
    lists = sorted(set(_lists(mapping.rows.body)))
    editions = [f"{name} {', '.join(e.version for e in mapping.code_lists[name].editions)}" for name in lists]
    digest = hashlib.sha256("\n".join([mapping.rows.sha256, schema_digest, *editions]).encode()).hexdigest()
    return ImplementationReport(
        title=document_type.title,
        name=document_type.name,
        version=mapping.rows.version,
        digest=digest,
        facts=(
            ("Document type", document_type.name),
            ("Root element", document_type.root),
            ("Mapping version", mapping.rows.version),
            ("Payload", "WCO Data Model 3.6, Declaration"),
            ("Digest (SHA-256)", digest),
        ),
        rows=tuple(_rows(mapping.plan.body, editions, examples)),
        losses=tuple((drop.text, drop.why) for drop in _drops(mapping.rows.body)),
        rules=tuple((rule.id, rule.severity.value, rule.message["en"]) for rule in document_type.rules),
        record=mapping.id,
        lists=tuple(_list(mapping.code_lists[name]) for name in lists),
        sentences=tuple(dict(rule.message) for rule in document_type.rules),
    )


def _list(code_list: CodeList) -> tuple[str, str, str, str]:
    """A list with its editions and the days from which they hold."""
    editions = [f"{e.version} (from {e.valid_from})" if e.valid_from else e.version for e in code_list.editions]
    held = f"{code_list.pinned.version}, whatever the day" if code_list.pinned else ", ".join(editions)
    return code_list.name, code_list.title, code_list.agency, held


def _rows(group: PlannedGroup, editions: Sequence[str], examples: dict[str, str]) -> Iterator[tuple[str, ...]]:
    """Every row of a group and of those in it; a statement is one row, named by its code."""
    codes = {b.row.to.removesuffix(CODE): b.row.value for b in group.rows if b.row.why == WHY}
    for bound in group.rows:
        if bound.row.why == WHY:
            continue
        element, *rest = _row(bound, editions, examples)
        code = codes.get(bound.row.to.removesuffix(TEXT)) if bound.row.to.endswith(TEXT) else None
        if code:
            holder = element.removesuffix(f"/{TEXT}").rpartition("/")
            element = f"{holder[0]}{holder[1]}{holder[2].partition('[')[0]} ({code})"
        yield element, *rest
    for inner in group.groups:
        yield from _rows(inner, editions, examples)


def _row(bound: PlannedRow, editions: Sequence[str], examples: dict[str, str]) -> tuple[str, ...]:
    row: Row = bound.row
    element = bound.target.element
    content = element.type.attributes[bound.attribute].type if bound.attribute else element.type.content
    if row.sources:
        source = (row.join if row.join and row.join.strip() else " else " if row.join is None else " + ").join(
            path.text for path in row.sources
        )
    else:
        source = f"constant {row.value}" if row.value else "position" if "position" in row.transforms else "the broker"
    if row.unit:
        source += f"; unit {' or '.join(unit.text for unit in row.unit)}"
    if row.default is not None:
        source += f"; else {row.default}"
    lists = [name for name in (row.map, row.codes, row.unit_map, row.unit_codes) if name]
    note = " ".join(
        part for part in (row.why, row.note, f"Otherwise to {row.otherwise}." if row.otherwise else "") if part
    )
    return (
        row.name.partition("#")[0],
        row.id or element.wco_id or "-",
        content.limit() if content else "date-time",
        "mandatory" if row.required or element.minimum else "optional",
        source,
        " / ".join(part for part in (row.label, row.label_es) if part),
        row.when_text,
        "; ".join(e for name in lists for e in editions if e.startswith(f"{name} ")),
        ", ".join(row.transforms),
        examples.get(row.name, ""),
        note,
    )


def _drops(group: Group) -> Iterator[Drop]:
    yield from group.drops
    for inner in group.groups:
        yield from _drops(inner)


def _lists(group: Group) -> Iterator[str]:
    for row in group.rows:
        yield from (name for name in (row.map, row.codes, row.unit_map, row.unit_codes) if name)
    for inner in group.groups:
        yield from _lists(inner)


def markdown(found: ImplementationReport) -> str:
    """The report as Markdown."""
    lines = [f"# {found.title}", ""]
    lines += [f"- {name}: `{value}`" for name, value in found.facts]
    lines += ["", "## Elements", "", *_table(_HEADER, found.rows)]
    lines += ["", "## Left out on purpose", "", *_table(("Source", "Why"), found.losses)]
    if found.rules:
        lines += ["", "## Rules", "", *_table(("Rule", "Severity", "Says"), found.rules)]
    return "\n".join(lines) + "\n"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    def cells(row: Sequence[str]) -> str:
        return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in row) + " |"

    return [cells(header), "|" + "---|" * len(header), *map(cells, rows)]
