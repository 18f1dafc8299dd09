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

from broker.content.xml import parse, pointer
from broker.toml_table import Table

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "samples"
PAYLOAD, FINDINGS = ".payload.xml", ".findings.json"
"""What is expected of a sample stands beside it under its name and one of these endings."""
VARIANT = ".toml"
_DOCUMENTS = frozenset({".xml", ".json", VARIANT})


@dataclass(frozen=True, slots=True)
class Sample:
    """A document to try, and where an answer that rejects it must point in it."""

    name: str
    content: bytes
    points: str = ""


def is_expectation(file: Path) -> bool:
    """Whether a file says what is expected of a sample beside it."""
    return file.name.endswith((PAYLOAD, FINDINGS))


def sample_files(folder: Path) -> list[Path]:
    """The samples in every folder ``samples`` below a folder: documents and variants."""
    folders = sorted(found for found in folder.rglob(FOLDER) if found.is_dir())
    files = (file for found in folders for file in sorted(found.rglob("*")))
    return [file for file in files if file.suffix in _DOCUMENTS and not is_expectation(file)]


def read_sample(file: Path, mappings: Path) -> Sample:
    """The document of a file, made from its base when the file is a variant; raises Misconfigured."""
    if file.suffix != VARIANT:
        return Sample(file.stem, file.read_bytes())
    table = Table.read(file)
    base = read_sample(mappings / table.text("base"), mappings)
    if not (changes := table.tables("change")):
        table.end()
        return Sample(file.stem, base.content)
    root, _ = parse(base.content)
    changed = [place for entry in changes for place in _change(root, entry)]
    points = table.text("points", changed[0] if changed else "")
    table.end()
    info = root.getroottree().docinfo
    content = cast("bytes", etree.tostring(root.getroottree(), encoding=info.encoding or "UTF-8", xml_declaration=True))
    return Sample(file.stem, content, points)


def _change(root: etree._Element, entry: Table) -> list[str]:
    """Changes every node at the path, deletes it, repeats it or inserts after it; where they stood."""
    path = entry.text("path")
    change = _Change(
        entry.text("value", ""),
        entry.text("insert", ""),
        delete=entry.flag("delete", default=False),
        repeat=entry.whole("repeat", 1) or 1,
    )
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
        _carry_out(node, change)
    return places


@dataclass(frozen=True, slots=True)
class _Change:
    value: str
    insert: str
    """XML to stand after the element, in its prefixes."""
    delete: bool
    repeat: int
    """How often the element stands there then."""


def _place(node: object, entry: Table) -> str:
    if etree.iselement(node):
        return pointer(node)
    owner, name = _attribute(node)
    if owner is None:
        raise entry.wrong("a path must find elements or attributes")
    return pointer(owner, name)


def _carry_out(node: object, change: _Change) -> None:
    if not etree.iselement(node):
        owner, name = _attribute(node)
        if owner is not None and change.delete:
            del owner.attrib[name]
        elif owner is not None:
            owner.set(name, change.value)
        return
    parent = node.getparent()
    if change.delete and parent is not None:
        parent.remove(node)
    elif change.repeat > 1:
        for _ in range(change.repeat - 1):
            node.addnext(etree.fromstring(etree.tostring(node, with_tail=False)))
    elif change.insert:
        declared = " ".join(f'xmlns{f":{p}" if p else ""}="{uri}"' for p, uri in node.nsmap.items())
        node.addnext(etree.fromstring(f"<x {declared}>{change.insert}</x>")[0])
    elif not change.delete:
        node.text = change.value


def _attribute(node: object) -> tuple[etree._Element | None, str]:
    """The element that an attribute found by XPath belongs to, and its name."""
    is_attribute = getattr(node, "is_attribute", False)
    owner = node.getparent() if is_attribute and hasattr(node, "getparent") else None
    return owner, str(getattr(node, "attrname", ""))


def _prefixes(root: etree._Element) -> dict[str, str]:
    """Every prefix the document declares anywhere."""
    return {prefix: uri for element in root.iter(etree.Element) for prefix, uri in element.nsmap.items() if prefix}
