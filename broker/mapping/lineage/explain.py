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

from lxml import etree

from broker.content.payload_path import paths
from broker.content.xml import line_of, place, pointers, prefixed
from broker.mapping.language.rows import Row
from broker.mapping.lineage.absent import absent_place
from broker.mapping.lineage.locate import Locator
from broker.mapping.lineage.loss import Losses
from broker.mapping.lineage.origins import RANK, Loss, Origin, Source, raw, split
from broker.mapping.runtime.run import ABSENT, ITSELF
from broker.mapping.translate import told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from broker.mapping.language.rows import Group
    from broker.mapping.mapping import RowMapping
    from broker.mapping.runtime.run import Leaf, Run
    from broker.model.documents import Document
    from broker.model.findings import Finding

_MARK = re.compile(r"<\?swb [^?]*\?>")


@dataclass(frozen=True)
class Explanation:
    """The lineage of a payload and the loss report of its document."""

    document: Document
    content: bytes
    """The payload: the same bytes that ``translate`` gives."""
    lineage: tuple[Origin, ...]
    loss: tuple[Loss, ...]
    findings: tuple[Finding, ...]
    instances: dict[str, Source]
    """Repeating elements of the payload, each with the source element it stands for."""

    @property
    def mapping(self) -> dict[str, str]:
        """Id, version and digest of the rows that made it."""
        mapping: RowMapping = self.document.type.mapping
        return {"id": mapping.name, "version": mapping.version, "sha256": mapping.sha256}

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
    mapping: RowMapping = document.type.mapping
    if not mapping.has_lineage:
        text, run = mapping.run(document.root, message_id)
        return Explanation(document, text.encode(), (), (), told(document, run), {})
    annotated, run = mapping.run(document.root, message_id, traced=True)
    content = _MARK.sub("", annotated).encode()
    root = etree.fromstring(annotated.encode(), etree.XMLParser(no_network=True, load_dtd=False))
    teller = _Explainer(document, mapping, run)
    places = tuple(paths(root))
    lineage = tuple(teller.origin(*leaf) for leaf in _marked_leaves(places))
    instances = {path: teller.whole(run.instances[number]) for path, number in _marked_instances(places)}
    return Explanation(
        document,
        content,
        lineage,
        tuple(Losses(document, mapping, run, teller.place).tell()),
        told(document, run),
        instances,
    )


def _marks(element: etree._Element) -> Iterator[tuple[str, str, str]]:
    """The marks of one payload element: what they speak of, their number, the text behind them."""
    for child in element.iterchildren(etree.ProcessingInstruction):
        number, _, about = (child.text or "").partition(" ")
        yield about.strip(), number, child.tail or ""


def _marked_leaves(places: Iterable[tuple[etree._Element, str]]) -> Iterator[tuple[str, str, str]]:
    """Every leaf of an annotated payload: its path, its value, and the number of its note (or ``engine``)."""
    for element, path in places:
        marks = {about: (number, text) for about, number, text in _marks(element)}
        text = (element.text or "") + "".join(text for _, text in marks.values())
        if "" in marks and text.strip():
            yield path, text, marks[""][0]
        for name, value in element.items():
            attribute = str(name)
            yield f"{path}/@{attribute}", str(value), marks.get(attribute, ("", ""))[0]


def _marked_instances(places: Iterable[tuple[etree._Element, str]]) -> Iterator[tuple[str, int]]:
    """Every instance of a group in an annotated payload, and the number of the source element it stands for."""
    for element, path in places:
        for about, number, _ in _marks(element):
            if about == "each":
                yield path, int(number)


class _Explainer:
    """Puts notes and issues of one run into words."""

    def __init__(self, document: Document, mapping: RowMapping, run: Run) -> None:
        self.document = document
        self.mapping = mapping
        self.run = run
        self.entries: tuple[Row | Group, ...] = mapping.plan.entries
        self._pointers = pointers(document.root)
        self._ids: dict[str, str] = {}

    def place(self, element: etree._Element, attribute: str | None = None) -> tuple[str, int | None]:
        path = self._pointers.get(element)
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
        return f"{name} {self.mapping.code_lists[name].edition(self.run.on).version}"

    def _wco_id(self, target: str) -> str:
        path = re.sub(r"\[\d+\]", "", target)
        if path not in self._ids:
            element, found = self.mapping.declaration, "-"
            for name in path.split("/")[3:]:
                child = element.child(name)
                if child is None:
                    break
                element, found = child, child.wco_id or found
            self._ids[path] = found
        return self._ids[path]
