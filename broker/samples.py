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
    content = etree.tostring(root.getroottree(), encoding=info.encoding or "UTF-8", xml_declaration=True)
    return Sample(file.stem, content, points)


def _change(root: etree._Element, entry: Table) -> list[str]:
    """Changes every node at the path; where they stood."""
    path = entry.text("path")
    value, delete, repeat = entry.text("value", ""), entry.flag("delete", default=False), entry.whole("repeat", 1) or 1
    insert = entry.text("insert", "")
    entry.end()
    try:
        found = cast("list[object]", root.xpath(path, namespaces=_prefixes(root)))
    except etree.XPathError as error:
        raise entry.wrong(f"path {path!r}: {error}") from None
    if not found:
        raise entry.wrong(f"path {path!r} finds nothing in the base")
    return [_change_one(node, value, insert, delete=delete, repeat=repeat) for node in found]


def _change_one(node: object, value: str, insert: str, *, delete: bool, repeat: int) -> str:
    if etree.iselement(node):
        element = cast("etree._Element", node)
        place = pointer(element)
        parent = element.getparent()
        if delete and parent is not None:
            parent.remove(element)
        elif repeat > 1 and parent is not None:
            for _ in range(repeat - 1):
                element.addnext(etree.fromstring(etree.tostring(element, with_tail=False)))
        elif insert:
            declared = " ".join(f'xmlns{f":{p}" if p else ""}="{uri}"' for p, uri in element.nsmap.items())
            element.addnext(etree.fromstring(f"<x {declared}>{insert}</x>")[0])
        else:
            element.text = value
        return place
    text = cast("etree._ElementUnicodeResult", node)
    owner, name = text.getparent(), text.attrname
    if owner is None or name is None:
        raise TypeError("a path must find elements or attributes")
    place = pointer(owner, name)
    if delete:
        del owner.attrib[name]
    else:
        owner.set(name, value)
    return place


def _prefixes(root: etree._Element) -> dict[str, str]:
    """Every prefix the document declares anywhere."""
    return {prefix: uri for element in root.iter(etree.Element) for prefix, uri in element.nsmap.items() if prefix}
