"""Writes where values come from: the leaves that gave them and the leaves that decided (the traced twin only)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.mapping.runtime.run import ITSELF

if TYPE_CHECKING:
    from broker.mapping.compiler.bind import PlannedGroup, PlannedRow, Read
    from broker.mapping.compiler.emit import Emitter
    from broker.mapping.compiler.source_tree import Scope
    from broker.model.conditions import Predicate


class OriginWriter:
    """Expressions that name the leaves behind a value."""

    def __init__(self, emit: Emitter) -> None:
        self.emit = emit

    def leaf_pairs(self, row: PlannedRow) -> list[str]:
        return [
            f"*((e, {s.attribute!r}) for e in {s.variable})" if s.many else f"({s.variable}, {s.attribute!r})"
            for s in row.sources
        ]

    def measured(self, row: PlannedRow, i: int) -> str:
        """One source of a row (or each of its elements) with the places of its unit: a tuple of such tuples."""
        source, units = row.sources[i], row.units[i] if row.units else ()
        if not source.many:
            return (
                f"(({source.variable}, {source.attribute!r}), {''.join(f'{self.emit.pair(unit)}, ' for unit in units)})"
            )
        own = "".join(
            f"(e, {unit.attribute!r}), " if unit.variable == source.variable else f"{self.emit.pair(unit)}, "
            for unit in units
        )
        return f"*(((e, {source.attribute!r}), {own}) for e in {source.variable})"

    def all_measured(self, row: PlannedRow) -> list[str]:
        return [self.measured(row, i) for i in range(len(row.sources))]

    def unit_places(self, row: PlannedRow) -> str:
        """The places of the unit of a row whose sources share them."""
        return ", ".join(self.emit.pair(unit) for unit in row.units[0])

    def taken_measured(self, row: PlannedRow, number: int) -> str:
        """The leaf that gave a value, and its unit's, where both stand in one text."""
        return f"run.taken_measured({number}, {', '.join(self.all_measured(row))})"

    def taken(self, row: PlannedRow) -> str:
        """The leaves that gave the value: the first present, or all that were joined or summed."""
        if not row.sources:
            return "()"
        if row.states_unit and row.row.join is None:
            return self.taken_measured(row, row.number)
        if row.states_unit:
            leaves = ", ".join(self.leaf_pairs(row))
            return f"run.all_taken(*run.with_unit(({leaves},), {self.unit_places(row)}))"
        if row.row.join is None and not any(s.many for s in row.sources):
            return f"run.taken({row.number}, {', '.join(self.leaf_pairs(row))})"
        return f"run.all_taken({', '.join(self.leaf_pairs(row))})"

    def deciders(self, row: PlannedRow) -> str:
        """Leaves that decided: read by its condition, by predicates of its paths, or the date that picks an edition."""
        parts = [self.decider(t) for t in row.tests]
        for read in (*row.sources, *row.tests, *(unit for units in row.units for unit in units)):
            if read.capture is not None:
                for up, predicate in read.capture.predicates:
                    if not predicate.position:
                        parts.append(
                            self._predicate(read, f"{up}, {predicate.steps!r}, {predicate.attribute!r}", predicate)
                        )
        if row.units and not row.states_unit:
            parts.append(f"*{self.unit_leaves(row)}")
            if not row.row.unit_default:
                parts += [self.decider(unit) for unit in row.units[0][:1] if len(row.units) == 1 and not unit.many]
        if len(row.sources) > 1 and row.row.join is None:
            parts.append(f"*run.passed({row.number}, {', '.join(self.leaf_pairs(row))})")
        dated = row.row.codes or row.row.map or row.row.unit_codes or row.row.unit_map
        if dated and self.emit.plan.date is not None and self._has_editions(row):
            parts.append(f"*run.leaf({self.emit.one(self.emit.plan.date)}, {self.emit.plan.date.attribute!r})")
        return f"({', '.join(parts)},)" if parts else "()"

    def _predicate(self, read: Read, where: str, predicate: Predicate) -> str:
        """What a predicate read, of every element that it let through; and what it held that against."""
        if predicate.root:
            return f"{self._asked(read, where)}, *run.root_leaf({predicate.root!r})"
        return self._asked(read, where)

    @staticmethod
    def _asked(read: Read, where: str) -> str:
        if read.many:
            return f"*(leaf for e in {read.variable} for leaf in run.predicate(e, {where}))"
        return f"*run.predicate({read.variable}, {where})"

    def decider(self, read: Read) -> str:
        """The leaf that a condition read, or the place where it would have been."""
        home = read.capture.scope.element if read.capture is not None else read.variable
        spelling = str(len(self.emit.plan.absent))
        self.emit.plan.absent[spelling] = read.path
        return f"*run.decider({self.emit.one(read)}, {read.attribute!r}, {home}, {spelling!r})"

    def _has_editions(self, row: PlannedRow) -> bool:
        r = row.row
        names = [name for name in (r.codes, r.map, r.unit_codes, r.unit_map) if name]
        return any(len(self.emit.code_lists[name].editions) > 1 for name in names)

    def note(self, row: PlannedRow, group: PlannedGroup, indent: int) -> None:
        deciders = self.deciders(row)
        if "position" in row.row.transforms:
            leaves = "".join(f" + run.leaf({self.emit.one(s)}, {s.attribute!r})" for s in row.sources)
            before = f" + tuple(p{group.target.number})" if group.chain else ""
            deciders = f"(({row.scope.element}, {ITSELF!r}),){before}{leaves}"
        elif "count" in row.row.transforms:
            deciders = f"run.counted({row.sources[0].variable})"
        apart = {"count", "position"} & set(row.row.transforms)
        taken = "()" if row.is_constant or apart else self.taken(row)
        around = f" + d{group.target.number}" if group.chain else ""
        self.emit.add(indent, f"n{row.number} = ({row.number}, {taken}, {deciders}{around})")

    def unit_leaves(self, row: PlannedRow) -> str:
        """The unit's leaf; of several, that of the source that gave the value."""
        if not row.units:
            return "()"
        if any(source.many for source in row.sources) or row.row.join is not None:
            return f"run.all_units({', '.join(self.all_measured(row))})"
        return f"run.taken_unit({row.number}, {', '.join(self.all_measured(row))})"

    def unit_deciders(self, row: PlannedRow) -> str:
        return f"n{row.number}[1] + n{row.number}[2]"

    def each_deciders(self, scope: Scope) -> list[str]:
        if scope.each is None:
            return []
        depth = len(scope.each.steps)
        return [
            f"*run.predicate({scope.element}, {depth - 1 - i}, {p.steps!r}, {p.attribute!r})"
            for i, step in enumerate(scope.each.steps)
            for p in step.predicates
            if not p.position
        ]
