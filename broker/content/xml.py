"""XML met with suspicion: hardened parsing, limits, and places (path and line) in the sender's own bytes."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from typing import TYPE_CHECKING, cast

from lxml import etree

from broker.content.json_tree import is_json, json_pointer
from broker.model.errors import Refused
from broker.model.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from broker.model.documents import Document

MAX_CONTENT = 16 * 1024 * 1024
"""Bytes of one document, attachments included."""
MAX_ELEMENTS = 150_000
"""Elements of one document: a thousand goods items of a hundred and fifty each; more take memory without measure."""
MAX_SIBLINGS = 5_000
"""Children of one element: they are counted for every fault that is told, so that as many faults take their square."""
ENCODINGS = frozenset({"utf-8", "utf-16", "utf-16-le", "utf-16-be", "iso8859-1", "ascii"})
"""Encodings that are taken, under any of the names that IANA registered for them."""
_LABEL = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml[^>]*?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_C1 = re.compile("[\x80-\x84\x86-\x9f]")
"""C1 controls but for NEL, which XML 1.1 takes for an end of line."""
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_MAX_SHOWN = 120
_LEADING = {b"\xff\xfe": re.compile(rb"(?:[\x20\t\r\n]\x00)*"), b"\xfe\xff": re.compile(rb"(?:\x00[\x20\t\r\n])*")}


def parser() -> etree.XMLParser:
    """A parser that reaches nothing outside the bytes and keeps libxml2's own limits (depth 256, texts of 10 MB).

    ``resolve_entities`` stays at lxml's default: ``False`` would lose text without a word.
    """
    return etree.XMLParser(
        no_network=True, load_dtd=False, huge_tree=False, recover=False, remove_comments=True, remove_pis=True
    )


def parse(content: bytes, limit: int = MAX_CONTENT) -> tuple[etree._Element, int]:
    """The root element, and the number of lines before the XML began; raises Refused with one finding."""
    if not content.strip():
        raise _refused("content.empty", "The message is empty.")
    if len(content) > limit:
        raise _refused("content.too-large", f"The message has {len(content):,} bytes; at most {limit:,} are taken.")
    start = start_of(content)
    _as_labelled(content[start:])
    try:
        root = etree.fromstring(content[start:] if start else content, parser())
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise _unreadable(error, content[:start].count(b"\n")) from None
    info = root.getroottree().docinfo
    if info.internalDTD is not None:
        raise _refused("content.doctype", "A document type declaration (DOCTYPE) is not allowed.", 1)
    if _encoding(info.encoding or "UTF-8") not in ENCODINGS:
        raise _refused("content.encoding", f"Encoding {info.encoding} is not taken; use UTF-8, UTF-16 or ISO-8859-1.")
    if content.count(b"<") > MAX_SIBLINGS:
        measure(root)
    return root, content[:start].count(b"\n")


def measure(root: etree._Element) -> None:
    """Raises Refused for a document of too many elements, or of too many in one place."""
    elements = int(cast("float", root.xpath("count(descendant-or-self::*)")))
    if elements > MAX_ELEMENTS:
        raise _refused(
            "content.too-large", f"The message has {elements:,} elements; at most {MAX_ELEMENTS:,} are taken."
        )
    crowded = next((e for e in root.iter() if len(e) > MAX_SIBLINGS), None)
    if crowded is not None:
        told = f"{_qualified(crowded)} has {len(crowded):,} elements in it; at most {MAX_SIBLINGS:,} are taken."
        raise Refused([Finding("content.too-large", told, pointer=pointer(crowded), line=line_of(crowded))])


def _encoding(label: str) -> str:
    """The encoding that a label names; empty where it names none."""
    try:
        return codecs.lookup(label).name
    except LookupError:
        return ""


def _as_labelled(content: bytes) -> None:
    """Raises Refused where the declaration names an encoding of two bytes a character, and itself has one."""
    label = _LABEL.match(content)
    if label is not None and _encoding(label[1].decode()) in {"utf-16", "utf-16-le", "utf-16-be", "utf-32"}:
        name = label[1].decode()
        raise _refused("content.encoding", f"The message says that it is in {name}, and is not: its label is wrong.", 1)


def control_character(root: etree._Element) -> tuple[etree._Element, str | None, str] | None:
    """The first C1 control character in a text, and where: no document means one, they come of a wrong label."""
    if _C1.search(etree.tostring(root, encoding="unicode")) is None:
        return None
    for element in root.iter(etree.Element):
        for attribute, text in ((None, element.text), *element.items()):
            found = _C1.search(str(text)) if text else None
            if found is not None:
                return element, str(attribute) if attribute else None, found[0]
    return None


def start_of(content: bytes) -> int:
    """Where the XML begins: senders put blank lines before the declaration, which XML 1.0 section 2.8 forbids."""
    blank = _LEADING.get(content[:2])
    if blank is not None:
        match = blank.match(content, 2)
        return match.end() if match is not None and match.end() > 2 else 0
    bom = 3 if content.startswith(b"\xef\xbb\xbf") else 0
    stripped = len(content) - len(content[bom:].lstrip(b" \t\r\n"))
    return stripped if stripped > bom else 0


def _unreadable(error: Exception, offset: int) -> Refused:
    text = " ".join(str(error).split(", line ", maxsplit=1)[0][:300].split())
    line = getattr(error, "lineno", None)
    codes = (
        ("Excessive depth", "content.depth"),
        ("Document labelled", "content.encoding"),
        ("encoding", "content.encoding"),
        ("entity reference loop", "content.doctype"),
        ("Entity '", "content.doctype"),
        ("amplification", "content.doctype"),
        ("too big", "content.too-large"),
        ("too long", "content.too-large"),
        ("limit exceeded", "content.too-large"),
        ("huge", "content.too-large"),
    )
    code = next((code for sign, code in codes if sign in text), "content.not-xml")
    return _refused(code, f"The message cannot be read as XML: {text}", line + offset if line else None)


def _refused(code: str, message: str, line: int | None = None) -> Refused:
    return Refused([Finding(code, message, line=line)])


def place(document: Document, element: etree._Element, attribute: str | None = None) -> tuple[str, int | None]:
    """Path and line of an element, or of its attribute, in the bytes as sent."""
    if is_json(document.root):
        return json_pointer(element), line_of(element)
    return pointer(element, attribute), line_of(element, document.line_offset)


def line_of(element: etree._Element, offset: int = 0) -> int | None:
    """The line of an element's start tag in the bytes as sent."""
    line = cast("int | None", element.sourceline)
    return None if line is None else line + offset


def pointer(element: etree._Element, attribute: str | None = None) -> str:
    """The path from the root of the file in the document's own prefixes; ``[n]`` where siblings share the name."""
    path = element.getroottree().getpath(element)
    if "*" not in path:  # libxml2 writes the same, but no name that stands in a default namespace
        return f"{path}/@{prefixed(element, attribute)}" if attribute else path
    steps = [f"/@{prefixed(element, attribute)}"] if attribute else []
    node: etree._Element | None = element
    while node is not None:
        steps.append(f"/{_qualified(node)}{index(node)}")
        node = node.getparent()
    return "".join(reversed(steps))


def pointers(root: etree._Element) -> dict[etree._Element, str]:
    """The pointer of every element below ``root`` and of itself, made in one walk."""
    if is_json(root):
        return {element: json_pointer(element) for element in root.iter()}
    found = {root: pointer(root)}
    for element in root.iter(etree.Element):
        at = found[element]
        for child, index in numbered(element):
            found[child] = f"{at}/{_qualified(child)}{index}"
    return found


def numbered(element: etree._Element) -> list[tuple[etree._Element, str]]:
    """The child elements, each with ``[n]`` where siblings share its name."""
    children = list(element.iterchildren(etree.Element))
    if len(children) < 2:
        return [(child, "") for child in children]
    tags = [child.tag for child in children]
    if len(set(tags)) == len(tags):
        return [(child, "") for child in children]
    count, seen = Counter(tags), Counter[object]()
    found = []
    for child, tag in zip(children, tags, strict=True):
        seen[tag] += 1
        found.append((child, f"[{seen[tag]}]" if count[tag] > 1 else ""))
    return found


def _qualified(node: etree._Element) -> str:
    local = etree.QName(node).localname
    return f"{node.prefix}:{local}" if node.prefix else local


def prefixed(element: etree._Element, name: str) -> str:
    """The name of an attribute in the document's own prefixes."""
    if not name.startswith("{"):
        return name
    qname = etree.QName(name)
    prefix = next((p for p, uri in element.nsmap.items() if uri == qname.namespace and p), None)
    return f"{prefix}:{qname.localname}" if prefix else qname.localname


def index(node: etree._Element) -> str:
    """``[n]`` where siblings share an element's name."""
    before = sum(1 for _ in node.itersiblings(node.tag, preceding=True))
    alone = before == 0 and next(node.itersiblings(node.tag), None) is None
    return "" if alone else f"[{before + 1}]"


def leaves(root: etree._Element) -> Iterator[tuple[etree._Element, str | None]]:
    """Every leaf in document order: an element with text, then each of its attributes that has a value."""
    for element in root.iter(etree.Element):
        if element.text and not element.text.isspace():
            yield element, None
        for name, value in element.items():
            if value.strip():
                yield element, str(name)


def shown(value: str | None) -> str | None:
    """A value as a finding shows it: one line, not longer than a person reads."""
    if value is None:
        return None
    text = " ".join(value.split())
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
