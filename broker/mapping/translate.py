"""A document becomes a WCO payload; whatever does not reach it becomes a finding."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol, cast

from lxml import etree

from broker.content.xml import XSI, leaves, line_of, parser, place, shown
from broker.mapping.language.rows import Row
from broker.mapping.lineage.absent import absent_place
from broker.mapping.runtime.run import PARTIAL
from broker.model.documents import Payload
from broker.model.errors import Refused
from broker.model.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from broker.mapping.language.rows import Group
    from broker.mapping.runtime.run import Issue, Leaf, Run
    from broker.model.documents import Document

TOO_MANY = "mapping.too-many"
_MILD = PARTIAL | {"mapping.moved", "mapping.several"}
"""Issues of which the reason says where the value is."""
DECLARATION = "{urn:wco:datamodel:WCO:DEC-DMS:2}Declaration"


class CompiledMapping(Protocol):
    """What translation asks of a mapping, be it of rows or a stylesheet."""

    @property
    def entries(self) -> Sequence[Row | Group]:
        """Rows and groups by the numbers that a run names them with."""

    @property
    def mandatory(self) -> Collection[int]:
        """The numbers of rows whose target the payload cannot be without."""

    def maximum(self, row: int) -> int:
        """How many instances of a group a declaration takes."""

    def run(self, root: etree._Element, message_id: str, *, traced: bool = False) -> tuple[str, Run]:
        """The payload's text, and what happened on the way."""


MOST_UNMAPPED = 500
"""Values that no row takes, which a document is told one by one."""


def compiled(document: Document) -> CompiledMapping:
    """The mapping of a document's type, as the two kinds of this package make it."""
    return cast(CompiledMapping, document.type.mapping)


def translate(document: Document, message_id: str) -> tuple[Payload, tuple[Finding, ...]]:
    """The payload, and a warning for every value that is not in it; raises Refused where a mandatory one is missing."""
    text, run = compiled(document).run(document.root, message_id)
    findings = told(document, run)
    if any(f.is_error for f in findings):
        raise Refused(findings)
    content = text.encode()
    root = etree.fromstring(content, parser())
    return Payload(content, next(root.iterchildren(DECLARATION))), findings


def told(document: Document, run: Run) -> tuple[Finding, ...]:
    """The findings of a run, in the order: missing, misfits, what nothing took. What is one fault is told once."""
    entries = compiled(document).entries
    if too_many := tuple(crowded(document, run)):
        return too_many
    missing = [_missing(document, entries[row], element) for row, element in run.missing]
    once: dict[tuple[str, etree._Element, str | None, str], list[Issue]] = {}
    for issue in run.issues:
        once.setdefault((issue.code, issue.element, issue.attribute, issue.reason), []).append(issue)
    issues = [_issue(document, same) for same in once.values()]
    leaves = unmapped_leaves(run)
    unmapped = [_unmapped(document, *leaf) for leaf in leaves[:MOST_UNMAPPED]]
    return (*missing, *issues, *unmapped, *_more(len(leaves) - MOST_UNMAPPED))


def _more(count: int) -> tuple[Finding, ...]:
    """The finding that says how many more values nothing took: each place of theirs would be a path of its own."""
    if count <= 0:
        return ()
    text = f"{count:,} more values are in no row of the mapping; the payload does not carry them."
    return (Finding("findings.more", text, Severity.WARNING, value=str(count)),)


def unmapped_leaves(run: Run) -> list[tuple[etree._Element, str | None]]:
    """Every leaf that no row, condition or drop took."""
    found: dict[tuple[etree._Element, str | None], None] = {}
    told_already = {(issue.element, issue.attribute) for issue in run.issues}
    for leaf in run.unused():
        for one in _leaves(leaf):
            value = run.clean(one[0].text if one[1] is None else one[0].get(one[1]))
            if value and one not in told_already:
                found[one] = None
    return list(found)


def _leaves(leaf: Leaf) -> list[tuple[etree._Element, str | None]]:
    if not isinstance(leaf, tuple):
        return [(e, a) for e, a in leaves(leaf) if a is None or not a.startswith(XSI)]
    element, attribute = leaf
    text = element.text if attribute is None else element.get(attribute)
    return [(element, attribute)] if text and text.strip() else []


def _missing(document: Document, row: object, element: etree._Element) -> Finding:
    assert isinstance(row, Row)  # noqa: S101  (only rows are required)
    expected = " or ".join(source.text for source in row.sources)
    source = row.sources[0]
    home = document.root if source.up < 0 else element
    nearest, path = absent_place(home, source.steps, source.attribute, document.root)
    message = f"{row.label or row.to} is required, and {expected} has no value here."
    return Finding("mapping.required", message, pointer=path, line=line_of(nearest, document.line_offset))


def _issue(document: Document, same: list[Issue]) -> Finding:
    """One finding for a value, whatever the number of rows that could not carry it."""
    mapping, issue = compiled(document), same[0]
    path, line = place(document, issue.element, issue.attribute)
    rows = {one.row: mapping.entries[one.row] for one in same}
    targets = _listed(dict.fromkeys(_bare(getattr(row, "name", "")) for row in rows.values()))
    reason = issue.reason.rstrip(".")
    mild = issue.code in _MILD
    needed = any(isinstance(row, Row) and (row.required or n in mapping.mandatory) for n, row in rows.items())
    error = issue.code == "value.ambiguous" or (
        needed and issue.code not in PARTIAL and issue.code != "mapping.several"
    )
    return Finding(
        issue.code,
        f"{reason} ({targets})." if mild else f"Not carried to {targets}: {reason}.",
        Severity.ERROR if error else Severity.WARNING,
        path,
        line,
        shown(issue.value),
    )


def _bare(name: str) -> str:
    """A row's name as the place it fills: two rows of one place are told as one."""
    return re.sub(r"#\d+$| \(otherwise\)$", "", name)


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def crowded(document: Document, run: Run) -> Iterator[Finding]:
    """One finding for each class of which the document has more than a declaration takes."""
    mapping = compiled(document)
    issues = [issue for issue in run.issues if issue.code == TOO_MANY]
    for row in dict.fromkeys(issue.row for issue in issues):
        group, maximum = mapping.entries[row], mapping.maximum(row)
        first = next(issue.element for issue in issues if issue.row == row)
        count = maximum + sum(1 for issue in issues if issue.row == row)
        path, line = place(document, first)
        message = (
            f"The document has {count:,} of these; a declaration takes {maximum:,} ({group.name}). "
            "This is the first too many."
        )
        yield Finding(TOO_MANY, message, pointer=path, line=line)


def _unmapped(document: Document, element: etree._Element, attribute: str | None) -> Finding:
    path, line = place(document, element, attribute)
    return Finding(
        "mapping.unmapped",
        "No row of the mapping takes this value; the payload does not carry it.",
        Severity.WARNING,
        path,
        line,
        shown(element.text if attribute is None else element.get(attribute)),
    )
