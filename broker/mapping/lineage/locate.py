"""The way back: from a place in a payload to the places of the sender's document behind it."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cached_property
from typing import TYPE_CHECKING

from broker.content.xml import line_of, pointers
from broker.mapping.language.rows import Row
from broker.mapping.lineage.absent import MEANT, expected
from broker.mapping.lineage.origins import Source
from broker.mapping.mapping import rows_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from lxml import etree

    from broker.mapping.lineage.annotations import AnnotatedLeaf
    from broker.mapping.lineage.explain import Explanation
    from broker.mapping.lineage.origins import Place

_STEP = re.compile(r"@?([^\[\]/@]+)(?:\[(\d+)\])?")


class Locator:
    """Finds the sender's side of places in a payload."""

    def __init__(self, explanation: Explanation) -> None:
        self.explanation = explanation
        found = explanation.annotations
        self.instances, self.places = found.instances, found.places
        self._leaves = {leaf.target: leaf for leaf in found.leaves}
        self._targets = sorted(self._leaves)
        self._found: dict[str, tuple[Source, ...]] = {}

    def locate(self, target: str) -> tuple[Source, ...]:
        """See :meth:`Explanation.locate`; asked again for the same place, the same answer at no cost."""
        if target not in self._found:
            self._found[target] = self._locate(target)
        return self._found[target]

    def _locate(self, target: str) -> tuple[Source, ...]:
        meant = MEANT.search(target)
        if meant is not None:
            above = _canonical(target[: meant.start()].rpartition("/")[0], self.places)
            below = target[: meant.start()].rpartition("/")[2]
            return self._expected(f"{above}/{below}{target[meant.start() :]}")
        target = _canonical(target, self.places)
        if target in self._leaves:
            origin = self.explanation.origin(self._leaves[target])
            if origin.behind:
                return origin.sources or origin.deciders
        return self._class(target) or self._expected(target)

    def holding(self, target: str) -> tuple[Source, ...]:
        """The element that holds everything behind the occurrences of a repeated class, whichever of them is meant."""
        one = re.compile(rf"{re.escape(target)}(\[\d+\])?")
        homes = [self._source(path) for path in self.instances if one.fullmatch(path)]
        if not homes:
            return self.locate(target.rpartition("/")[0])
        path = _shared([s._replace(path=s.path.rpartition("/")[0]) for s in homes]).path
        element = self._elements.get(path)
        line = None if element is None else line_of(element, self.explanation.document.line_offset)
        return (Source(path, line, None),)

    def _class(self, target: str) -> tuple[Source, ...]:
        """The source element behind a class of the payload: its group's, or what all of its own sources share."""
        if target in self.instances:
            return (self._source(target),)
        below = [source for leaf in self._below(target) for source in self.explanation.origin(leaf).behind]
        if not below:
            return ()
        home = self._instance(target)
        inside = [s for s in below if home is None or s.path.startswith(f"{home.path}/")] or below
        return (_shared(inside),)

    def _below(self, target: str) -> Iterator[AnnotatedLeaf]:
        """The leaves of a class, found without looking at all the others."""
        for number in range(bisect_left(self._targets, f"{target}/"), len(self._targets)):
            if not self._targets[number].startswith(f"{target}/"):
                return
            yield self._leaves[self._targets[number]]

    def _source(self, path: str) -> Source:
        found = self.explanation.instance(path)
        assert found is not None  # noqa: S101 - asked for paths of instances alone
        return found

    def _instance(self, target: str) -> Source | None:
        """The source element of the nearest group instance at or above a place."""
        above = target
        while above:
            if above in self.instances:
                return self._source(above)
            above = above.rpartition("/")[0]
        return None

    def _expected(self, target: str) -> tuple[Source, ...]:
        """Where the value would have to stand: the row's own path below what exists; else what is around it."""
        plain = _plain(target)
        document = self.explanation.document
        if misfit := self._misfit(plain, target):
            return (misfit,)
        found = expected(rows_of(document.type).rows.body, plain, self._around(target), document.root)
        if found is not None:
            element, path, label = found
            return (Source(path, line_of(element, document.line_offset), None, label),)
        entries = rows_of(document.type).plan.entries
        row = next((e for e in entries if isinstance(e, Row) and e.sources and _unlabelled(e.name) == plain), None)
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

    def _misfit(self, plain: str, target: str) -> Source | None:
        """The value that a row read for this place and could not carry: it is there, and was not understood."""
        found = self._misfits.get((plain, next(iter(self._around(target).values()), None)))
        return None if found is None else self.explanation.source(found[1], found[0])

    @cached_property
    def _misfits(self) -> dict[tuple[str, etree._Element | None], tuple[Row, Place]]:
        """The first for each plain path of a row, below each element of the document and in all of it (None)."""
        found: dict[tuple[str, etree._Element | None], tuple[Row, Place]] = {}
        for row, leaf in self.explanation.misfits():
            plain, element = _unlabelled(row.name), leaf[0]
            for at in (None, element, *element.iterancestors()):
                found.setdefault((plain, at), (row, leaf))
        return found

    def _around(self, target: str) -> dict[str, etree._Element]:
        """The source elements of the group instances at or above a place, by their plain paths."""
        found = {}
        above = target
        while above:
            if above in self.instances and (path := self._source(above).path) in self._elements:
                found[_plain(above)] = self._elements[path]
            above = above.rpartition("/")[0]
        return found

    @cached_property
    def _elements(self) -> dict[str, etree._Element]:
        """The elements of the document by their pointers."""
        return {path: element for element, path in pointers(self.explanation.document.root).items()}


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


def _canonical(target: str, places: Collection[str]) -> str:
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
        path = numbered if numbered in places else step
        if number and number != "1" and path == step:
            path = numbered
    return path
