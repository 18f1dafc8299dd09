"""The heart: rows -> compiled translation; lineage, loss, coverage and report from the same rows."""

from broker.mapping.explain import Explanation, explain
from broker.mapping.lineage import Loss, Origin, Source
from broker.mapping.mapping import RowMapping
from broker.mapping.rows import merge, read_rows
from broker.mapping.translate import translate
from broker.mapping.xslt import XsltMapping

__all__ = [
    "Explanation",
    "Loss",
    "Origin",
    "RowMapping",
    "Source",
    "XsltMapping",
    "explain",
    "merge",
    "read_rows",
    "translate",
]
