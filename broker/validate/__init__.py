"""A document against its schema and its business rules: all findings at once, each with its place."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from broker.content.xml import control_character, place, pointer, shown
from broker.model.errors import Refused
from broker.model.findings import Finding, Severity
from broker.model.schemas import SchemaFault, SchemaVerdict
from broker.validate.issuance import check_issuance, issuance_findings
from broker.validate.libxml_messages import prefixed
from broker.validate.rules import broken, check
from broker.validate.xsd import MAX_FAULTS, Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from lxml import etree

    from broker.model.documents import Document, Payload
    from broker.model.outcomes import Catalogue

__all__ = [
    "Schema",
    "SchemaFault",
    "SchemaVerdict",
    "check",
    "check_issuance",
    "validate",
    "validate_payload",
]


def validate(document: Document, moment: datetime | None = None) -> tuple[Finding, ...]:
    """The warnings: what was tolerated, and rules that only warn. Raises Refused with them and all else if any errs.

    A certificate is held against the moment it came at: what is not issued or not in force is refused, unless schema or
    a rule has said so of the same place already.
    """
    found = (*_schema_findings(document), *_rule_findings(document), *_control_findings(document))
    told = {f.pointer for f in found if f.is_error}
    findings = (*found, *(f for f in issuance_findings(document, moment) if f.pointer not in told))
    if not any(f.is_error for f in findings):
        findings += _limit_findings(document)
    if any(f.is_error for f in findings):
        raise Refused(findings)
    return findings


def _limit_findings(document: Document) -> tuple[Finding, ...]:
    """More of a class than a declaration takes: an error here already, since no payload could hold it."""
    return tuple(document.type.mapping.limits(document))


def validate_payload(payload: Payload, document: Document, catalogue: Catalogue) -> None:
    """Raises Refused where our own payload is not what its schema demands: the fault of a mapping, never sent on."""
    schema = catalogue.payload_schema
    root = payload.root.getroottree().getroot()
    faults = [f"{_path(fault, pointer)}: {fault.sentence}" for fault in schema.judge(root).faults]
    faults += [
        f"{pointer(node, attribute)}: {rule.message['en']} ({rule.id})"
        for rule, node, attribute in broken(root, schema.rules, schema.namespaces)
    ]
    if faults:
        path, line = place(document, document.root)
        raise Refused(
            [Finding("payload.invalid", f"The WCO payload is not valid: {f}", pointer=path, line=line) for f in faults]
        )


def _schema_findings(document: Document) -> Iterator[Finding]:
    kind = document.type
    verdict: SchemaVerdict = kind.schema.judge(document.root, kind.tolerates, kind.namespaces)
    for one in verdict.tolerated:
        path, line = place(document, one.node, one.attribute)
        yield Finding(one.tolerance.id, one.tolerance.why, Severity.WARNING, path, line)
    for fault in verdict.faults:
        _, line = place(document, fault.node)
        path = _path(fault, lambda *at: place(document, *at)[0])
        yield Finding(fault.code, fault.sentence, pointer=path, line=line, value=_value(fault))


def _rule_findings(document: Document) -> Iterator[Finding]:
    found = broken(document.root, document.type.rules, document.type.namespaces)
    for rule, node, attribute in islice(found, MAX_FAULTS):
        path, line = place(document, node, attribute)
        value = node.get(attribute) if attribute else node.text
        yield Finding(rule.id, rule.message["en"], rule.severity, path, line, shown(value and value.strip()) or None)


def _control_findings(document: Document) -> Iterator[Finding]:
    """A warning where a text holds a C1 control: bytes 80 to 9F are characters of Windows-1252 alone."""
    found = control_character(document.root)
    if found is not None:
        element, attribute, character = found
        path, line = place(document, element, attribute)
        text = element.get(attribute) if attribute else element.text
        told = (
            f"U+{ord(character):04X} is a control character, not text: "
            "the label of the encoding is wrong, it may be windows-1252."
        )
        yield Finding("content.controls", told, Severity.WARNING, path, line, shown(text))


def _path(fault: SchemaFault, path: Callable[[etree._Element, str | None], str]) -> str:
    """To the node, its attribute, or the place where the missing child would stand."""
    if not fault.missing:
        return path(fault.node, fault.attribute)
    parent, name = fault.missing
    return f"{path(parent, None)}/{prefixed(parent, name)}"


def _value(fault: SchemaFault) -> str | None:
    if fault.missing:
        return None
    text = fault.node.get(fault.attribute) if fault.attribute else fault.node.text
    return shown(text) or None
