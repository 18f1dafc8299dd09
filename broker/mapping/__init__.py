"""The heart: rows -> compiled translation; lineage, loss, coverage and report from the same rows."""

from broker.mapping.mapping import RowMapping
from broker.mapping.rows import merge, read_rows
from broker.mapping.translate import translate

__all__ = ["RowMapping", "merge", "read_rows", "translate"]
