"""The rows of a mapping laid out over the payload's tree: which row fills which element, out of which captures."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

from broker.mapping.compiler.source_tree import Scope
from broker.mapping.language.rows import Row
from broker.mapping.runtime.transforms import Unfit
from broker.model.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from broker.mapping.compiler.source_tree import Capture, Kind
    from broker.mapping.compiler.target import Element
    from broker.mapping.language.rows import Drop, Group, Rows
    from broker.model.conditions import Condition, Path

MESSAGE_ID = Row(
    "FunctionalReferenceID",
    "FunctionalReferenceID",
    "D026",
    transforms=("message-id",),
    why="the broker's message id: the reference that a window echoes",
)
"""The one row that every mapping has."""
_STEP = re.compile(r"(@?)([A-Za-z]+)(?:\[([^\]]+)\])?")


@dataclass(eq=False, slots=True)
class Target:
    """One element instance of the payload under construction: a leaf with its rows, or a class with children."""

    element: Element
    label: str = ""
    number: str = ""
    mandatory: bool = False
    """No payload is without it."""
    children: list[Target] = field(default_factory=list)
    groups: list[PlannedGroup] = field(default_factory=list)
    rows: list[PlannedRow] = field(default_factory=list)
    attributes: dict[str, list[PlannedRow]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class Read:
    """One place that a row reads: the capture's variable (or the scope's own element) and an attribute of it."""

    variable: str
    attribute: str | None
    many: bool
    capture: Capture | None
    path: Path


@dataclass(frozen=True, eq=False, slots=True)
class PlannedRow:
    """A row, bound: its number, where it reads, which condition it has."""

    number: int
    row: Row
    target: Target
    scope: Scope
    attribute: str = ""
    sources: tuple[Read, ...] = ()
    units: tuple[tuple[Read, ...], ...] = ()
    """For each source the places of its unit, the nearest first."""
    schemes: tuple[Read, ...] = ()
    """The same for the scheme of an identifier."""
    tests: tuple[Read, ...] = ()
    otherwise: PlannedRow | None = None

    @property
    def states_unit(self) -> bool:
        """Its target has no attribute for a unit: the unit stands in the text, after the number."""
        return bool(self.units) and self.target.element.unit_attribute() is None

    @property
    def is_constant(self) -> bool:
        """Its value has no source: it never makes an element appear."""
        return not self.sources


@dataclass(eq=False, slots=True)
class PlannedGroup:
    """A group, bound: the scopes it loops over (outermost first) and the instance it writes each time."""

    number: int
    group: Group
    chain: tuple[tuple[Scope, Group, tuple[Read, ...]], ...]
    target: Target
    rows: list[PlannedRow] = field(default_factory=list)
    groups: list[PlannedGroup] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole mapping, bound to payload schema and source tree."""

    body: PlannedGroup
    scopes: tuple[Scope, ...]
    anywhere: dict[str, Drop]
    entries: tuple[Row | Group, ...]
    """Rows and groups by number, as issues and notes name them."""
    date: Read | None
    absent: dict[str, Path]
    """Paths whose absence may decide, by their spelling."""
    mandatory: frozenset[int] = frozenset()
    """Rows without whose value there is no payload."""
    maxima: dict[int, int] = field(default_factory=dict)
    """Groups of which the payload holds so many and no more."""


def lay_out(rows: Rows, declaration: Element) -> Plan:
    """Bind every row to its element and its source; raises Misconfigured with file and row."""
    return _Planner(rows).plan(declaration)


class _Planner:
    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self._numbers = count()
        self.entries: list[Row | Group] = []
        self.scopes: list[Scope] = []
        self.anywhere: dict[str, Drop] = {}
        self.stack: list[Scope] = []
        """The scopes of the groups around what is being planned, as written: what ``../`` climbs."""

    def name(self, prefix: str) -> str:
        return f"{prefix}{next(self._numbers)}"

    def fail(self, where: str, sentence: str) -> Misconfigured:
        return Misconfigured(f"{self.rows.file}: {where}: {sentence}")

    def plan(self, declaration: Element) -> Plan:
        document = Scope(self.name)
        self.scopes.append(document)
        self.stack.append(document)
        group = replace(self.rows.body, rows=(MESSAGE_ID, *self.rows.body.rows))
        body = PlannedGroup(self._enter(group), group, (), Target(declaration, number=self.name("o"), mandatory=True))
        date = self.read(self.rows.date, "date", "first", "date") if self.rows.date else None
        self._open(group)
        self._group(body, document)
        return Plan(
            body,
            tuple(self.scopes),
            self.anywhere,
            tuple(self.entries),
            date,
            {},
            frozenset(_mandatory(body)),
            {group.number: most for group in _groups(body) if (most := group.target.element.maximum) is not None},
        )

    def _enter(self, entry: Row | Group) -> int:
        self.entries.append(entry)
        return len(self.entries) - 1

    def _open(self, group: Group) -> None:
        """Open every scope first: what repeats must be known before anything is read below it."""
        for sub in group.groups:
            where = f"group {sub.name or sub.each.text}"
            try:
                inner = self._outer(sub.each, where).open(sub.each)
            except ValueError as error:
                raise self.fail(where, str(error)) from None
            if inner not in self.scopes:
                self.scopes.append(inner)
            self.stack.append(inner)
            self._open(sub)
            self.stack.pop()

    def _group(self, planned: PlannedGroup, scope: Scope) -> None:
        self._drops(planned.group)
        for row in planned.group.rows:
            planned.rows.append(self._row(row, scope, planned.target))
        planned.rows.sort(key=lambda bound: bool(bound.attribute))  # an attribute needs its element's value first
        for group in planned.group.groups:
            self._subgroup(planned, group, ())

    def _subgroup(
        self, parent: PlannedGroup, group: Group, chain: tuple[tuple[Scope, Group, tuple[Read, ...]], ...]
    ) -> None:
        where = f"group {group.name or group.each.text}"
        inner = self._outer(group.each, where).open(group.each)
        self.stack.append(inner)
        chain = (*chain, (inner, group, self._tests(group.when, where)))
        if group.to:
            self._repeat(parent, group, chain, where)
        else:
            self._drops(group)
            for sub in group.groups:
                self._subgroup(parent, sub, chain)
        self.stack.pop()

    def _repeat(
        self, parent: PlannedGroup, group: Group, chain: tuple[tuple[Scope, Group, tuple[Read, ...]], ...], where: str
    ) -> None:
        *path, last = group.to.split("/")
        holder = self._descend(parent.target, path, where)
        element = holder.element.child(last)
        if element is None:
            raise self._no_element(holder, last, where)
        if not element.repeats and element.is_leaf:
            raise self.fail(where, f"{last} does not repeat")
        target = Target(element, number=self.name("o"), mandatory=holder.mandatory and element.minimum > 0)
        planned = PlannedGroup(self._enter(group), group, chain, target)
        holder.groups.append(planned)
        parent.groups.append(planned)
        self._group(planned, chain[-1][0])

    def _drops(self, group: Group) -> None:
        for drop in group.drops:
            if drop.path is None:
                self.anywhere[drop.anywhere] = drop
                continue
            for node in self._outer(drop.path, drop.name).nodes(drop.path):
                if drop.path.attribute:
                    node.dropped_attributes[drop.path.attribute] = drop
                else:
                    node.drop = drop

    def _outer(self, path: Path, where: str) -> Scope:
        """The scope that a path starts from."""
        if path.up >= len(self.stack):
            raise self.fail(where, f"{path.text}: ../ climbs out of the document")
        return self.stack[0] if path.up < 0 else self.stack[-1 - path.up]

    def _row(self, row: Row, scope: Scope, within: Target) -> PlannedRow:
        where = f"row {row.name}"
        *path, last = row.to.split("/")
        attribute = ""
        if last.startswith("@"):
            attribute, last = last[1:], path.pop() if path else ""
        target = self._descend(within, [*path, last], where)
        self._check(row, target, attribute, where)
        if "position" in row.transforms and row.sources and not row.sources[0].steps:
            return self._ordinal(row, target, attribute, where)
        several = "sum" in row.transforms or "count" in row.transforms or row.join is not None
        kind: Kind = "all" if several else "first"
        use = "" if "count" in row.transforms else "condition" if "position" in row.transforms else "row"
        sources = tuple(self.read(p, use, kind, row.name) for p in row.sources)
        units = self._units(row, kind)
        schemes = self._relative(row.scheme, row, "", kind)
        tests = self._tests(row.when, where)
        number = self._enter(row)
        if kind == "first":
            for source in (*sources, *(unit for one in units for unit in one)):
                if source.capture is not None:
                    source.capture.readers.append((number, source.attribute))
        otherwise = None
        if row.otherwise:
            other = replace(
                row, name=f"{row.name} (otherwise)", to=row.otherwise, id="", otherwise="", required=False, when=None,
                unit=(), several="", transforms=("fold",) if "fold" in row.transforms else (), codes="", map="",
                default=None, scheme=None, identifier="",
            )  # fmt: skip
            otherwise = self._row(other, scope, within)
        bound = PlannedRow(number, row, target, scope, attribute, sources, units, schemes, tests, otherwise)
        if attribute:
            target.attributes.setdefault(attribute, []).append(bound)
        else:
            target.rows.append(bound)
        return bound

    def _ordinal(self, row: Row, target: Target, attribute: str, where: str) -> PlannedRow:
        """``from = ".."`` with ``position``: the ordinal of the enclosing group's element."""
        home = self._outer(row.sources[0], where)
        bound = PlannedRow(self._enter(replace(row, sources=())), row, target, home, attribute)
        (target.attributes.setdefault(attribute, []) if attribute else target.rows).append(bound)
        return bound

    def _units(self, row: Row, kind: Kind) -> tuple[tuple[Read, ...], ...]:
        """For each source the places of its unit: ``@x`` hangs on the source element, anything else on the scope."""
        places = [self._relative(path, row, "row", kind) for path in row.unit]
        return tuple(
            tuple(reads[min(i, len(reads) - 1)] for reads in places) for i in range(len(row.sources) if places else 0)
        )

    def _relative(self, path: Path | None, row: Row, use: str, kind: Kind) -> tuple[Read, ...]:
        """A unit or scheme: ``@x`` hangs on each of the row's source elements, anything else on the scope."""
        if path is None:
            return ()
        if path.attribute and not path.steps and not path.up and row.sources:
            here = [replace(source, attribute=path.attribute) for source in row.sources]
            return tuple(self.read(one, use, kind, row.name) for one in here)
        return (self.read(path, use, "first", row.name),)

    def read(self, path: Path, use: str, kind: Kind, row: str) -> Read:
        """Enter a path into the tree; ``use``: ``row`` carries it, anything else but empty only decides by it."""
        home = self._outer(path, f"row {row}")
        nodes = home.nodes(path)
        for node in nodes:
            if path.attribute:
                if use:
                    node.attributes.setdefault(path.attribute, row)
                if use == "row":
                    node.carried_attributes.add(path.attribute)
            elif use == "row":
                node.reads_text = True
            elif use:
                node.decides = node.decides or row
        attribute = path.attribute or None
        if not path.steps:
            return Read(home.element, attribute, False, None, path)
        capture = home.capture(path, kind)
        return Read(capture.variable, attribute, kind == "all", capture, path)

    def _tests(self, condition: Condition | None, where: str) -> tuple[Read, ...]:
        if condition is None:
            return ()
        row = where.split(" ", 1)[1]
        return tuple(self.read(path, "condition", "first", row) for test in condition.tests() for path in test.paths())

    def _descend(self, target: Target, path: list[str], where: str) -> Target:
        for step in path:
            match = _STEP.fullmatch(step)
            if match is None or match[1]:
                raise self.fail(where, f"{step!r} is no element name")
            element = target.element.child(match[2])
            if element is None:
                raise self._no_element(target, match[2], where)
            label = match[3] or ""
            found = next((c for c in target.children if c.element.name == match[2] and c.label == label), None)
            if found is None:
                found = Target(element, label, self.name("o"), target.mandatory and element.minimum > 0)
                target.children.append(found)
                same = sum(1 for c in target.children if c.element.name == match[2])
                if element.maximum is not None and same > element.maximum:
                    raise self.fail(where, f"{match[2]} may stand {element.maximum} times in {target.element.name}")
            target = found
        return target

    def _no_element(self, target: Target, name: str, where: str) -> Misconfigured:
        known = ", ".join(target.element.type.children) or "none, it is a value"
        return self.fail(where, f"{target.element.name} has no element {name}; it has: {known}")

    def _check(self, row: Row, target: Target, attribute: str, where: str) -> None:
        element = target.element
        if not element.is_leaf and not element.is_date_time:
            raise self.fail(where, f"{element.name} is a class, not a value: go on to one of its elements")
        if attribute:
            if attribute not in element.type.attributes:
                raise self.fail(where, f"{element.name} has no attribute {attribute}")
            return
        if row.id and row.id != (element.wco_id or "-"):
            raise self.fail(where, f"the WCO id of {element.name} is {element.wco_id or '-'}, not {row.id}")
        if row.unit and element.unit_attribute() is None and not _is_text(element):
            raise self.fail(where, f"{element.name} is not measured in anything: `unit` has no place")
        for constant in (row.value, row.default):
            if constant is not None and element.type.content is not None:
                try:
                    element.type.content.checker()(constant)
                except Unfit as unfit:
                    raise self.fail(where, f"{constant!r} does not fit {element.name}: {unfit.reason}") from None


def _is_text(element: Element) -> bool:
    return element.type.content is not None and not element.type.content.is_number


def _mandatory(group: PlannedGroup) -> Iterator[int]:
    """The numbers of rows whose target no payload is without; not of one that another row may read in its place."""
    for row in group.rows:
        later = row.target.rows[row.target.rows.index(row) + 1 :] if row in row.target.rows else []
        if row.target.mandatory and not row.attribute and not any(shares(row, other) for other in later):
            yield row.number
    for inner in group.groups:
        yield from _mandatory(inner)


def _groups(group: PlannedGroup) -> Iterator[PlannedGroup]:
    for inner in group.groups:
        yield inner
        yield from _groups(inner)


def shares(row: PlannedRow, other: PlannedRow) -> bool:
    """Whether two rows read one place: what the one does not understand, the other may."""
    places = {(source.variable, source.attribute) for source in row.sources}
    return any((source.variable, source.attribute) in places for source in other.sources)
