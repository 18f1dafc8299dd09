"""The heart: rows -> compiled translation; lineage, loss, coverage and report from the same rows."""

from broker.mapping.language.merge import merge, read_mapping
from broker.mapping.language.rows import read_rows
from broker.mapping.lineage.explain import Explanation, explain
from broker.mapping.lineage.origins import Loss, Origin, Source
from broker.mapping.mapping import RowMapping
from broker.mapping.runtime.xslt import XsltMapping
from broker.mapping.translate import translate

__all__ = [
    "Explanation",
    "Loss",
    "Origin",
    "RowMapping",
    "Source",
    "XsltMapping",
    "explain",
    "merge",
    "read_mapping",
    "read_rows",
    "translate",
]
