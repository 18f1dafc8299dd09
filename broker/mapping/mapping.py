"""A mapping, compiled once: rows in, two functions out (the fast one and its traced twin)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from broker.mapping.compiler.bind import lay_out
from broker.mapping.compiler.write import write
from broker.mapping.language.rows import Group
from broker.mapping.runtime.run import Run
from broker.mapping.translate import crowded
from broker.model.errors import Misconfigured
from broker.model.ids import NO_MESSAGE_ID
from broker.registry.digests import digest
from broker.registry.identifiers import NO_IDENTIFIERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lxml import etree

    from broker.mapping.compiler.bind import Plan
    from broker.mapping.compiler.target import Element
    from broker.mapping.compiler.write import GeneratedCode
    from broker.mapping.language.rows import Row, Rows
    from broker.model.documents import Document, DocumentType
    from broker.model.findings import Finding
    from broker.registry.codelists import CodeList
    from broker.registry.identifiers import Identifiers


def rows_of(document_type: DocumentType) -> RowMapping:
    """The mapping of a type as rows; raises Misconfigured where it is a stylesheet, which has none."""
    mapping = document_type.mapping
    if not isinstance(mapping, RowMapping):
        raise Misconfigured(f"{document_type.name}: a stylesheet has no rows to look at")
    return mapping


class RowMapping:
    """Rows compiled for the payload's schema; each part is made on first use, or by ``warm``."""

    def __init__(
        self,
        name: str,
        rows: Callable[[], Rows],
        declaration: Callable[[], Element],
        code_lists: Mapping[str, CodeList],
        absent: frozenset[str],
        *,
        identifiers: Identifiers = NO_IDENTIFIERS,
        beside: Callable[[], str] = lambda: "",
    ) -> None:
        self.name = name
        self._rows = rows
        self._declaration = declaration
        self.code_lists = code_lists
        self.absent = absent
        self.identifiers = identifiers
        self._beside = beside
        """The digest of what makes a payload besides the rows."""

    has_lineage = True

    @property
    def version(self) -> str:
        """What its author calls this state of the rows."""
        return self.rows.version

    @cached_property
    def sha256(self) -> str:
        """The digest of all that makes a payload: rows with what they extend, their lists, schemas and rules."""
        return digest({"rows": self.rows.sha256, "beside": self._beside()})

    @property
    def entries(self) -> tuple[Row | Group, ...]:
        """Rows and groups by the numbers that issues and notes name."""
        return self.plan.entries

    @property
    def mandatory(self) -> frozenset[int]:
        """The numbers of rows without whose value there is no payload."""
        return self.plan.mandatory

    def maximum(self, number: int) -> int:
        """How many instances of a group the payload can hold."""
        return self.plan.maxima[number]

    @cached_property
    def id(self) -> str:
        """``name@version+sha256``: what the header ``swb_mapping`` says."""
        return f"{self.name}@{self.version}+{self.sha256}"

    @cached_property
    def rows(self) -> Rows:
        """The rows as written, what they extend included; raises Misconfigured."""
        return self._rows()

    @cached_property
    def declaration(self) -> Element:
        """The payload's element that the rows fill."""
        return self._declaration()

    @cached_property
    def plan(self) -> Plan:
        """The rows bound to payload and source."""
        return lay_out(self.rows, self.declaration)

    @cached_property
    def fast(self) -> GeneratedCode:
        """The function that the worker runs."""
        return write(self.plan, self.code_lists, self.identifiers, traced=False)

    @cached_property
    def traced(self) -> GeneratedCode:
        """The same with the origin of every leaf written into the text."""
        return write(self.plan, self.code_lists, self.identifiers, traced=True)

    def limits(self, document: Document) -> tuple[Finding, ...]:
        """One finding for each class of which the document has more than a declaration takes."""
        if not any(self._may_crowd(document.root, number) for number in self.plan.maxima):
            return ()
        _, run = self.run(document.root, NO_MESSAGE_ID)
        return tuple(crowded(document, run))

    def _may_crowd(self, root: etree._Element, number: int) -> bool:
        """Whether there are that many elements of the name at all; most documents have not, and need no other look."""
        group = self.entries[number]
        assert isinstance(group, Group)  # noqa: S101  (only groups have a maximum)
        names = group.each.steps[-1].names if group.each.steps else ()
        return sum(1 for _ in root.iter(*names)) > self.maximum(number)

    def warm(self) -> None:
        """Compile now what would be compiled at the first document; raises Misconfigured."""
        _ = self.fast

    def run(self, root: etree._Element, message_id: str, *, traced: bool = False) -> tuple[str, Run]:
        """The payload's text, and what the run noted on the way."""
        run = Run(self.absent, root)
        code = self.traced if traced else self.fast
        text = code.translate(root, message_id, run)
        run.tell_repeats(self.entries)
        return text, run
