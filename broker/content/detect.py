"""Bytes to document: envelopes taken off, the type found by root name and namespace, and a test where these agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from broker.content.envelopes import inner_of, unwrapped
from broker.content.json_tree import ROOT, BadJson, is_json, json_pointer, key_of, looks_like_json, parse_json
from broker.content.xml import line_of, measure, parse, pointer, shown
from broker.model.documents import Document, Opened
from broker.model.errors import Refused
from broker.model.findings import Finding

if TYPE_CHECKING:
    from broker.model.documents import DocumentType
    from broker.model.outcomes import Catalogue

_MAX_ENVELOPES = 5
MAX_JSON = 4 * 1024 * 1024
"""Bytes of one JSON document: there are no attachments in it, and its tree is large."""


def detect(content: bytes, catalogue: Catalogue, skipped: int = 0) -> Document:
    """The document inside the bytes; raises Refused (``content.*``, ``type.unknown``).

    ``skipped`` lines of an envelope stood before it where other documents of the envelope are left out.
    """
    root, offset = _read(content, catalogue)
    envelopes: list[Opened] = []
    while (document_type := recognise(root, catalogue)) is None:
        envelope = next(
            (e for e in catalogue.envelopes if e.root == _name(root) and (not e.when or e.when(root))), None
        )
        if envelope is None or len(envelopes) == _MAX_ENVELOPES:
            raise _unknown(root, offset, catalogue, envelopes)
        opened = Opened(envelope, root, inner_of(root, envelope), offset)
        envelopes.append(opened)
        root, offset = unwrapped(opened, offset + (skipped if envelope.parts else 0), catalogue.max_content)
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


def _unknown(root: etree._Element, offset: int, catalogue: Catalogue, envelopes: list[Opened]) -> Refused:
    if root.tail == "array":
        message = "Unknown type of document: a document is one JSON object, and this is a list of them."
        return Refused([Finding("type.unknown", message, pointer=json_pointer(root), line=line_of(root))])
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
