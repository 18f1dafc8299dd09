"""What became of every leaf of a document.

Carried: its value is in the payload. Folded: its text is, beside others, in a longer text. Decided: it chose other
values, and nothing of it is in the payload. Dropped on purpose; or unmapped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.content.xml import XSI, leaves, shown
from broker.mapping.lineage.origins import RANK, Loss, raw, split
from broker.mapping.runtime.run import PARTIAL
from broker.mapping.translate import unmapped_leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lxml import etree

    from broker.mapping.compiler.source_tree import SourceNode
    from broker.mapping.language.rows import Drop
    from broker.mapping.lineage.origins import Place, State
    from broker.mapping.mapping import RowMapping
    from broker.mapping.runtime.run import Note, Run
    from broker.model.documents import Document

    Where = Callable[[etree._Element, str | None], tuple[str, int | None]]  # noqa: SLF001  (the public name of the type)
    """Path and line of a leaf."""


class Losses:
    """Puts into words what one run did with the leaves of its document."""

    def __init__(self, document: Document, mapping: RowMapping, run: Run, where: Where) -> None:
        self.document = document
        self.mapping = mapping
        self.run = run
        self.where = where
        self.entries = mapping.plan.entries

    def all(self) -> Iterator[Loss]:
        """What became of every leaf of the file, envelopes included, in document order."""
        noted, decided = self._noted(), self._decided()
        issues = {(i.element, i.attribute): i for i in self.run.issues if i.code not in PARTIAL}
        unmapped = set(unmapped_leaves(self.run))
        for opened in self.document.envelopes:
            for element, attribute in leaves(opened.root):
                if opened.holds(element, attribute):
                    yield self._loss(
                        (element, attribute), "dropped", f"envelope {opened.envelope.name}", opened.envelope.why
                    )
        for leaf in leaves(self.document.root):
            if leaf in noted:
                state, row = noted[leaf]
                yield self._loss(leaf, state, row, "")
            elif leaf in issues:
                issue = issues[leaf]
                yield self._loss(leaf, "unmapped", self.entries[issue.row].name, issue.reason)
            elif leaf in unmapped:
                yield self._loss(leaf, "unmapped", "", "no row takes it")
            else:
                yield self._loss(leaf, *self._explained(leaf, decided.get(leaf, "")))

    def _noted(self) -> dict[Place, tuple[State, str]]:
        found: dict[Place, tuple[State, str]] = {}
        for note in self.run.notes:
            state = self._state(note)
            for leaf in note.sources:
                known = found.get(split(leaf))
                if known is None or RANK[state] < RANK[known[0]]:
                    found[split(leaf)] = (state, self.entries[note.row].name)
        return found

    def _decided(self) -> dict[Place, str]:
        """What only decided, with the row that it decided first."""
        found: dict[Place, str] = {}
        for note in self.run.notes:
            for leaf in note.deciders:
                found.setdefault(split(leaf), self.entries[note.row].name)
        return found

    def _state(self, note: Note) -> State:
        """Several leaves in one text are folded; an addend is carried: its value is in the sum."""
        summed = "sum" in getattr(self.entries[note.row], "transforms", ())
        return "carried" if summed or len(note.sources) == 1 else "folded"

    def _explained(self, leaf: Place, row: str) -> tuple[State, str, str]:
        element, attribute = leaf
        value = raw(element, attribute).strip()
        if " ".join(value.split()) in self.run.absent:
            return "dropped", "absent", "marker of absence"
        if attribute is not None and attribute.startswith(XSI):
            return "dropped", "xsi", "speaks to the parser, not of the goods"
        node, drop = self._node(element)
        if attribute is not None:
            drop = (node.dropped_attributes.get(attribute) if node else None) or self.mapping.plan.anywhere.get(
                attribute, drop
            )
            decides = node.attributes.get(attribute, "") if node else ""
        else:
            decides = node.decides if node else ""
        if drop is not None:
            return "dropped", drop.name, drop.why
        return "decided", row or decides or "condition", "chooses other values; nothing of it is in the payload"

    def _node(self, element: etree._Element) -> tuple[SourceNode | None, Drop | None]:
        """The place of an element in the tree of the rows, and the nearest drop above or at it."""
        steps = []
        at = element
        while at is not self.document.root:
            steps.append(str(at.tag))
            parent = at.getparent()
            if parent is None:
                break
            at = parent
        node: SourceNode | None = self.mapping.plan.scopes[0].node
        drop = node.drop if node else None
        for tag in reversed(steps):
            node = node.children.get(tag) if node else None
            if node is not None and node.drop is not None:
                drop = node.drop
        return node, drop

    def _loss(self, leaf: Place, state: State, row: str, why: str) -> Loss:
        element, attribute = leaf
        path, line = self.where(element, attribute)
        return Loss(path, line, shown(raw(element, attribute)) or "", state, row, why)
