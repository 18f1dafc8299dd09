"""Bytes to the tree of the document in them, whatever it is wrapped in; and the place of each part of it."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import TYPE_CHECKING, Any

from lxml import etree

from tests.support.independent import forms
from tests.support.independent.facts import Value, Values

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

PREFIXES = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "sii": "http://www.sii.cl/SiiDte",
}
_SALTED = re.compile(r"[0-9a-f-]{36}:(string|number|boolean|null|undefined):(.*)", re.DOTALL)
_STEP = re.compile(r"(?P<name>[^\[]*)(?P<rest>.*)", re.DOTALL)
_TOKEN = re.compile(r"(?:data:application/vc(?:\+ld\+json)?\+jwt,)?[\w-]{8,}\.[\w-]{8,}\.[\w-]*")
AT = "at"
"""Of a tree made from JSON: the JSON pointer of the value."""


def parse(content: bytes) -> etree._Element:
    """The whole content as a tree; JSON becomes one whose elements have the keys as names."""
    stripped = content.removeprefix(b"\xef\xbb\xbf").lstrip()
    if stripped[:1] in {b"{", b"["}:
        return _grown("json", json.loads(stripped), "")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    return etree.fromstring(stripped if content[:2] not in {b"\xff\xfe", b"\xfe\xff"} else content, parser)


def _grown(name: str, value: Any, at: str) -> etree._Element:
    element = etree.Element(re.sub(r"\W", "_", name) or "_", {AT: at})
    if isinstance(value, dict):
        for key, below in value.items():
            for place, one in _each(below, f"{at}/{key.replace('~', '~0').replace('/', '~1')}"):
                element.append(_grown(f"_{key}" if key[:1].isdigit() else key, one, place))
    elif isinstance(value, list):
        for place, one in _each(value, at):
            element.append(_grown("_", one, place))
    elif value is not None:
        salted = _SALTED.fullmatch(value) if isinstance(value, str) else None
        element.text = salted[2] if salted else str(value).lower() if isinstance(value, bool) else str(value)
    return element


def _each(value: Any, at: str) -> Iterator[tuple[str, Any]]:
    """An array's members, each under the array's own name; anything else is one."""
    if isinstance(value, list):
        yield from ((f"{at}/{number}", one) for number, one in enumerate(value))
    else:
        yield at, value


def documents(
    root: etree._Element, roots: Container[str], is_one: Callable[[etree._Element], bool]
) -> list[etree._Element]:
    """The documents in a content: elements that are one, else what stands in it as text or in base64."""
    found = [e for e in root.iter(etree.Element) if e.tag in roots or is_one(e)]
    if found:
        outer = set(found)
        return [e for e in found if not outer.intersection(e.iterancestors())]
    leaves = [(e.text or "").strip() for e in root.iter(etree.Element) if len(e) == 0]
    inner = [_token(text) if _TOKEN.fullmatch(text) else _inside(text) for text in leaves]
    return [one for held in inner if held is not None for one in documents(held, roots, is_one)]


def _token(text: str) -> etree._Element | None:
    """What a signed token (RFC 7515, compact) says, as a credential that is enveloped in one has it."""
    said = text.rpartition(",")[2].split(".")[1]
    try:
        return parse(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)))
    except (binascii.Error, ValueError, etree.XMLSyntaxError):
        return None


def _inside(text: str) -> etree._Element | None:
    if len(text) > 40 and not text.startswith("<"):
        try:
            text = base64.b64decode(text, validate=True).decode()
        except (binascii.Error, ValueError):
            return None
    if not text.lstrip("\ufeff").lstrip().startswith("<"):
        return None
    try:
        return parse(text.encode() if "encoding=" not in text[:100] else text.encode(_said(text)))
    except etree.XMLSyntaxError:
        return None


def _said(text: str) -> str:
    found = re.search(r"encoding=[\"']([\w.-]+)", text[:100])
    return found[1] if found else "utf-8"


def place(element: etree._Element, attribute: str = "") -> str:
    """Where an element stands: its pointer without prefixes, with an index among siblings; or its JSON pointer."""
    below = f"/@{attribute}" if attribute else ""
    if AT in element.attrib:
        return str(element.get(AT)) + below
    steps: list[str] = []
    at: etree._Element | None = element
    while at is not None:
        parent = at.getparent()
        alike = [] if parent is None else list(parent.iterchildren(at.tag))
        index = f"[{alike.index(at) + 1}]" if len(alike) > 1 else ""
        steps.append(etree.QName(at).localname + index)
        at = parent
    return "/" + "/".join(reversed(steps)) + below


def find(node: etree._Element, *paths: str) -> list[etree._Element]:
    """Elements at paths of plain names from a node, in the order of the paths; a predicate is XPath with prefixes."""
    return [e for path in paths for e in node.xpath(_xpath(path), namespaces=PREFIXES)]


def _xpath(path: str) -> str:
    steps = []
    for step in path.split("/"):
        parts = _STEP.fullmatch(step)
        name, rest = parts["name"], parts["rest"]
        plain = name in {"", ".", "..", "*"}
        steps.append((name if plain else f"*[local-name()='{name}']") + rest)
    return "./" + "/".join(steps) if not path.startswith("/") else "/".join(steps)


def text_of(element: etree._Element) -> str:
    """The text of an element without what stands around it; empty for a mark of absence."""
    text = "".join(element.itertext()).strip() if len(element) == 0 else (element.text or "").strip()
    return "" if text.upper() in forms.ABSENT else text


def values(node: etree._Element, *paths: str, form: Callable[[str], str] = forms.words, must: bool = True) -> Values:
    """The values at paths in one form, each with its place; what is absent or does not have the form is left out."""
    made = ((form(text_of(e)), e) for e in find(node, *paths))
    return tuple(Value(text, place(e), must=must) for text, e in made if text)


def measures(node: etree._Element, *paths: str, unit: str = "", must: bool = True) -> Values:
    """Numbers with their own ``unitCode``, or the unit given."""
    made = ((forms.measure(text_of(e), e.get("unitCode") or unit), e) for e in find(node, *paths))
    return tuple(Value(text, place(e), also, must) for (text, also), e in made if text)


def amounts(node: etree._Element, *paths: str, currency: str = "", named: str = "", must: bool = True) -> Values:
    """Numbers with their own ``currencyID``, or the currency given; that may have a name of the sender's too."""
    made = (
        (forms.amount(text_of(e), e.get("currencyID") or currency), forms.amount(text_of(e), named), e)
        for e in find(node, *paths)
    )
    return tuple(Value(text, place(e), (own,) if named else (), must) for text, own, e in made if text)


def moments(node: etree._Element, *paths: str, must: bool = True) -> Values:
    """Dates and instants."""
    made = ((forms.moment(forms.in_full(text_of(e), e.get("format", ""))), e) for e in find(node, *paths))
    return tuple(Value(text, place(e), also, must) for (text, also), e in made if text)


def tariffs(node: etree._Element, *paths: str) -> Values:
    """Codes of the Harmonised System; what is shorter than its six digits may be told and need not."""
    made = ((forms.tariff(text_of(e)), e) for e in find(node, *paths))
    return tuple(Value(text, place(e), must=len(text) >= forms.SUBHEADING) for text, e in made if text)


def first(*choices: Values) -> Values:
    """The first choice that has something."""
    return next((choice for choice in choices if choice), ())


def allowed(*choices: Values) -> Values:
    """The same values, where the payload may have them in this place and need not."""
    return tuple(Value(v.text, v.at, v.also, must=False) for choice in choices for v in choice)


def constant(*texts: str) -> Values:
    """What a standard says without an element: allowed, never demanded."""
    return tuple(Value(text, must=False) for text in texts)
