"""Where every value of a payload came from, and what became of every value of the source.

Made from the same rows as the translation itself: the traced twin of its function writes the origin of each leaf
beside it as a processing instruction; here these are read and taken off again.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from broker.content.xml import line_of, place, pointers, prefixed
from broker.mapping.language.rows import Row
from broker.mapping.lineage.absent import absent_place
from broker.mapping.lineage.annotations import Annotations, read_annotations, without_marks
from broker.mapping.lineage.locate import Locator
from broker.mapping.lineage.loss import Losses
from broker.mapping.lineage.origins import RANK, Loss, Origin, Source, raw, split
from broker.mapping.mapping import rows_of
from broker.mapping.runtime.run import ABSENT, ITSELF, PARTIAL
from broker.mapping.translate import compiled, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from broker.mapping.language.rows import Group
    from broker.mapping.lineage.annotations import AnnotatedLeaf
    from broker.mapping.lineage.origins import Place
    from broker.mapping.mapping import RowMapping
    from broker.mapping.runtime.run import Leaf, Run
    from broker.model.documents import Document
    from broker.model.findings import Finding

_FEW = 16
"""Places asked for one by one, before the paths of all are made in one walk."""
_NUMBER = re.compile(r"\[\d+\]")


@dataclass(frozen=True)
class Explanation:
    """The lineage of a payload and the loss report of its document.

    Lineage and loss are put into words when they are asked for: an answer that points at one place needs one origin.
    """

    document: Document
    content: bytes
    """The payload: the same bytes that ``translate`` gives."""
    findings: tuple[Finding, ...]
    _explainer: _Explainer | None = None
    _annotated: str = ""

    @cached_property
    def annotations(self) -> Annotations:
        """What the traced function wrote beside the leaves of the payload."""
        return read_annotations(self._annotated) if self._explainer else Annotations((), {}, frozenset())

    @cached_property
    def lineage(self) -> tuple[Origin, ...]:
        """One origin for every leaf of the payload, in its order; empty for a mapping by XSLT."""
        return tuple(self.origin(leaf) for leaf in self.annotations.leaves)

    @cached_property
    def loss(self) -> tuple[Loss, ...]:
        """What became of every leaf of the document, in its order; empty for a mapping by XSLT."""
        if self._explainer is None:
            return ()
        explainer = self._explainer
        return tuple(Losses(self.document, explainer.mapping, explainer.run, explainer.place).all())

    def origin(self, leaf: AnnotatedLeaf) -> Origin:
        """Where one leaf of the payload came from."""
        assert self._explainer is not None  # noqa: S101 - without it there are no leaves
        return self._explainer.origin(leaf.target, leaf.value, leaf.note)

    def misfits(self) -> Iterator[tuple[Row, Place]]:
        """The values that are not in the payload since they do not fit their element, each with its row."""
        if self._explainer is None:
            return
        for issue in self._explainer.run.issues:
            row = self._explainer.entries[issue.row]
            if isinstance(row, Row) and issue.code not in PARTIAL:
                yield row, (issue.element, issue.attribute)

    def source(self, leaf: Place, row: Row) -> Source:
        """A leaf of the document as a place, named as the row names it."""
        assert self._explainer is not None  # noqa: S101 - without it nothing is a misfit
        path, line = self._explainer.place(*leaf)
        return Source(path, line, raw(*leaf), row.label)

    def instance(self, path: str) -> Source | None:
        """The source element that an instance of a group stands for; None where the path leads to none."""
        number = self.annotations.instances.get(path)
        if number is None or self._explainer is None:
            return None
        return self._explainer.whole(self._explainer.run.instances[number])

    @property
    def mapping(self) -> dict[str, str]:
        """Id, version and digest of the rows that made it."""
        mapping = self.document.type.mapping
        return {"id": mapping.id.partition("@")[0], "version": mapping.version, "sha256": mapping.sha256}

    @property
    def counts(self) -> dict[str, int]:
        """How many leaves the source has, and how many in each state; they add up."""
        states = Counter(loss.state for loss in self.loss)
        return {"leaves": len(self.loss), **{state: states[state] for state in RANK}}

    def locate(self, target: str) -> tuple[Source, ...]:
        """The places of the sender's document behind a place of the payload (``/MetaData/Declaration/...``).

        A leaf leads to its sources; a class to the element that holds all its sources; a place that is not there to
        where the mapping would look for it (``AdditionalInformation[StatementCode='SEAL']/StatementDescription`` says
        which of several is missing). Empty: nothing in the document has to do with it.
        """
        return self._locator.locate(target)

    def holding(self, target: str) -> tuple[Source, ...]:
        """Where all occurrences of a repeated class stand in the sender's document: when nobody says which is meant."""
        return self._locator.holding(target)

    @cached_property
    def _locator(self) -> Locator:
        return Locator(self)


def explain(document: Document, message_id: str) -> Explanation:
    """Lineage, loss and findings of a document that its schema accepts; a mapping by XSLT has neither of the first."""
    if not document.type.mapping.has_lineage:
        text, run = compiled(document).run(document.root, message_id)
        return Explanation(document, text.encode(), told(document, run))
    mapping = rows_of(document.type)
    annotated, run = mapping.run(document.root, message_id, traced=True)
    explainer = _Explainer(document, mapping, run)
    return Explanation(document, without_marks(annotated).encode(), told(document, run), explainer, annotated)


class _Explainer:
    """Puts notes and issues of one run into words."""

    def __init__(self, document: Document, mapping: RowMapping, run: Run) -> None:
        self.document = document
        self.mapping = mapping
        self.run = run
        self.entries: tuple[Row | Group, ...] = mapping.plan.entries
        self._asked = 0
        self._ids: dict[str, str] = {}
        self._editions: dict[str, str] = {}

    @cached_property
    def pointers(self) -> dict[etree._Element, str]:
        """Every element of the document with its path, made in one walk."""
        return pointers(self.document.root)

    def place(self, element: etree._Element, attribute: str | None = None) -> tuple[str, int | None]:
        self._asked += 1
        path = self.pointers.get(element) if self._asked > _FEW else None
        if path is None:
            return place(self.document, element, attribute)
        if attribute:
            path += f"/@{prefixed(element, attribute)}"
        return path, line_of(element, self.document.line_offset)

    def whole(self, element: etree._Element) -> Source:
        """A source element as a place."""
        path, line = self.place(element)
        return Source(path, line, None)

    def origin(self, target: str, value: str, mark: str) -> Origin:
        """One line of the lineage."""
        if mark == "engine":
            return Origin(target, "-", value, "MetaData", (), (), "", "", "what every payload says of itself")
        note = self.run.notes[int(mark)]
        row = self.entries[note.row]
        assert isinstance(row, Row)  # noqa: S101  (groups leave no notes)
        is_unit = "/@" in target and "/@" not in row.to
        lists = (row.unit_map, row.unit_codes) if is_unit else (row.map, row.codes)
        return Origin(
            target,
            self._wco_id(target),
            value,
            row.name,
            tuple(self._source(leaf, row) for leaf in dict.fromkeys(note.sources)),
            tuple(self._source(leaf, row) for leaf in dict.fromkeys(note.deciders) if leaf not in note.sources),
            ", ".join(self._edition(name) for name in lists if name),
            " ".join(row.transforms),
            row.why,
        )

    def _source(self, leaf: Leaf, row: Row) -> Source:
        element, attribute = split(leaf)
        if attribute is not None and attribute.startswith(ABSENT):
            read = self.mapping.plan.absent[attribute.removeprefix(ABSENT)]
            nearest, where = absent_place(element, read.steps, read.attribute, self.document.root)
            return Source(where, line_of(nearest, self.document.line_offset), None, row.label)
        if attribute == ITSELF:
            return self.whole(element)
        path, line = self.place(element, attribute)
        return Source(path, line, raw(element, attribute), row.label)

    def _edition(self, name: str) -> str:
        if name not in self._editions:
            self._editions[name] = f"{name} {self.mapping.code_lists[name].edition(self.run.on).version}"
        return self._editions[name]

    def _wco_id(self, target: str) -> str:
        path = _NUMBER.sub("", target)
        if path not in self._ids:
            element, found = self.mapping.declaration, "-"
            for name in path.split("/")[3:]:
                child = element.child(name)
                if child is None:
                    break
                element, found = child, child.wco_id or found
            self._ids[path] = found
        return self._ids[path]
