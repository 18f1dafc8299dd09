"""Where every value of a payload came from, and what became of every value of the source.

Made from the same rows as the translation itself: the traced twin of its function writes the origin of each leaf
beside it as a processing instruction; here these are read and taken off again.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lxml import etree

from broker.mapping.missing import MEANT, absent_place, expected
from broker.mapping.rows import Row
from broker.mapping.run import ABSENT, PARTIAL
from broker.mapping.translate import told, unmapped_leaves
from broker.xml import XSI, leaves, line_of, numbered, place, pointers, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from broker.mapping.mapping import RowMapping
    from broker.mapping.rows import Drop, Group
    from broker.mapping.run import Leaf, Note, Run
    from broker.mapping.scope import Node
    from broker.model import Document, Finding

State = Literal["carried", "folded", "dropped", "unmapped"]
Place = tuple[etree._Element, str | None]  # noqa: SLF001  (the public name of the type)
_MARK = re.compile(r"<\?swb [^?]*\?>")
_STEP = re.compile(r"@?([^\[\]/@]+)(?:\[(\d+)\])?")
_RANK: dict[State, int] = {"carried": 0, "folded": 1, "dropped": 2, "unmapped": 3}


@dataclass(frozen=True, slots=True)
class Source:
    """A leaf of the sender's document: path and line in the bytes as sent, the value, its plain name."""

    path: str
    line: int | None
    value: str | None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """One leaf of the payload, and where it came from."""

    target: str
    wco_id: str
    value: str
    row: str
    sources: tuple[Source, ...]
    codes: str
    transform: str
    why: str


@dataclass(frozen=True, slots=True)
class Loss:
    """One leaf of the source, and what became of it."""

    path: str
    line: int | None
    value: str
    state: State
    row: str
    why: str


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
        """How many leaves the source has, and how many in each state; the four add up."""
        states = Counter(loss.state for loss in self.loss)
        return {"leaves": len(self.loss), **{state: states[state] for state in _RANK}}

    def locate(self, target: str) -> tuple[Source, ...]:
        """The places of the sender's document behind a place of the payload (``/MetaData/Declaration/...``).

        A leaf leads to its sources; a class to the element that holds all its sources; a place that is not there to
        where the mapping would look for it (``AdditionalInformation[StatementCode='SEAL']/StatementDescription`` says
        which of several is missing). Empty: nothing in the document has to do with it.
        """
        return _Locator(self).locate(target)


def explain(document: Document, message_id: str) -> Explanation:
    """Lineage, loss and findings of a document that its schema accepts; a mapping by XSLT has neither of the first."""
    mapping: RowMapping = document.type.mapping
    if not mapping.has_lineage:
        text, run = mapping.run(document.root, message_id)
        return Explanation(document, text.encode(), (), (), told(document, run), {})
    annotated, run = mapping.run(document.root, message_id, traced=True)
    content = _MARK.sub("", annotated).encode()
    root = etree.fromstring(annotated.encode(), etree.XMLParser(no_network=True, load_dtd=False))
    teller = _Teller(document, mapping, run)
    lineage = tuple(teller.origin(*leaf) for leaf in _marked_leaves(root))
    instances = {path: teller.whole(run.instances[number]) for path, number in _marked_instances(root)}
    return Explanation(document, content, lineage, tuple(teller.losses()), told(document, run), instances)


def _marks(element: etree._Element) -> Iterator[tuple[str, str, str]]:
    """The marks of one payload element: what they speak of, their number, the text behind them."""
    for child in element.iterchildren(etree.ProcessingInstruction):
        number, _, about = (child.text or "").partition(" ")
        yield about.strip(), number, child.tail or ""


def _marked_leaves(root: etree._Element) -> Iterator[tuple[str, str, str]]:
    """Every leaf of an annotated payload: its path, its value, and the number of its note (or ``engine``)."""
    for element, path in _paths(root):
        marks = {about: (number, text) for about, number, text in _marks(element)}
        text = (element.text or "") + "".join(text for _, text in marks.values())
        if "" in marks and text.strip():
            yield path, text, marks[""][0]
        for name, value in element.items():
            attribute = str(name)
            yield f"{path}/@{attribute}", str(value), marks.get(attribute, ("", ""))[0]


def _marked_instances(root: etree._Element) -> Iterator[tuple[str, int]]:
    """Every instance of a group in an annotated payload, and the number of the source element it stands for."""
    for element, path in _paths(root):
        for about, number, _ in _marks(element):
            if about == "each":
                yield path, int(number)


def _paths(root: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    """Every element with its path, without prefixes, ``[n]`` where siblings share the name."""
    pending = [(root, f"/{etree.QName(root).localname}")]
    while pending:
        element, path = pending.pop()
        yield element, path
        below = [(child, f"{path}/{str(child.tag).rpartition('}')[2]}{index}") for child, index in numbered(element)]
        pending += reversed(below)


class _Teller:
    """Puts notes and issues of one run into words."""

    def __init__(self, document: Document, mapping: RowMapping, run: Run) -> None:
        self.document = document
        self.mapping = mapping
        self.run = run
        self.entries: tuple[Row | Group, ...] = mapping.plan.entries
        self._pointers = pointers(document.root)
        self._ids: dict[str, str] = {}

    def _place(self, element: etree._Element, attribute: str | None = None) -> tuple[str, int | None]:
        path = self._pointers.get(element)
        if path is None or attribute:
            return place(self.document, element, attribute)
        return path, line_of(element, self.document.line_offset)

    def whole(self, element: etree._Element) -> Source:
        """A source element as a place."""
        path, line = self._place(element)
        return Source(path, line, None)

    def origin(self, target: str, value: str, mark: str) -> Origin:
        """One line of the lineage."""
        if mark == "engine":
            return Origin(target, "-", value, "MetaData", (), "", "", "what every payload says of itself")
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
            tuple(self._source(leaf, row) for leaf in dict.fromkeys(note.sources + note.deciders)),
            ", ".join(self._edition(name) for name in lists if name),
            " ".join(row.transforms),
            row.why,
        )

    def _source(self, leaf: Leaf, row: Row) -> Source:
        element, attribute = _split(leaf)
        if attribute is not None and attribute.startswith(ABSENT):
            read = self.mapping.plan.absent[attribute.removeprefix(ABSENT)]
            nearest, where = absent_place(element, read.steps, read.attribute, self.document.root)
            return Source(where, line_of(nearest, self.document.line_offset), None, row.label)
        path, line = self._place(element, attribute)
        return Source(path, line, _raw(element, attribute), row.label)

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

    def losses(self) -> Iterator[Loss]:
        """What became of every leaf of the file, envelopes included, in document order."""
        noted = self._noted()
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
                yield self._loss(leaf, *self._explained(leaf))

    def _noted(self) -> dict[Place, tuple[State, str]]:
        found: dict[Place, tuple[State, str]] = {}
        for note in self.run.notes:
            for state, group in self._states(note):
                for leaf in group:
                    known = found.get(_split(leaf))
                    if known is None or _RANK[state] < _RANK[known[0]]:
                        found[_split(leaf)] = (state, self.entries[note.row].name)
        return found

    @staticmethod
    def _states(note: Note) -> tuple[tuple[State, tuple[Leaf, ...]], ...]:
        one = len(note.sources) == 1
        return (("carried" if one else "folded", note.sources), ("folded", note.deciders))

    def _explained(self, leaf: Place) -> tuple[State, str, str]:
        element, attribute = leaf
        value = _raw(element, attribute).strip()
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
        return "folded", decides or "condition", "read by a condition"

    def _node(self, element: etree._Element) -> tuple[Node | None, Drop | None]:
        """The place of an element in the tree of the rows, and the nearest drop above or at it."""
        steps = []
        at = element
        while at is not self.document.root:
            steps.append(str(at.tag))
            parent = at.getparent()
            if parent is None:
                break
            at = parent
        node: Node | None = self.mapping.plan.scopes[0].node
        drop = node.drop if node else None
        for tag in reversed(steps):
            node = node.children.get(tag) if node else None
            if node is not None and node.drop is not None:
                drop = node.drop
        return node, drop

    def _loss(self, leaf: Place, state: State, row: str, why: str) -> Loss:
        element, attribute = leaf
        path, line = self._place(element, attribute)
        return Loss(path, line, shown(_raw(element, attribute)) or "", state, row, why)


class _Locator:
    """Finds the sender's side of places in a payload."""

    def __init__(self, explanation: Explanation) -> None:
        self.explanation = explanation
        self.by_target: dict[str, Origin] = {origin.target: origin for origin in explanation.lineage}

    def locate(self, target: str) -> tuple[Source, ...]:
        meant = MEANT.search(target)
        if meant is not None:
            above = _canonical(target[: meant.start()].rpartition("/")[0], self.by_target)
            below = target[: meant.start()].rpartition("/")[2]
            return self._expected(f"{above}/{below}{target[meant.start() :]}")
        target = _canonical(target, self.by_target)
        if target in self.by_target and self.by_target[target].sources:
            return self.by_target[target].sources
        return self._class(target) or self._expected(target)

    def _class(self, target: str) -> tuple[Source, ...]:
        """The source element behind a class of the payload: its group's, or what all of its own sources share."""
        if target in self.explanation.instances:
            return (self.explanation.instances[target],)
        below = [s for t, origin in self.by_target.items() if t.startswith(f"{target}/") for s in origin.sources]
        if not below:
            return ()
        home = self._instance(target)
        inside = [s for s in below if home is None or s.path.startswith(f"{home.path}/")] or below
        return (_shared(inside),)

    def _instance(self, target: str) -> Source | None:
        """The source element of the nearest group instance at or above a place."""
        above = target
        while above:
            if above in self.explanation.instances:
                return self.explanation.instances[above]
            above = above.rpartition("/")[0]
        return None

    def _expected(self, target: str) -> tuple[Source, ...]:
        """Where the value would have to stand: the row's own path below what exists; else what is around it."""
        plain = _plain(target)
        document = self.explanation.document
        found = expected(document.type.mapping.rows.body, plain, self._around(target), document.root)
        if found is not None:
            element, path, label = found
            return (Source(path, line_of(element, document.line_offset), None, label),)
        entries = document.type.mapping.plan.entries
        row = next((e for e in entries if isinstance(e, Row) and _unlabelled(e.name) == plain and e.sources), None)
        home = self._instance(target)
        above = target
        while home is None and above and not (near := self._class(above)):
            above = above.rpartition("/")[0]
        if home is None:
            if not above:
                return ()
            home = near[0]
        if row is None:
            return (home,)
        return (Source(home.path, home.line, None, row.label or row.sources[0].text),)

    def _around(self, target: str) -> dict[str, etree._Element]:
        """The source elements of the group instances at or above a place, by their plain paths."""
        elements = {path: element for element, path in pointers(self.explanation.document.root).items()}
        found = {}
        above = target
        while above:
            instance = self.explanation.instances.get(above)
            if instance is not None and instance.path in elements:
                found[_plain(above)] = elements[instance.path]
            above = above.rpartition("/")[0]
        return found


def _plain(target: str) -> str:
    """A place below the Declaration, without positions."""
    return re.sub(r"\[\d+\]", "", target).removeprefix("/MetaData/Declaration/")


def _shared(sources: list[Source]) -> Source:
    """The element that several leaves have in common."""
    common = sources[0].path.split("/")
    for source in sources[1:]:
        steps = source.path.split("/")
        length = next(
            (i for i, (a, b) in enumerate(zip(common, steps, strict=False)) if a != b), min(len(common), len(steps))
        )
        common = common[:length]
    path = "/".join(common)
    exact = next((s for s in sources if s.path == path), None)
    line = min((s.line for s in sources if s.line is not None), default=None)
    return exact or Source(path, line, None)


def _unlabelled(name: str) -> str:
    return re.sub(r"\[[^\]]*\]|#\d+$", "", name)


def _canonical(target: str, known: dict[str, Origin]) -> str:
    """The path as the lineage writes it: from MetaData, without prefixes, ``[1]`` only where there is a ``[2]``."""
    steps = [m for m in map(_STEP.fullmatch, target.strip("/").split("/")) if m is not None]
    names = [(m[0][0] == "@", m[1].rpartition(":")[2], m[2]) for m in steps]
    if names and names[0][1] == "Declaration":
        names.insert(0, (False, "MetaData", None))
    elif names and names[0][1] != "MetaData":
        names = [(False, "MetaData", None), (False, "Declaration", None), *names]
    path = ""
    for is_attribute, name, number in names:
        step = f"{path}/{'@' if is_attribute else ''}{name}"
        numbered = f"{step}[{number or 1}]"
        path = numbered if any(t == numbered or t.startswith(f"{numbered}/") for t in known) else step
        if number and number != "1" and path == step:
            path = numbered
    return path


def _split(leaf: Leaf) -> Place:
    return leaf if isinstance(leaf, tuple) else (leaf, None)


def _raw(element: etree._Element, attribute: str | None) -> str:
    return (element.text if attribute is None else element.get(attribute)) or ""
