"""Bytes to document: envelopes taken off, the type found by root name and namespace, and a test where these agree."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from lxml import etree

from broker.errors import Refused
from broker.json_tree import ROOT, BadJson, is_json, key_of, looks_like_json, parse_json, unsalt
from broker.model import Document, Finding, Opened
from broker.xml import line_of, measure, parse, pointer, shown

if TYPE_CHECKING:
    from broker.model import Catalogue, DocumentType, Envelope

_MAX_ENVELOPES = 5
MAX_JSON = 4 * 1024 * 1024
"""Bytes of one JSON document: there are no attachments in it, and its tree is large."""


def detect(content: bytes, catalogue: Catalogue) -> Document:
    """The document inside the bytes; raises Refused (``content.*``, ``type.unknown``)."""
    root, offset = _read(content, catalogue)
    envelopes: list[Opened] = []
    while (document_type := recognise(root, catalogue)) is None:
        envelope = next(
            (e for e in catalogue.envelopes if e.root == _name(root) and (not e.when or e.when(root))), None
        )
        if envelope is None or len(envelopes) == _MAX_ENVELOPES:
            raise _unknown(root, offset, catalogue, envelopes)
        opened = Opened(envelope, root, _inner(root, envelope))
        envelopes.append(opened)
        root, offset = _unwrapped(opened, offset, catalogue)
    return Document(document_type, root, tuple(envelopes), offset)


def recognise(root: etree._Element, catalogue: Catalogue) -> DocumentType | None:
    """The type of a root element: one whose test holds before one without a test."""
    candidates = catalogue.roots.get(_name(root), ())
    tested = (t for t in candidates if t.when is not None and t.when(root))
    return next(tested, None) or next((t for t in candidates if t.when is None), None)


def _name(root: etree._Element) -> str:
    """By what a document is looked up: any object of JSON, or the root element's Clark name."""
    return ROOT if is_json(root) else str(root.tag)


def _read(content: bytes, catalogue: Catalogue) -> tuple[etree._Element, int]:
    if not looks_like_json(content):
        return parse(content, catalogue.max_content)
    if len(content) > MAX_JSON:
        message = f"The message has {len(content):,} bytes of JSON; at most {MAX_JSON:,} are taken."
        raise Refused([Finding("content.too-large", message)])
    try:
        root = parse_json(content)
    except BadJson as error:
        message = f"The message cannot be read as JSON: {error}."
        raise Refused([Finding("content.not-json", message, line=error.line)]) from None
    measure(root)
    return root, 0


def _inner(root: etree._Element, envelope: Envelope) -> etree._Element:
    found = root.xpath(envelope.content, namespaces=dict(envelope.namespaces))
    inner = found[0] if isinstance(found, list) and found else None
    if not isinstance(inner, etree._Element):  # noqa: SLF001  (the public name of lxml's element type)
        message = f"The {envelope.name} envelope holds no document."
        raise Refused([Finding("type.unknown", message, pointer=pointer(root), line=line_of(root))])
    return inner


def _unwrapped(opened: Opened, offset: int, catalogue: Catalogue) -> tuple[etree._Element, int]:
    """What the envelope holds, and the number of lines before it."""
    envelope, inner = opened.envelope, opened.inner
    if envelope.form == "salted":
        unsalt(inner)
    if envelope.form in {"element", "salted"}:
        return inner, offset
    text = (inner.text or "").strip()
    line = line_of(inner, offset) or 1
    if envelope.form == "base64":
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            message = f"The content of the {envelope.name} envelope is not base64."
            raise Refused([Finding("content.not-xml", message, pointer=pointer(inner), line=line)]) from None
        return parse(content, catalogue.max_content)[0], line - 1
    before = (inner.text or "")[: len(inner.text or "") - len((inner.text or "").lstrip())].count("\n")
    content = _reencoded(text)
    try:
        document, inside = parse(content, catalogue.max_content)
    except Refused as refusal:
        shift = line + before - 1
        raise Refused(
            [
                Finding(f.code, f.message, f.severity, pointer(inner), f.line + shift if f.line else line, f.value)
                for f in refusal.findings
            ]
        ) from None
    return document, line + before - 1 + inside


def _reencoded(text: str) -> bytes:
    """Text that was carried inside XML, as bytes: its own declaration speaks of an encoding it no longer has."""
    if text.startswith("<?xml"):
        end = text.find("?>")
        declaration, rest = text[: end + 2], text[end + 2 :]
        text = "\n" * declaration.count("\n") + rest if end > 0 else text
    return text.encode("utf-8", "surrogatepass")


def _unknown(root: etree._Element, offset: int, catalogue: Catalogue, envelopes: list[Opened]) -> Refused:
    if is_json(root):
        keys = ", ".join(key_of(str(child.tag)) for child in root)
        message = f"Unknown type of document: no document type is known by a JSON object of {shown(keys) or 'no keys'}."
        return Refused([Finding("type.unknown", message, line=line_of(root))])
    name = etree.QName(root)
    near = sorted(
        {str(t.root) for types in catalogue.roots.values() for t in types if _local(t.root) == name.localname}
    )
    if str(root.tag) in catalogue.roots:
        titles = ", ".join(t.title for t in catalogue.roots[str(root.tag)])
        why = f"the root is known, but it meets the test of none of: {titles}"
    elif near and not name.namespace:
        why = f"its namespace is missing; {name.localname} is known as {', '.join(near)}"
    elif near:
        why = f"{name.localname} is known in other namespaces: {', '.join(near)}"
    else:
        why = "no document type has this root"
    inside = f" inside {' and '.join(e.envelope.name for e in envelopes)}" if envelopes else ""
    line = line_of(root, offset)
    message = f"Unknown type of document: root {name.localname} in namespace {name.namespace or 'none'}{inside}; {why}."
    return Refused([Finding("type.unknown", message, pointer=pointer(root), line=line, value=str(root.tag))])


def _local(clark: str) -> str:
    return clark.rpartition("}")[2]
