"""A document becomes a WCO payload; whatever does not reach it becomes a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from broker.content.xml import XSI, leaves, line_of, parser, place, shown
from broker.mapping.language.rows import Row
from broker.mapping.lineage.absent import absent_place
from broker.mapping.runtime.run import PARTIAL
from broker.model.documents import Payload
from broker.model.errors import Refused
from broker.model.findings import Finding, Severity

if TYPE_CHECKING:
    from broker.mapping.runtime.run import Issue, Leaf, Run
    from broker.model.documents import Document

DECLARATION = "{urn:wco:datamodel:WCO:DEC-DMS:2}Declaration"


def translate(document: Document, message_id: str) -> tuple[Payload, tuple[Finding, ...]]:
    """The payload, and a warning for every value that is not in it; raises Refused where a mandatory one is missing."""
    text, run = document.type.mapping.run(document.root, message_id)
    findings = told(document, run)
    if any(f.is_error for f in findings):
        raise Refused(findings)
    content = text.encode()
    root = etree.fromstring(content, parser())
    return Payload(content, next(root.iterchildren(DECLARATION))), findings


def told(document: Document, run: Run) -> tuple[Finding, ...]:
    """The findings of a run, in the order: missing, misfits, what nothing took."""
    entries = document.type.mapping.entries
    missing = [_missing(document, entries[row], element) for row, element in run.missing]
    once = {(i.code, i.element, i.attribute, i.row): i for i in run.issues}
    issues = [_issue(document, entries[issue.row], issue) for issue in once.values()]
    unmapped = [_unmapped(document, *leaf) for leaf in unmapped_leaves(run)]
    return (*missing, *issues, *unmapped)


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


def _issue(document: Document, row: object, issue: Issue) -> Finding:
    path, line = place(document, issue.element, issue.attribute)
    required = (isinstance(row, Row) and row.required and issue.code not in _MILD) or issue.code == "mapping.too-many"
    target = getattr(row, "name", "")
    return Finding(
        issue.code,
        f"Not carried to {target}: {issue.reason}." if issue.code not in _MILD else f"{issue.reason} ({target}).",
        Severity.ERROR if required else Severity.WARNING,
        path,
        line,
        shown(issue.value),
    )


_MILD = PARTIAL | {"mapping.moved"}


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
