"""Writes where values come from: the leaves that gave them and the leaves that decided (the traced twin only)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.mapping.runtime.run import ITSELF

if TYPE_CHECKING:
    from broker.mapping.compiler.bind import PlannedGroup, PlannedRow, Read
    from broker.mapping.compiler.emit import Emitter
    from broker.mapping.compiler.source_tree import Scope


class OriginWriter:
    """Expressions that name the leaves behind a value."""

    def __init__(self, emit: Emitter) -> None:
        self.emit = emit

    def leaf_pairs(self, row: PlannedRow) -> list[str]:
        return [
            f"*((e, {s.attribute!r}) for e in {s.variable})" if s.many else f"({s.variable}, {s.attribute!r})"
            for s in row.sources
        ]

    def taken(self, row: PlannedRow) -> str:
        """The leaves that gave the value: the first present, or all that were joined or summed."""
        if not row.sources:
            return "()"
        if row.row.join is None and not any(s.many for s in row.sources):
            return f"run.taken({row.number}, {', '.join(self.leaf_pairs(row))})"
        return f"run.all_taken({', '.join(self.leaf_pairs(row))})"

    def deciders(self, row: PlannedRow) -> str:
        """Leaves that decided: read by its condition, by predicates of its paths, or the date that picks an edition."""
        parts = [self.decider(t) for t in row.tests]
        for read in (*row.sources, *row.tests, *row.units):
            if read.capture is not None:
                for up, predicate in read.capture.predicates:
                    if not predicate.position:
                        element = self.emit.one(read)
                        parts.append(f"*run.predicate({element}, {up}, {predicate.steps!r}, {predicate.attribute!r})")
        if len(row.units) == 1:
            parts.append(self.decider(row.units[0]))
        elif row.units:
            parts.append(f"*{self.unit_leaves(row)}")
        if len(row.sources) > 1 and row.row.join is None:
            parts.append(f"*run.passed({row.number}, {', '.join(self.leaf_pairs(row))})")
        dated = row.row.codes or row.row.map or row.row.unit_codes or row.row.unit_map
        if dated and self.emit.plan.date is not None and self._has_editions(row):
            parts.append(f"*run.leaf({self.emit.one(self.emit.plan.date)}, {self.emit.plan.date.attribute!r})")
        return f"({', '.join(parts)},)" if parts else "()"

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
        if len(row.units) == 1:
            return f"run.leaf({self.emit.one(row.units[0])}, {row.units[0].attribute!r})"
        pairs = [
            f"(({s.variable}, {s.attribute!r}), ({self.emit.one(u)}, {u.attribute!r}))"
            for s, u in zip(row.sources, row.units, strict=True)
        ]
        return f"run.taken_with({row.number}, {', '.join(pairs)})"

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
