"""What became of a message, in its sender's own format: one record in the form its profile names.

A form is data (``mappings/responses/<form>``): ``response.toml`` says where the sender's own references stand in the
document, ``response.xsl`` makes the form out of the neutral XML that is built here. A form without it is JSON.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from lxml import etree

from broker.model.errors import Misconfigured
from broker.toml_table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from broker.model.answers import Remark
    from broker.model.findings import Finding
    from broker.registry.statuses import Statuses

JSON_FORM = "json"
XML, JSON = "application/xml", "application/json"
_MAX_REFERENCE = 200
_FORBIDDEN = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOTHING = etree.XSLTAccessControl.DENY_ALL  # type: ignore[attr-defined]  # its stubs forget it
"""A stylesheet reaches nothing but the notification."""


@dataclass(frozen=True, slots=True)
class AtWindow:
    """Where one window stands, or why it does not take the message."""

    window: str
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LocatedNotification:
    """A receipt, an answer, a refusal or a notice, with every place in the sender's document found."""

    kind: str
    id: str
    """Of this notification; the same on every repeat."""
    message_id: str
    conversation_id: str
    state: str
    """A canonical state of the dictionary."""
    at: str
    """RFC 3339, UTC."""
    sender: str = ""
    sender_name: str = ""
    window: str = ""
    window_name: str = ""
    function_code: str = ""
    answer_id: str = ""
    mrn: str = ""
    version: str = ""
    issued: str = ""
    findings: tuple[Finding, ...] = ()
    remarks: tuple[Remark, ...] = ()
    details: tuple[tuple[str, str], ...] = ()
    windows: tuple[AtWindow, ...] = ()
    """How the message stands at every window, so that a part is not taken for the whole."""
    languages: tuple[str, ...] = ("en", "es")


@dataclass(frozen=True, slots=True)
class Form:
    """One form of notifications, compiled."""

    name: str
    title: str
    schema: str
    """Who publishes the schema of it."""
    references: Mapping[str, tuple[etree.XPath, ...]]
    stylesheet: etree.XSLT | None
    media_type: str = XML
    lists: tuple[str, ...] = field(default=())
    """The status lists whose codes it uses."""


def render(
    notification: LocatedNotification, form: Form, statuses: Statuses, document: etree._Element | None = None
) -> bytes:
    """The notification in a form; the sender's own references are read from the document where there is one."""
    references = _references(form, document)
    if form.stylesheet is None:
        return orjson.dumps({**as_json(notification, statuses), "references": references})
    return bytes(form.stylesheet(_neutral(notification, form, statuses, references)))


def as_json(notification: LocatedNotification, statuses: Statuses) -> dict[str, Any]:
    """The notification as ``swb inbox -o json`` shows it, without ``content``."""
    return {
        "kind": notification.kind,
        "id": notification.id,
        "message_id": notification.message_id,
        "conversation_id": notification.conversation_id,
        "window": notification.window,
        "state": notification.state,
        "title": _title(notification.state, statuses),
        "at": notification.at,
        "issued": notification.issued,
        "mrn": notification.mrn,
        "function_code": notification.function_code,
        "answer_id": notification.answer_id,
        "findings": [finding.as_json() for finding in notification.findings],
        "remarks": [
            {"code": r.code, "type": r.type_code, "text": r.text, "limit": r.limit} for r in notification.remarks
        ],
        "details": dict(notification.details),
        "windows": [{"window": w.window, "state": w.state, "reason": w.reason} for w in notification.windows],
    }


def load_forms(folder: Path) -> dict[str, Form]:
    """Every form below ``mappings/responses``, and JSON in any case; raises Misconfigured with file and place."""
    forms = {JSON_FORM: Form(JSON_FORM, "JSON", "our own", {}, None, JSON)}
    for file in sorted(folder.glob("*/response.toml")):
        forms[file.parent.name] = _form(file)
    return forms


def _form(file: Path) -> Form:
    table = Table.read(file)
    namespaces = table.names("namespaces")
    sheet = file.parent / "response.xsl"
    try:
        references = {
            name: tuple(etree.XPath(f"string({path})", namespaces=namespaces) for path in paths)
            for name, paths in table.texts_by_path("references").items()
        }
        stylesheet = etree.XSLT(etree.parse(sheet), access_control=_NOTHING) if sheet.is_file() else None
    except (etree.XPathSyntaxError, etree.XSLTParseError, etree.XMLSyntaxError, OSError) as error:
        at_fault = file if isinstance(error, etree.XPathSyntaxError) else sheet
        raise Misconfigured(f"{at_fault}: {error}") from error
    form = Form(
        name=file.parent.name,
        title=table.text("name"),
        schema=table.text("published"),
        references=references,
        stylesheet=stylesheet,
        media_type=JSON if stylesheet is None else XML,
        lists=table.texts("lists"),
    )
    table.end()
    return form


def _references(form: Form, document: etree._Element | None) -> dict[str, str]:
    """The sender's own number, date, type and parties, as far as the document has them."""
    if document is None:
        return {}
    found = {}
    for name, paths in form.references.items():
        texts = (" ".join(str(path(document)).split()) for path in paths)
        text = next((t for t in texts if t), "")
        if text and len(text) <= _MAX_REFERENCE:
            found[name] = text
    return found


def _title(state: str, statuses: Statuses) -> dict[str, str]:
    return dict(statuses.states[state].title) if state in statuses.states else {"en": state.replace("_", " ")}


def _neutral(
    notification: LocatedNotification, form: Form, statuses: Statuses, references: Mapping[str, str]
) -> etree._Element:
    """The notification as plain XML, what every stylesheet reads."""
    root = etree.Element(
        "reply",
        _lines(
            {
                "kind": notification.kind,
                "id": notification.id,
                "message": notification.message_id,
                "conversation": notification.conversation_id,
                "state": notification.state,
                "verdict": statuses.states[notification.state].verdict if notification.state in statuses.states else "",
                "at": notification.at,
                "sender": notification.sender,
                "sender-name": notification.sender_name,
                "window": notification.window,
                "window-name": notification.window_name,
                "function": notification.function_code,
                "answer": notification.answer_id,
                "mrn": notification.mrn,
                "version": notification.version,
                "issued": notification.issued,
            }
        ),
    )
    _titles(root, notification.state, notification, statuses)
    for list_id in form.lists:
        wording = statuses.lists[list_id].states.get(notification.state)
        if wording and wording.code:
            etree.SubElement(root, "status", {"list": list_id, "code": wording.code})
    for name, text in references.items():
        etree.SubElement(root, "reference", name=name).text = text
    for finding in notification.findings:
        _finding(root, finding)
    for remark in notification.remarks:
        values = {"code": remark.code, "type": remark.type_code, "limit": remark.limit}
        _text(etree.SubElement(root, "remark", _lines(values)), remark.text)
    for path, text in notification.details:
        _text(etree.SubElement(root, "detail", _lines({"path": path})), text)
    for at in notification.windows:
        window = etree.SubElement(root, "at", {"window": at.window, "state": at.state})
        _titles(window, at.state, notification, statuses)
        if at.reason:
            _text(etree.SubElement(window, "reason"), at.reason)
    return root


def _titles(parent: etree._Element, state: str, notification: LocatedNotification, statuses: Statuses) -> None:
    titles = _title(state, statuses)
    for language in [one for one in notification.languages if one in titles] or list(titles)[:1]:
        etree.SubElement(parent, "title", lang=language).text = titles[language]


def _finding(root: etree._Element, finding: Finding) -> None:
    values = {
        "rule": finding.rule,
        "code": "-".join(finding.code.split()) or "unknown",
        "severity": finding.severity.value,
        "pointer": finding.pointer,
        "line": "" if finding.line is None else str(finding.line),
        "label": finding.label,
        "value": finding.value or "",
        "payload-pointer": finding.payload_pointer,
    }
    element = etree.SubElement(root, "finding", _lines(values))
    for language, sentence in finding.messages.items():
        _text(etree.SubElement(element, "message", lang=language), sentence)
    if finding.text:
        _text(etree.SubElement(element, "text"), finding.text)
    for step in finding.chain:
        sequence = "" if step.sequence is None else str(step.sequence)
        etree.SubElement(element, "step", {"section": step.section, "sequence": sequence, "tag": step.tag})


def _text(element: etree._Element, text: str) -> None:
    element.text = " ".join(_clean(text).split())


def _lines(values: Mapping[str, str]) -> dict[str, str]:
    """The values as attributes hold them: one line each."""
    return {name: " ".join(_clean(value).split()) for name, value in values.items()}


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 (section 2.2) cannot hold."""
    return _FORBIDDEN.sub("\ufffd", text)
