"""Writes one variable for each row: its value out of what the walk captured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.mapping.compiler.bind import shares
from broker.mapping.compiler.conversions import converter, unit_converter
from broker.model.errors import Misconfigured

if TYPE_CHECKING:
    from broker.mapping.compiler.bind import PlannedGroup, PlannedRow, Read, Target
    from broker.mapping.compiler.emit import Emitter
    from broker.mapping.compiler.origins import OriginWriter
    from broker.model.conditions import Condition


class Values:
    """The statements that give every row of a frame its value."""

    def __init__(self, emit: Emitter, origins: OriginWriter) -> None:
        self.emit = emit
        self.origins = origins

    def row(self, row: PlannedRow, group: PlannedGroup, indent: int) -> None:
        """The row's value; ``f``: it was there and not understood, ``k``: it was there, ``n``: where it came from."""
        n, r = row.number, row.row
        alternatives = row.target.attributes[row.attribute] if row.attribute else row.target.rows
        at = alternatives.index(row)
        barring = any(bars(row, other) for other in alternatives[at + 1 :])
        self.emit.add(indent, f"t{n} = ''  # {r.name}")
        if r.unit or r.unit_default:
            self.emit.add(indent, f"u{n} = ''")
        if barring:
            self.emit.add(indent, f"f{n} = False")
        if self.emit.traced:
            self.emit.add(indent, f"n{n} = None")
        conditions = self._conditions(row, alternatives[:at])
        inner = indent
        if conditions:
            self.emit.add(indent, f"if {' and '.join(conditions)}:")
            inner += 1
        if barring or r.default is not None or r.required or len(row.sources) > 1:
            self.emit.add(inner, f"b{n} = len(run.issues)")
        self._value(row, group, inner)
        if barring:
            self.emit.add(inner, f"f{n} = not t{n} and len(run.issues) > b{n}")
        if self.emit.traced:
            self.origins.note(row, group, inner)
        self._absent(row, inner)
        if r.default is not None and conditions:
            self.emit.add(indent, f"else: k{n} = ''")

    def _conditions(self, row: PlannedRow, before: list[PlannedRow]) -> list[str]:
        """No row of the target before it gave a value, or had one that it did not understand; its own ``when``."""
        found = [f"not t{other.number}" for other in before]
        found += [f"not f{other.number}" for other in before if bars(other, row)]
        if row.attribute:
            found.append(variable(row.target))
        if row.row.when:
            found.append(self.condition(row.row.when, row.tests))
        return found

    def _absent(self, row: PlannedRow, indent: int) -> None:
        """A default, or a finding, where the source says nothing; not where it says what is not understood."""
        n = row.number
        nothing = f"not t{n} and len(run.issues) == b{n}"
        if row.row.default is not None:
            self.emit.add(indent, f"k{n} = t{n}")
            self.emit.add(indent, f"if {nothing}: t{n} = {row.row.default!r}")
        if row.row.required:
            self.emit.add(indent, f"if {nothing}: run.missing.append(({n}, {row.scope.element}))")

    def _value(self, row: PlannedRow, group: PlannedGroup, indent: int) -> None:
        n, r = row.number, row.row
        if "message-id" in r.transforms:
            self.emit.add(indent, f"t{n} = message_id")
        elif "position" in r.transforms:
            self._position(row, group, indent)
        elif row.is_constant:
            self.emit.add(indent, f"t{n} = {(r.value or '')!r}")
        elif "count" in r.transforms:
            self.emit.add(indent, f"t{n} = str(len({row.sources[0].variable}) or '')")
        else:
            self._sources(row, indent)

    def _position(self, row: PlannedRow, group: PlannedGroup, indent: int) -> None:
        """The ordinal of the group's element over all groups of this target, or of an enclosing group's element."""
        n, r, innermost = row.number, row.row, group.chain[-1][0] if group.chain else None
        ordinal = f"q{group.target.number}" if row.scope is innermost else f"i{row.scope.element}"
        for source in row.sources:
            self.emit.add(indent, f"{self.emit.operand(source)}")
        convert = self.emit.constant("C", converter(r, row.target.element.type.content, self.emit.code_lists))
        self.emit.add(indent, f"t{n} = run.ordinal({convert}, {ordinal}, {row.scope.element}, {n})")

    def _sources(self, row: PlannedRow, indent: int) -> None:
        n, r, element = row.number, row.row, row.target.element
        content = element.type.attributes[row.attribute].type if row.attribute else element.type.content
        convert = self.emit.constant("C", converter(r, content, self.emit.code_lists))
        if "sum" in r.transforms:
            self.emit.add(indent, f"t{n} = run.sum({convert}, {' + '.join(s.variable for s in row.sources)}, {n})")
        elif r.join is not None:
            leaves = ", ".join(self.origins.leaf_pairs(row))
            present = (s.variable if s.many else f"{s.variable} is not None" for s in row.sources)
            self.emit.add(indent, f"if {' or '.join(present)}:")
            if row.states_unit:
                leaves = f"*run.with_unit(({leaves},), {self.origins.unit_places(row)})"
            self.emit.add(indent + 1, f"t{n} = run.joined({convert}, ({leaves},), {r.join!r}, {n})")
        else:
            self._first_present(row, convert, indent)
        if "sum" in r.transforms or r.join is not None:
            self._unit_of_all(row, indent)
        self._unit_needed(row, indent)
        if row.otherwise is not None and "fold" in r.transforms:
            m = row.otherwise.number
            self.emit.add(indent, f"t{n}, t{m} = run.parted(t{n}, {target_size(row)})")
            if self.emit.traced:
                self.emit.add(indent, f"n{m} = ({m}, {self.origins.taken(row)}, {self.origins.deciders(row)})")
        elif row.otherwise is not None:
            self._otherwise(row, row.otherwise, indent)

    def _first_present(self, row: PlannedRow, convert: str, indent: int) -> None:
        """The first source that has a value decides, also where its value does not fit."""
        n = row.number
        for i, source in enumerate(row.sources):
            test = f"not t{n} and len(run.issues) == b{n} and " if i else ""
            self.emit.add(indent, f"if {test}{source.variable} is not None:")
            if row.states_unit:
                held = f"run.pairs({self.origins.measured(row, i)})"
                self.emit.add(indent + 1, f"t{n} = run.joined({convert}, {held}, ' ', {n})")
                continue
            self.emit.add(indent + 1, f"t{n} = value({convert}, {source.variable}, {source.attribute!r}, {n})")
            self._identify(row, source, row.schemes[min(i, len(row.schemes) - 1)] if row.schemes else None, indent + 1)
            if (row.units or row.row.unit_default) and not row.attribute:
                places = "".join(f", {self.emit.pair(unit)}" for unit in (row.units[i] if row.units else ()))
                self.emit.add(indent + 1, f"if t{n}: u{n} = run.unit({self._unit_arguments(row)}{places})")

    def _identify(self, row: PlannedRow, source: Read, scheme: Read | None, indent: int) -> None:
        """Check an identifier by the scheme that its row names or reads."""
        n, r = row.number, row.row
        if r.identifier or scheme is not None:
            self.emit.identifiers.ensure(r.identifier, r.scheme_list)
            known = self.emit.constant("I", self.emit.identifiers)
            named = f"{known}.kind_of({r.scheme_list!r}, {self.emit.operand(scheme)})" if scheme else "''"
            self.emit.add(
                indent,
                f"if t{n}: run.identify({known}, {source.variable}, {source.attribute!r}, t{n}, "
                f"{repr(r.identifier) if r.identifier else named}, {n})",
            )

    def _unit_arguments(self, row: PlannedRow) -> str:
        """How a unit is understood, what it is where nothing says it, and for which row."""
        attribute = row.target.element.unit_attribute()
        if attribute is None:
            raise Misconfigured(f"row {row.row.name}: {row.target.element.name} is not measured in anything")
        convert = self.emit.constant("U", unit_converter(row.row, attribute.type, self.emit.code_lists))
        return f"{convert}, {row.row.unit_default!r}, {row.number}"

    def _unit_of_all(self, row: PlannedRow, indent: int) -> None:
        """One unit for all that is summed or joined: different ones are no sum."""
        n = row.number
        if not (row.units or row.row.unit_default) or row.attribute or row.states_unit:
            return
        measured = ", ".join(self.origins.measured(row, i) for i in range(len(row.sources)))
        self.emit.add(indent, f"if t{n}: u{n} = run.one_unit({self._unit_arguments(row)}, {measured})")

    def _unit_needed(self, row: PlannedRow, indent: int) -> None:
        n, attribute = row.number, row.target.element.unit_attribute()
        if attribute is not None and (row.units or row.row.unit_default) and not row.attribute:
            leaves = ", ".join(self.origins.leaf_pairs(row))
            self.emit.add(indent, f"if t{n} and not u{n}:")
            self.emit.add(indent + 1, f"run.lost({n}, 'its {attribute.name} is missing', {leaves}); t{n} = ''")

    def _otherwise(self, row: PlannedRow, other: PlannedRow, indent: int) -> None:
        """Where a value goes that does not fit: whole, and with its unit."""
        n, m = row.number, other.number
        served = other.target.rows[: other.target.rows.index(other)]
        vacant = "".join(f"not t{earlier.number} and " for earlier in served)
        convert = self.emit.constant("C", converter(other.row, other.target.element.type.content, self.emit.code_lists))
        moved = f"run.moved({n}, {other.row.to!r}, run.pairs({', '.join(self.origins.all_measured(row))}))"
        if row.row.join is not None:
            leaves = ", ".join(self.origins.leaf_pairs(row))
            self.emit.add(indent, f"if {vacant}not t{n} and run.failed({n}):")
            self.emit.add(indent + 1, f"t{m} = run.joined({convert}, ({leaves},), {row.row.join!r}, {m})")
        else:
            self.emit.add(indent, f"if {vacant}not t{n}:")
        for i, source in enumerate(row.sources if row.row.join is None else ()):
            test = f"not t{m} and " if i else ""
            self.emit.add(indent + 1, f"if {test}{source.variable} is not None and run.failed({n}):")
            if row.units:
                held = f"run.pairs({self.origins.measured(row, i)})"
                self.emit.add(indent + 2, f"t{m} = run.joined({convert}, {held}, ' ', {m})")
            else:
                self.emit.add(indent + 2, f"t{m} = value({convert}, {source.variable}, {source.attribute!r}, {m})")
        self.emit.add(indent + 1, f"if t{m}: {moved}")
        if self.emit.traced:
            taken = (
                self.origins.taken_measured(row, m) if row.units and row.row.join is None else self.origins.taken(other)
            )
            self.emit.add(indent + 1, f"if t{m}: n{m} = ({m}, {taken}, {self.origins.deciders(row)})")

    def declare_otherwise(self, group: PlannedGroup, indent: int) -> None:
        for row in group.rows:
            if row.otherwise is not None:
                self.emit.add(
                    indent,
                    f"t{row.otherwise.number} = ''" + (f"; n{row.otherwise.number} = None" if self.emit.traced else ""),
                )

    def condition(self, condition: Condition, reads: tuple[Read, ...]) -> str:
        pending = list(reads)

        def text(part: Condition) -> str:
            if part.test is not None:
                read = pending.pop(0)
                found = self.emit.operand(read)
                match part.test.operator:
                    case "exists":
                        return f"{found} != ''"
                    case "matches":
                        return f"fullmatch({part.test.value!r}, {found})"
                    case "in-list":
                        if part.test.value not in self.emit.code_lists:
                            raise Misconfigured(f"condition {part.test.path.text}: no code list {part.test.value}")
                        codes = self.emit.constant("L", self.emit.code_lists[part.test.value])
                        return f"run.listed({codes}, {found})"
                    case operator if part.test.other is not None:
                        same = f"run.same({found}, {self.emit.operand(pending.pop(0))})"
                        return same if operator == "=" else f"not {same}"
                    case operator:
                        return f"{found} {'==' if operator == '=' else '!='} {part.test.value!r}"
            inner = [text(p) for p in part.parts]
            return f"not ({inner[0]})" if part.operator == "not" else f"({f' {part.operator} '.join(inner)})"

        return text(condition)


def target_size(row: PlannedRow) -> int:
    """How long a piece of a folded text may be."""
    content = row.target.element.type.content
    return (content.max_length if content else None) or 512


def variable(target: Target) -> str:
    """The variable of the generated code for what stands at a target: the value of a leaf, the text of a class."""
    if target.element.is_leaf or target.element.is_date_time:
        rows = [f"t{row.number}" for row in target.rows]
        return rows[0] if len(rows) == 1 else f"({' or '.join(rows)})"
    return target.number


def bars(row: PlannedRow, other: PlannedRow) -> bool:
    """Whether a value that ``row`` did not understand keeps ``other`` from giving another: unless both read it."""
    return bool(row.sources) and not shares(row, other)
