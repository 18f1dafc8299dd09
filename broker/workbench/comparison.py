"""What a change of data does to documents: each carried along the line under two catalogues, and the difference summed.

It answers as a plan does: which elements of the payload change in how many documents and by which row, which documents
are refused or accepted now, which windows take or reject what they did not. The clock stands still; the same documents
under the same two catalogues give the same answer.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from broker.content.payload_path import paths
from broker.line.process import process
from broker.mapping import explain
from broker.mapping.language import uses
from broker.mapping.mapping import rows_of
from broker.model.errors import Misconfigured
from broker.windows.decide import windows
from broker.workbench.check.documents import place_of

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from lxml import etree

    from broker.mapping.compiler.target import Element
    from broker.model.documents import DocumentType, Payload
    from broker.model.outcomes import Catalogue, Outcome
    from broker.workbench.replay import Item

EXAMPLES = 5
"""Documents that are shown; all are counted."""
_INDEX = re.compile(r"\[\d+\]")
_DECLARATION = "/MetaData/Declaration/"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of a document under one catalogue."""

    outcome: Outcome
    verdicts: dict[str, tuple[str, tuple[str, ...]]]
    """For each window that takes it the verdict, and the rules that are broken."""

    @property
    def word(self) -> str:
        return "accepted" if self.outcome.is_accepted else "refused"

    @property
    def codes(self) -> Counter[str]:
        return Counter(finding.code for finding in self.outcome.findings)

    @property
    def routes(self) -> dict[str, str]:
        return {str(r.participant): r.rule or "" for r in self.outcome.routings if r.is_accepted}


class Side:
    """One of the two catalogues, ready to judge."""

    def __init__(self, name: str, root: Path, catalogue: Catalogue) -> None:
        self.name = name
        self.root = root
        self.catalogue = catalogue
        self._windows = windows(catalogue)

    def judge(self, item: Item, today: datetime) -> Judgement:
        """The document on the line, and before every window that takes it."""
        outcome = process(item.message, self.catalogue)
        verdicts: dict[str, tuple[str, tuple[str, ...]]] = {}
        for window in outcome.windows if outcome.payload else ():
            assert outcome.payload is not None  # noqa: S101 - accepted
            decision = self._windows[window].decide(outcome.payload, today)
            broken = tuple(dict.fromkeys(found.rule for found in decision.findings))
            verdicts[str(window)] = (decision.verdict, broken)
        return Judgement(outcome, verdicts)

    @cached_property
    def _declaration(self) -> Element | None:
        kinds = [t for t in self.catalogue.document_types.values() if t.mapping.has_lineage]
        return rows_of(kinds[0]).declaration if kinds else None

    def wco_id(self, element: str) -> str:
        """The WCO id of an element of the Declaration, written without positions."""
        here = self._declaration
        for step in element.split("/"):
            if step.startswith("@") or here is None:
                break
            here = here.child(step) or here
        return here.wco_id if here is not None else ""

    def row(self, judged: Judgement, element: str) -> str:
        """File and line of the row that makes an element of a document's payload; empty where none is known."""
        document = judged.outcome.document
        if document is None or not document.type.mapping.has_lineage:
            return ""
        found = next((r for t, r in self._rows(judged) if t == element), "")
        return _place(self.root, document.type, found) if found else ""

    def _rows(self, judged: Judgement) -> list[tuple[str, str]]:
        document = judged.outcome.document
        assert document is not None  # noqa: S101 - asked before
        explanation = explain(document, judged.outcome.message.id)
        return [(_plain(origin.target), origin.row) for origin in explanation.lineage]


@dataclass
class Comparison:
    """The sum of all differences between two sides."""

    before: Side
    now: Side
    today: datetime
    documents: int = 0
    changed: int = 0
    elements: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Document type and element, with the number of documents in which it changes."""
    rows: dict[tuple[str, str], str] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: Counter[tuple[str, str]] = field(default_factory=Counter)
    routes: Counter[tuple[str, str]] = field(default_factory=Counter)
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: list[dict[str, Any]] = field(default_factory=list)

    def add(self, item: Item) -> bool:
        """Judge a document on both sides; whether they differ."""
        before, now = self.before.judge(item, self.today), self.now.judge(item, self.today)
        self.documents += 1
        elements = self._elements(before, now)
        kinds = (
            self._count(self.outcomes, [f"{before.word} -> {now.word}"] if before.word != now.word else []),
            self._count(self.findings, _turned(before.codes, now.codes)),
            self._count(self.routes, _routed(before.routes, now.routes)),
            self._count(self.verdicts, _decided(before.verdicts, now.verdicts)),
        )
        if not elements and not any(kinds):
            return False
        self.changed += 1
        if len(self.examples) < EXAMPLES:
            told = [{"element": e, "before": was, "now": is_} for e, was, is_ in elements[:EXAMPLES]]
            self.examples.append({"document": item.origin, "before": before.word, "now": now.word, "elements": told})
        return True

    def _elements(self, before: Judgement, now: Judgement) -> list[tuple[str, str | None, str | None]]:
        """The leaves that differ, and the counts of their elements."""
        was, is_ = _leaves(before.outcome.payload), _leaves(now.outcome.payload)
        if before.outcome.payload is None or now.outcome.payload is None or was == is_:
            return []
        kind = str(now.outcome.document_type)
        found = [(path, was.get(path), is_.get(path)) for path in {**was, **is_} if was.get(path) != is_.get(path)]
        for element in dict.fromkeys(_plain(path) for path, _, _ in found):
            self.elements[kind, element] += 1
            if (kind, element) not in self.rows:
                owner = element.partition("/@")[0]
                row = self.now.row(now, element) or self.now.row(now, owner)
                self.rows[kind, element] = row or self.before.row(before, element) or self.before.row(before, owner)
        return found

    @staticmethod
    def _count(counter: Counter[Any], found: list[Any]) -> bool:
        counter.update(found)
        return bool(found)

    def as_json(self) -> dict[str, Any]:
        """All of it as one object, the most frequent first."""
        return {
            "against": self.before.name,
            "now": self.now.name,
            "today": self.today.date().isoformat(),
            "documents": self.documents,
            "changed": self.changed,
            "elements": [
                {
                    "document_type": kind,
                    "element": element,
                    "wco_id": self.now.wco_id(element),
                    "documents": number,
                    "row": self.rows[kind, element],
                }
                for (kind, element), number in _sorted(self.elements)
            ],
            "outcomes": [{"change": change, "documents": number} for change, number in _sorted(self.outcomes)],
            "findings": [{"code": c, "change": t, "documents": n} for (c, t), n in _sorted(self.findings)],
            "routes": [{"window": w, "change": t, "documents": n} for (w, t), n in _sorted(self.routes)],
            "verdicts": [{"window": w, "change": t, "documents": n} for (w, t), n in _sorted(self.verdicts)],
            "examples": self.examples,
        }

    def lines(self) -> list[str]:
        """The same as people read it."""
        told = self.as_json()
        lines = [
            f"{self.changed} of {self.documents} documents change (against {self.before.name}, on {told['today']})"
        ]
        for one in told["elements"]:
            name = f"{one['element']} ({one['wco_id']})" if one["wco_id"] else one["element"]
            row = f", row {one['row']}" if one["row"] else ""
            lines.append(f"  {name}: {_documents(one['documents'])} of {one['document_type']}{row}")
        for title in ("outcomes", "findings", "routes", "verdicts"):
            if not told[title]:
                lines.append(f"  0 {title}")
            for one in told[title]:
                who = one.get("code") or one.get("window")
                lines.append(f"  {title}: {f'{who}: ' if who else ''}{one['change']}: {_documents(one['documents'])}")
        for example in self.examples:
            lines.append(f"  for instance {example['document']}: {example['before']} -> {example['now']}")
            shown = example["elements"]
            lines += [f"    {one['element']}: {_shown(one['before'])} -> {_shown(one['now'])}" for one in shown]
        return lines


def _documents(number: int) -> str:
    return f"{number} document{'s' if number != 1 else ''}"


def _shown(text: str | None) -> str:
    return "nothing" if text is None else repr(text)


def _leaves(payload: Payload | None) -> dict[str, str]:
    """Every leaf and attribute of a payload's Declaration by its path."""
    found: dict[str, str] = {}
    for element, path in paths(payload.root) if payload is not None else ():
        if len(element) == 0:
            found[path.removeprefix(_DECLARATION)] = (element.text or "").strip()
        found.update({f"{path.removeprefix(_DECLARATION)}/@{n}": str(v) for n, v in _attributes(element)})
    return found


def _attributes(element: etree._Element) -> list[tuple[str, str]]:
    return [(str(name), str(value)) for name, value in element.attrib.items()]


def _plain(path: str) -> str:
    """An element without the positions on the way."""
    return _INDEX.sub("", path.removeprefix(_DECLARATION))


def _turned(before: Counter[str], now: Counter[str]) -> list[tuple[str, str]]:
    return [
        (code, "new" if now[code] > before[code] else "gone") for code in {**before, **now} if before[code] != now[code]
    ]


def _routed(before: dict[str, str], now: dict[str, str]) -> list[tuple[str, str]]:
    """Windows that take it now, or no longer, or by another rule."""
    found = []
    for window in {**before, **now}:
        was, is_ = before.get(window), now.get(window)
        if was != is_:
            found.append((window, f"{was or 'not taken'} -> {is_ or 'not taken'}"))
    return found


def _decided(
    before: dict[str, tuple[str, tuple[str, ...]]], now: dict[str, tuple[str, tuple[str, ...]]]
) -> list[tuple[str, str]]:
    """Verdicts of windows that take it on both sides."""
    found = []
    for window in before.keys() & now.keys():
        (was, broke), (is_, breaks) = before[window], now[window]
        if (was, broke) != (is_, breaks):
            found.append((window, f"{_verdict(was, broke)} -> {_verdict(is_, breaks)}"))
    return sorted(found)


def _verdict(word: str, rules: tuple[str, ...]) -> str:
    return f"{word} ({', '.join(rules)})" if rules else word


def _sorted(counter: Counter[Any]) -> list[tuple[Any, int]]:
    return sorted(counter.items(), key=lambda one: (-one[1], one[0]))


def _place(root: Path, document_type: DocumentType, row: str) -> str:
    try:
        found = next((one for one in uses.every(rows_of(document_type).rows.body) if one.name == row), None)
    except Misconfigured:
        return ""
    return place_of(root, str(document_type.name), found) if found else ""
