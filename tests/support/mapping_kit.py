"""Rows as they are written in a file, compiled for the real payload; small documents translated and explained."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from broker.catalogue import PAYLOAD_SCHEMA, data_root
from broker.content.xml import parse
from broker.mapping import RowMapping, explain, read_rows, translate
from broker.mapping.compiler.target import read_target
from broker.model.documents import Document, DocumentType
from broker.model.ids import DocumentTypeName
from broker.registry.codelists import load_code_lists

if TYPE_CHECKING:
    from broker.mapping import Explanation
    from broker.model.documents import Payload

ROOT = data_root()
DECLARATION = read_target(ROOT / "xsd" / PAYLOAD_SCHEMA, "Declaration")
CODES = load_code_lists(ROOT / "mappings" / "codelists")
BASE = """
fields = [
  {to = "FunctionCode", id = "017", value = "9", why = "an original"},
  {to = "TypeCode", id = "D013", value = "380", why = "an invoice"},
"""


def mapping(rows: str, *, base: str = BASE) -> RowMapping:
    data = tomllib.loads(base + rows)
    return RowMapping(
        "toy/toy-1", lambda: read_rows(data, {"p": "urn:p"}, "toy"), lambda: DECLARATION, CODES, frozenset({"NULL"})
    )


def document(xml: str, rows: RowMapping) -> Document:
    root, offset = parse(xml.encode())
    kind = DocumentType(
        DocumentTypeName("toy/toy-1"), "Toy", "toy", str(root.tag), None, {"p": "urn:p"}, None, rows, (), "", ""
    )
    return Document(kind, root, (), offset)


def translated(xml: str, rows: str) -> tuple[Payload, Explanation]:
    doc = document(xml, mapping(rows))
    payload, findings = translate(doc, "a" * 32)
    explanation = explain(doc, "a" * 32)
    assert explanation.content == payload.content
    assert explanation.findings == findings
    counts = explanation.counts
    assert counts["leaves"] == sum(counts[state] for state in ("carried", "folded", "decided", "dropped", "unmapped"))
    return payload, explanation


def texts(payload: Payload, path: str) -> list[str]:
    steps = "/".join(f"*[local-name()='{step}']" for step in path.split("/"))
    return [e.text for e in payload.root.xpath(steps)]
