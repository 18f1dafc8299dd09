"""The words of libxml2 about a schema fault, as a code and a sentence that a person reads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from broker.content.xml import shown

if TYPE_CHECKING:
    from collections.abc import Callable

_KINDS = {
    "date": "a date (CCYY-MM-DD)",
    "dateTime": "a date with time (CCYY-MM-DDThh:mm:ss)",
    "time": "a time of day (hh:mm:ss)",
    "decimal": "a decimal number",
    "integer": "a whole number",
    "nonNegativeInteger": "a whole number from 0",
    "positiveInteger": "a whole number from 1",
    "boolean": "true or false",
    "base64Binary": "base64",
    "hexBinary": "hexadecimal digits",
    "anyURI": "a URI",
    "language": "a language code",
}
_NAME = r"(\{[^}]*\}[^\s,)]+|[^\s,){}]+)"
_EXPECTED = re.compile(r"Expected is (?:one of )?\( (.*) \)\.", re.DOTALL)
_ATTRIBUTE = re.compile(r"^Element '[^']*', attribute '([^']*)'")
_REQUIRED = re.compile(r"The attribute '([^']*)' is required but missing")
_QUOTED = re.compile(r"'([^']*)'\.?$")
_TYPE = re.compile(r"type '([^']*)'")
_STRAY_BLANK = re.compile(r"^\s|\s$|[\t\r\n]")
_SHORT_PATTERN = 24
_MAX_OPTIONS = 5

STRUCTURE = "SCHEMAV_ELEMENT_CONTENT"
LEXICAL = "SCHEMAV_CVC_DATATYPE_VALID_1_2_1"
_LENGTH = {"MAXLENGTH": "is longer than", "MINLENGTH": "is shorter than", "LENGTH": "does not have the length"}
_DIGITS = {"TOTALDIGITS": "digits", "FRACTIONDIGITS": "digits after the point"}
_RANGE = {
    "MININCLUSIVE": "is less than",
    "MAXINCLUSIVE": "is more than",
    "MINEXCLUSIVE": "is not more than",
    "MAXEXCLUSIVE": "is not less than",
}
_UNKNOWN = ("schema.unexpected", "is not known here.")
_BAD_ATTRIBUTE = ("schema.attribute", "is not allowed here.")
_NO_ELEMENTS = ("schema.unexpected", "has elements where only text may stand.")
_NO_TEXT = ("schema.unexpected", "has text where only elements may stand.")
_PLAIN = {
    "SCHEMAV_CVC_COMPLEX_TYPE_4": ("schema.attribute", "is missing."),
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1": _BAD_ATTRIBUTE,
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_2": _BAD_ATTRIBUTE,
    "SCHEMAV_CVC_TYPE_3_1_1": _BAD_ATTRIBUTE,
    "SCHEMAV_CVC_COMPLEX_TYPE_2_1": _NO_TEXT,
    "SCHEMAV_CVC_COMPLEX_TYPE_2_3": _NO_TEXT,
    "SCHEMAV_CVC_COMPLEX_TYPE_2_2": _NO_ELEMENTS,
    "SCHEMAV_CVC_TYPE_3_1_2": _NO_ELEMENTS,
    "SCHEMAV_CVC_COMPLEX_TYPE_2_4": _UNKNOWN,
    "SCHEMAV_CVC_ELT_1": _UNKNOWN,
    "SCHEMAV_CVC_WILDCARD": _UNKNOWN,
    "SCHEMAV_CVC_ELT_4_2": ("schema.attribute", "names a type that is not known."),
    "SCHEMAV_CVC_ELT_4_3": ("schema.attribute", "names a type that may not stand here."),
    "SCHEMAV_CVC_ELT_3_1": ("schema.attribute", "may not be marked as nil."),
    "SCHEMAV_CVC_IDC": ("schema.duplicate", "repeats a value that must differ each time."),
}


@dataclass(frozen=True, slots=True)
class LibxmlMessage:
    """Code, what is said of the place (a sentence without full stop goes on), and what was expected instead."""

    code: str
    says: str
    expected: tuple[str, ...] = ()


def message_of(kind: str, message: str, value: str, built_in: Callable[[str], str]) -> LibxmlMessage | None:
    """What libxml2's error says; None for its remarks that follow from another error.

    ``built_in`` finds the XSD type beneath a type of the schema.
    """
    if kind == STRUCTURE:
        return _structure(message)
    if kind in _PLAIN:
        return None if "No precomputed value" in message else LibxmlMessage(*_PLAIN[kind])
    if kind.startswith("SCHEMAV_CVC_DATATYPE") or kind == "SCHEMAV_CVC_TYPE_3_1_3":
        return LibxmlMessage("schema.type", f"{_is_no(message, value, built_in)}.")
    return LibxmlMessage(*_facet(kind.removeprefix("SCHEMAV_CVC_").removesuffix("_VALID"), message, value))


def attribute_named(message: str) -> str | None:
    """The attribute an error is about, as libxml2 names it."""
    return _found(_REQUIRED, message) or _found(_ATTRIBUTE, message)


def _structure(message: str) -> LibxmlMessage:
    expected = tuple(re.findall(_NAME, _found(_EXPECTED, message) or ""))
    if "Missing child" in message:
        return LibxmlMessage("schema.missing", "is not complete", expected)
    if "not expected" in message:
        return LibxmlMessage("schema.unexpected", "is not expected here", expected)
    return LibxmlMessage("schema.unexpected", "is not allowed here.")


def _facet(facet: str, message: str, value: str) -> tuple[str, str]:
    limit = _found(_QUOTED, message.rstrip(").")) or ""
    if not value.strip():
        return "schema.value", "is empty."
    if facet in _LENGTH:
        return "schema.length", f"has {len(value)} characters: it {_LENGTH[facet]} {limit}."
    if facet in _DIGITS:
        is_whole = facet == "FRACTIONDIGITS" and limit == "0"
        return "schema.length", "is not a whole number." if is_whole else f"has more than {limit} {_DIGITS[facet]}."
    if facet in _RANGE:
        says = f"{_RANGE[facet]} {limit}"
    elif facet == "ENUMERATION":
        says = f"is none of the values allowed: {_values(message)}"
    elif _STRAY_BLANK.search(value):
        says = "has white space where none may be: at its ends, a tab or a line break"
    else:
        says = "does not have the form required" + (f": {limit}" if len(limit) <= _SHORT_PATTERN else "")
    return "schema.value", f"{says}."


def _is_no(message: str, value: str, built_in: Callable[[str], str]) -> str:
    if not value.strip():
        return "is empty"
    name = built_in(_found(_TYPE, message) or "").removeprefix("xs:")
    return f"is not {_KINDS[name]}" if name in _KINDS else "does not have a value of its type"


def _values(message: str) -> str:
    values = re.findall(r"'((?:[^'\\]|\\.)*)'", message.rpartition("{")[2])
    return listed([shown(v) or "" for v in values])


def listed(names: list[str]) -> str:
    """The first of them, and how many more: libxml2's own lists can run to kilobytes."""
    if len(names) <= _MAX_OPTIONS:
        return ", ".join(names)
    return f"{', '.join(names[:_MAX_OPTIONS])} or {len(names) - _MAX_OPTIONS} more"


def _found(pattern: re.Pattern[str], text: str) -> str | None:
    match = pattern.search(text)
    return match[1] if match else None


def prefixed(node: etree._Element, name: str) -> str:
    """A Clark name in the prefixes that hold at ``node``."""
    if name.endswith("*"):
        return f"any element of {name.strip('#other{}*')}"
    if not name.startswith("{"):
        return name
    qname = etree.QName(name)
    prefix = next((p for p, uri in node.nsmap.items() if uri == qname.namespace), None)
    return f"{prefix}:{qname.localname}" if prefix else qname.localname
