"""Samples: documents as they lie in ``mappings``, and variants told as a base and what is changed in it.

A variant is a small TOML file, so that a hundred rejections need no hundred near-identical documents::

    base = "documents/invoice/ubl-2.1/samples/export.xml"     # below mappings/; may itself be a variant
    change = [{ path = "//cac:Item/cbc:Name", value = "-" }]  # XPath with the document's own prefixes
    points = "/Invoice/cac:InvoiceLine[1]/cac:Item/cbc:Name"  # where the answer must point; default: the first change
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from lxml import etree

from broker.toml_table import Table
from broker.xml import parse, pointer

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sample:
    """A document to try, and where an answer that rejects it must point in it."""

    name: str
    content: bytes
    points: str = ""


def read_sample(file: Path, mappings: Path) -> Sample:
    """The document of a file, made from its base when the file is a variant; raises Misconfigured."""
    if file.suffix != ".toml":
        return Sample(file.stem, file.read_bytes())
    table = Table.read(file)
    base = read_sample(mappings / table.text("base"), mappings)
    root, _ = parse(base.content)
    changed = [place for entry in table.tables("change") for place in _change(root, entry)]
    points = table.text("points", changed[0] if changed else "")
    table.end()
    info = root.getroottree().docinfo
    content = cast("bytes", etree.tostring(root.getroottree(), encoding=info.encoding or "UTF-8", xml_declaration=True))
    return Sample(file.stem, content, points)


def _change(root: etree._Element, entry: Table) -> list[str]:
    """Changes or deletes every node at the path; where they stood."""
    path = entry.text("path")
    delete = entry.flag("delete", default=False)
    value = "" if delete else entry.text("value")
    entry.end()
    try:
        found = root.xpath(path, namespaces=_prefixes(root))
    except etree.XPathError as error:
        raise entry.wrong(f"path {path!r}: {error}") from None
    nodes = found if isinstance(found, list) else []
    if not nodes:
        raise entry.wrong(f"path {path!r} finds nothing in the base")
    places = [_place(node, entry) for node in nodes]
    for node in nodes:
        _write(node, None if delete else value)
    return places


def _place(node: object, entry: Table) -> str:
    if etree.iselement(node):
        return pointer(node)
    owner, name = _attribute(node)
    if owner is None:
        raise entry.wrong("a path must find elements or attributes")
    return pointer(owner, name)


def _write(node: object, value: str | None) -> None:
    """The value into an element or attribute; None takes it away."""
    if etree.iselement(node):
        parent = node.getparent()
        if value is not None:
            node.text = value
        elif parent is not None:
            parent.remove(node)
        return
    owner, name = _attribute(node)
    if owner is not None and value is not None:
        owner.set(name, value)
    elif owner is not None:
        del owner.attrib[name]


def _attribute(node: object) -> tuple[etree._Element | None, str]:
    """The element that an attribute found by XPath belongs to, and its name."""
    owner = node.getparent() if hasattr(node, "getparent") else None
    return owner, str(getattr(node, "attrname", ""))


def _prefixes(root: etree._Element) -> dict[str, str]:
    """Every prefix the document declares anywhere."""
    return {prefix: uri for element in root.iter(etree.Element) for prefix, uri in element.nsmap.items() if prefix}
