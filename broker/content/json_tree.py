"""JSON as a tree of elements, so that rows, rules, lineage and lines are the same for JSON as for XML.

``{"a": [{"b": 1.50}]}`` becomes ``<json><a><_><b>1.50</b></_></a></json>``: a key is an element, a member of an array
an element ``_``, the text of a number stays as written, null and empty values have no text. Keys that are no XML names
are written as ``_x0040_id`` (ISO 9075-14). What a value was (RFC 8259 section 3) stands in the element's tail.
"""

from __future__ import annotations

import json
import re
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = "json"
MEMBER = "_"
MAX_DEPTH = 200
MAX_VALUES = 150_000
"""Values of one document: reading more takes seconds of a worker."""
MAX_NUMBER = 100
"""Signs of one number: more is no quantity of anything, and Python refuses to read it."""
_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
        (?P<sign>[{}\[\]:,])
      | (?P<word>true|false|null)
      | (?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
      | (?P<quote>")
    )""",
    re.VERBOSE,
)
_EMPTY = re.compile(r"[ \t\r\n]*\]")
_NAME_START = re.compile(r"[A-Za-z]")
_NAME = re.compile(r"[A-Za-z0-9.-]|_(?!x[0-9A-F]{4}_)")
_ESCAPED = re.compile(r"_x([0-9A-F]{4,6})_")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


class BadJson(ValueError):
    """A text that is not JSON, or JSON that we do not take; with the line."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def looks_like_json(content: bytes) -> bool:
    """Whether the first sign is that of an object or array."""
    return content.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")[:1] in {b"{", b"["}


def parse_json(content: bytes) -> etree._Element:
    """The tree of a JSON text in UTF-8; raises BadJson."""
    try:
        text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadJson("JSON is UTF-8 (RFC 8259 section 8.1)", content[: error.start].count(b"\n") + 1) from None
    return _JsonReader(text).read()


class _JsonReader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.counted = 0
        self.line = 1
        self.values = 0

    def read(self) -> etree._Element:
        root = etree.Element(ROOT)
        self.value(root, 0)
        if self.text[self.at :].strip(" \t\r\n"):
            raise self.fail("more follows after the value")
        return root

    def fail(self, message: str) -> BadJson:
        return BadJson(message, self.text.count("\n", 0, self.at) + 1)

    def token(self) -> tuple[str, str]:
        match = _TOKEN.match(self.text, self.at)
        if match is None:
            raise self.fail(
                f"{self.text[self.at : self.at + 20].strip()!r} is no JSON"
                if self.text[self.at :].strip()
                else "it ends too early"
            )
        self.at = match.end()
        kind = match.lastgroup or ""
        start = match.start(kind)
        self.line += self.text.count("\n", self.counted, start)
        self.counted = start
        return kind, match[kind]

    def string(self) -> str:
        try:
            found: tuple[str, int] = scanstring(self.text, self.at, True)
        except json.JSONDecodeError as error:
            raise self.fail(error.msg) from None
        value, self.at = found
        if _ILLEGAL.search(value):
            raise self.fail("a text holds a control character or half of a surrogate pair")
        return value

    def value(self, element: etree._Element, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise self.fail(f"it is nested deeper than {MAX_DEPTH} levels")
        self.values += 1
        if self.values > MAX_VALUES:
            raise self.fail(f"it has more than {MAX_VALUES:,} values")
        kind, text = self.token()
        element.sourceline = self.line  # type: ignore[assignment]
        if kind == "quote":
            element.text = self.string()
        elif kind == "number":
            if len(text) > MAX_NUMBER:
                raise self.fail(f"a number has more than {MAX_NUMBER} signs")
            element.text, element.tail = text, "number"
        elif kind == "word":
            element.tail = "null" if text == "null" else "boolean"
            element.text = None if text == "null" else text
        elif text == "{":
            self.object(element, depth)
        elif text == "[":
            self.array(element, depth)
        else:
            raise self.fail(f"a value is missing before {text!r}")

    def object(self, element: etree._Element, depth: int) -> None:
        element.tail = "object"
        seen: set[str] = set()
        kind, text = self.token()
        while text != "}" or kind != "sign":
            if kind != "quote":
                raise self.fail("a key is missing")
            key = self.string()
            if key in seen:
                raise self.fail(f"the key {key!r} stands twice in one object")
            seen.add(key)
            if self.token() != ("sign", ":"):
                raise self.fail("a colon is missing")
            self.value(etree.SubElement(element, name_of(key)), depth + 1)
            kind, text = self.token()
            if (kind, text) == ("sign", ","):
                kind, text = self.token()
                if text == "}":
                    raise self.fail("a key is missing after the comma")
            elif (kind, text) != ("sign", "}"):
                raise self.fail("a comma is missing")

    def array(self, element: etree._Element, depth: int) -> None:
        element.tail = "array"
        if _EMPTY.match(self.text, self.at):
            self.token()
            return
        while True:
            self.value(etree.SubElement(element, MEMBER), depth + 1)
            kind, text = self.token()
            if (kind, text) == ("sign", "]"):
                return
            if (kind, text) != ("sign", ","):
                raise self.fail("a comma is missing")


def name_of(key: str) -> str:
    """The element name of a key."""
    if not key:
        return "_x0000_"
    if key == MEMBER:
        return "_x005F_"
    parts = [c if _NAME.match(key[i : i + 8]) else f"_x{ord(c):04X}_" for i, c in enumerate(key)]
    if not _NAME_START.match(key[0]) and len(parts[0]) == 1 and key[0] != "_":
        parts[0] = f"_x{ord(key[0]):04X}_"
    return "".join(parts)


def key_of(name: str) -> str:
    """The key behind an element name."""
    return "" if name == "_x0000_" else _ESCAPED.sub(lambda m: chr(int(m[1], 16)), name)


def is_json(root: etree._Element) -> bool:
    """Whether an element is an object or array of JSON: no XML document has text behind its root."""
    return root.tail in {"object", "array"}


def json_pointer(element: etree._Element) -> str:
    """RFC 6901: ``/items/0/weight``."""
    steps: list[str] = []
    node: etree._Element | None = element
    while node is not None and (parent := node.getparent()) is not None:
        if node.tag == MEMBER:
            steps.append(str(sum(1 for _ in node.itersiblings(preceding=True))))
        else:
            steps.append(key_of(str(node.tag)).replace("~", "~0").replace("/", "~1"))
        node = parent
    return "".join(f"/{step}" for step in reversed(steps))


def value_of(element: etree._Element) -> Any:  # noqa: ANN401  (JSON may be anything)
    """The JSON value of a tree, for a JSON Schema."""
    match element.tail:
        case "object":
            return {key_of(str(child.tag)): value_of(child) for child in element}
        case "array":
            return [value_of(child) for child in element]
        case "number":
            return json.loads(element.text or "0")
        case "boolean":
            return element.text == "true"
        case "null":
            return None
        case _:
            return element.text or ""


def at_path(root: etree._Element, path: Iterator[object] | list[object]) -> etree._Element:
    """The element at a path of keys and indices, or the last one that is there."""
    at = root
    for step in path:
        found = (
            at.find(name_of(str(step)))
            if isinstance(step, str)
            else (at[int(str(step))] if len(at) > int(str(step)) else None)
        )
        if found is None:
            return at
        at = found
    return at


_SALTED = re.compile(
    r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}:(string|number|boolean|null|undefined):(.*)", re.DOTALL
)


def unsalt(root: etree._Element) -> None:
    """Take the salt off every value of an OpenAttestation 2.0 document: ``uuid:type:value`` becomes the value."""
    for element in root.iter():
        match = _SALTED.fullmatch(element.text or "") if not len(element) else None
        if match is not None:
            kind, text = match[1], match[2]
            element.text = text if kind in {"string", "number", "boolean"} and text else None
            element.tail = {"string": None, "undefined": "null"}.get(kind, kind)
