"""The implementation report of a mapping: the table an official can sign, as Markdown and as a page of its own."""

from __future__ import annotations

import hashlib
import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

from broker.mapping.language.statements import CODE, TEXT, WHY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from broker.mapping.compiler.bind import PlannedGroup, PlannedRow
    from broker.mapping.language.rows import Drop, Group, Row
    from broker.mapping.lineage.explain import Explanation
    from broker.model.documents import DocumentType

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
_WIDTHS = (11, 4, 5, 7, 20, 9, 9, 8, 7, 9, 11)
"""Of the columns of the elements, in percent."""
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 120rem; padding: 0 1rem; color: #1b1f24; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem; font-size: .8rem; }
.elements { table-layout: fixed; min-width: 72rem; }
th, td { border: 1px solid #c9d1d9; padding: .35rem .5rem; text-align: left; vertical-align: top; }
td, code { overflow-wrap: anywhere; }
th { background: #eef2f6; position: sticky; top: 0; }
tr:nth-child(even) td { background: #f8fafc; }
.sign { display: flex; gap: 4rem; margin-top: 3rem; }
.sign div { border-top: 1px solid #1b1f24; padding-top: .3rem; width: 18rem; }
@media (max-width: 75rem) { .scroll { overflow-x: auto; } }
@page { size: A4 landscape; margin: 1cm; }
@media print {
  body { font-size: 9px; margin: 0; padding: 0; max-width: none; }
  table { font-size: 7px; }
  .elements { min-width: 0; }
  .scroll { overflow: visible; }
  th { position: static; }
  th, td { padding: .2rem .3rem; }
  tr { break-inside: avoid; }
}
"""


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


def report(
    document_type: DocumentType, explanations: Iterable[Explanation], schema_digest: str
) -> ImplementationReport:
    """The report of a document type, with an example of each row from its samples."""
    mapping = document_type.mapping
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
    )


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


def page(found: ImplementationReport) -> str:
    """The report as one HTML page that needs nothing else."""

    def cell(text: str) -> str:
        return "<td>" + html.escape(text).replace("/", "/<wbr>").replace("|", "|<wbr>") + "</td>"

    def table(header: Sequence[str], rows: Iterable[Sequence[str]], columns: str = "") -> str:
        head = "".join(f'<th scope="col">{html.escape(h)}</th>' for h in header)
        body = "".join("<tr>" + "".join(map(cell, row)) + "</tr>" for row in rows)
        kind = ' class="elements"' if columns else ""
        return (
            f'<div class="scroll"><table{kind}>{columns}<thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>"
        )

    widths = "".join(f'<col style="width: {percent}%">' for percent in _WIDTHS)
    facts = "".join(f"<li>{html.escape(name)}: <code>{html.escape(value)}</code></li>" for name, value in found.facts)
    rules = f"<h2>Rules</h2>{table(('Rule', 'Severity', 'Says'), found.rules)}" if found.rules else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(found.title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{html.escape(found.title)}</h1><ul>{facts}</ul>"
        f"<h2>Elements</h2>{table(_HEADER, found.rows, widths)}"
        f"<h2>Left out on purpose</h2>{table(('Source', 'Why'), found.losses)}{rules}"
        f'<div class="sign"><div>Date</div><div>Signature</div></div></body></html>\n'
    )
