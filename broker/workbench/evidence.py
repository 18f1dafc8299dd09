"""What the samples beside a mapping show of it: explanations, coverage, the implementation report."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from broker.catalogue import PAYLOAD_SCHEMA, data_root
from broker.line.process import explain
from broker.mapping.lineage.coverage import Coverage, cover
from broker.mapping.lineage.report import ImplementationReport, report
from broker.mapping.mapping import rows_of
from broker.model.documents import Message
from broker.model.errors import Refused
from broker.model.ids import NO_MESSAGE_ID, DocumentTypeName
from broker.workbench.samples import read_sample, sample_files
from broker.workbench.schema_tree import schema_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from broker.mapping import Explanation
    from broker.model.documents import DocumentType
    from broker.model.outcomes import Catalogue

REPORT = "report.md"


def explanations(document_type: DocumentType, catalogue: Catalogue) -> Iterator[Explanation]:
    """Those of every sample that is accepted as this type."""
    mappings = Path(document_type.folder).parents[2]
    for file in sample_files(Path(document_type.folder)):
        try:
            found = explain(Message(NO_MESSAGE_ID, read_sample(file, mappings).content), catalogue)
        except Refused:
            continue
        if found.document.type.name == document_type.name:
            yield found


def coverage_of(document_type: DocumentType, catalogue: Catalogue) -> Coverage:
    """Rows and drops without a sample, mandatory elements without a row; rows taken over have those of their base."""
    return cover(rows_of(document_type), _inherited(document_type, catalogue))


def _inherited(document_type: DocumentType, catalogue: Catalogue) -> Iterator[Explanation]:
    yield from explanations(document_type, catalogue)
    if base := rows_of(document_type).rows.base:
        yield from _inherited(catalogue.document_types[DocumentTypeName(base)], catalogue)


def open_in(document_type: DocumentType) -> tuple[str, ...]:
    """The elements of the source profile that no row and no drop mentions."""
    plan = rows_of(document_type).plan
    tree = schema_tree(document_type.schema.file)
    return tuple(tree.unmentioned(document_type.root, plan.scopes[0].node))


def report_of(document_type: DocumentType, catalogue: Catalogue) -> ImplementationReport:
    """The implementation report, with examples from the samples."""
    folder = (data_root() / "xsd" / PAYLOAD_SCHEMA).parent
    schema = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(folder.glob("*.xsd")))).hexdigest()
    return report(document_type, explanations(document_type, catalogue), schema)
