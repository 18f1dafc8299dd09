"""Wrappings taken off: the document inside an envelope, and how many lines of the message stand before it."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from lxml import etree

from broker.content.json_tree import unsalt
from broker.content.xml import line_of, parse, pointer
from broker.model.errors import Refused
from broker.model.findings import Finding

if TYPE_CHECKING:
    from broker.model.documents import Envelope, Opened


_NOTHING = ("type.unknown", "no document")


def inner_of(root: etree._Element, envelope: Envelope) -> etree._Element:
    """The element that is the document, or holds it; raises Refused where there is none, or several."""
    found = root.xpath(envelope.content, namespaces=dict(envelope.namespaces))
    inner = found[0] if isinstance(found, list) and found else None
    if not isinstance(inner, etree._Element):  # noqa: SLF001  (the public name of lxml's element type)
        several = sum(1 for _ in root.iterfind("/".join(envelope.parts))) if envelope.parts else 0
        code, held = ("envelope.several", f"{several:,} documents, not one") if several > 1 else _NOTHING
        message = f"The {envelope.name} envelope holds {held}."
        raise Refused([Finding(code, message, pointer=pointer(root), line=line_of(root))])
    return inner


def unwrapped(opened: Opened, offset: int, limit: int) -> tuple[etree._Element, int]:
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
        return parse(content, limit)[0], line - 1
    before = (inner.text or "")[: len(inner.text or "") - len((inner.text or "").lstrip())].count("\n")
    content = _reencoded(text)
    try:
        document, inside = parse(content, limit)
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
