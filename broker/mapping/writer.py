"""Writes a plan as one Python function that reads the source once and returns the payload's text.

The same writer gives the traced twin: equal but for processing instructions that name the origin of every leaf.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from broker.errors import Misconfigured
from broker.mapping.pipeline import converter, unit_converter
from broker.mapping.plan import PlannedGroup
from broker.mapping.run import escape, escape_attribute
from broker.mapping.scope import WalkWriter
from broker.mapping.transforms import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from broker.mapping.paths import Condition
    from broker.mapping.plan import Plan, PlannedRow, Read, Target
    from broker.mapping.scope import Scope

_METADATA = "urn:wco:datamodel:WCO:DocumentMetaData-DMS:2"
MAX_PAYLOAD = 32 * 1024 * 1024
"""Characters of one payload: groups inside groups multiply, and a document must not become a bomb."""
HEADER: tuple[tuple[str, str], ...] = (("WCODataModelVersionCode", "3.6"), ("WCOTypeName", "DEC"))
"""What every payload's MetaData says of it."""


@dataclass(frozen=True, slots=True)
class Code:
    """A compiled mapping: the function, and its source for whoever wants to read it."""

    source: str
    translate: Callable[[Any, str, Any], str]


def write(plan: Plan, code_lists: Mapping[str, Any], *, traced: bool) -> Code:
    """Compile a plan; raises Misconfigured where a row cannot work."""
    return _Writer(plan, code_lists, traced=traced).compile()


class _Writer:
    def __init__(self, plan: Plan, code_lists: Mapping[str, Any], *, traced: bool) -> None:
        self.plan = plan
        self.code_lists = code_lists
        self.traced = traced
        self.lines: list[str] = []
        self.around: list[str] = []
        """The groups around what is being written."""
        self.constants: dict[str, object] = {"esc": escape, "quoted": escape_attribute, "fold": fold}

    def constant(self, prefix: str, value: object) -> str:
        """The name of a value in the generated module; equal values share one."""
        for name, known in self.constants.items():
            if name.startswith(prefix) and type(known) is type(value) and known == value:
                return name
        name = f"{prefix}{len(self.constants)}"
        self.constants[name] = value
        return name

    def compile(self) -> Code:
        for scope in self.plan.scopes:
            self.lines += [*WalkWriter(scope, self.plan.anywhere, self.constant).write(), "", ""]
        document, body = self.plan.scopes[0], self.plan.body
        self._add(0, f"def translate({document.element}, message_id, run):")
        self._add(1, "value = run.value; text = run.text")
        self._enter(document, document.element, 1)
        if self.plan.date is not None:
            self._add(1, f"run.dated({self._operand(self.plan.date)})")
        self._frame(body, document, 1, is_root=True)
        self._add(1, f"return {self._envelope(body.target.number)}")
        source = "\n".join(self.lines) + "\n"
        space = dict(self.constants)
        exec(compile(source, f"<mapping {self.plan.body.number}>", "exec"), space)  # noqa: S102  (our own text)
        return Code(source, space["translate"])  # type: ignore[arg-type]

    def _add(self, indent: int, line: str) -> None:
        self.lines.append("    " * indent + line)

    def _envelope(self, body: str) -> str:
        head = "".join(f"<{name}>{self._engine_mark()}{value}</{name}>" for name, value in HEADER)
        return f"{f'<MetaData xmlns={chr(34)}{_METADATA}{chr(34)}>{head}'!r} + {body} + '</MetaData>'"

    def _engine_mark(self) -> str:
        return "<?swb engine ?>" if self.traced else ""

    def _enter(self, scope: Scope, element: str, indent: int) -> None:
        """Walk a scope, and every scope directly inside it."""
        names = [c.variable for c in scope.captures.values()]
        walked = f"{scope.walk}({element}, run)"
        self._add(indent, f"{', '.join(names)}{',' if names else ''} = {walked}" if names else walked)
        self._enter_inner(scope, indent)

    def _enter_inner(self, scope: Scope, indent: int) -> None:
        for inner in scope.scopes.values():
            each = next(
                c for c in scope.captures.values() if c.kind == "each" and inner is scope.scopes[repr(c.path.steps)]
            )
            self._add(indent, f"{inner.walk}s = [(e, {inner.walk}(e, run)) for e in {each.variable}]")

    # rows: one variable each

    def _frame(self, group: PlannedGroup, scope: Scope, indent: int, *, is_root: bool = False) -> None:
        """Everything of one instance: its values, its repeating parts, then its text."""
        self._declare_otherwise(group, indent)
        for row in group.rows:
            self._row(row, group, indent)
        for inner in group.groups:
            self._loop(inner, indent)
        self._assemble(group.target, indent, is_root=is_root, each="" if is_root else scope.element)

    def _row(self, row: PlannedRow, group: PlannedGroup, indent: int) -> None:
        n, r = row.number, row.row
        alternatives = row.target.attributes[row.attribute] if row.attribute else row.target.rows
        earlier = [f"not t{other.number}" for other in alternatives[: alternatives.index(row)]]
        if row.attribute:
            earlier.append(self._variable(row.target))
        self._add(indent, f"t{n} = ''  # {r.name}")
        if r.unit is not None or r.unit_default:
            self._add(indent, f"u{n} = ''")
        if self.traced:
            self._add(indent, f"n{n} = None")
        conditions = earlier + ([self._condition(r.when, row.tests)] if r.when else [])
        inner = indent
        if conditions:
            self._add(indent, f"if {' and '.join(conditions)}:")
            inner += 1
        self._value(row, group, inner)
        if self.traced:
            self._note(row, group, inner)
        if r.default is not None:
            self._add(inner, f"k{n} = t{n}")
            self._add(inner, f"if not t{n}: t{n} = {r.default!r}")
            if conditions:
                self._add(indent, f"else: k{n} = ''")
        if r.required:
            scope = row.scope.element
            self._add(inner, f"if not t{n}: run.missing.append(({n}, {scope}))")

    def _value(self, row: PlannedRow, group: PlannedGroup, indent: int) -> None:
        n, r = row.number, row.row
        if "message-id" in r.transforms:
            self._add(indent, f"t{n} = message_id")
        elif "position" in r.transforms:
            self._position(row, group, indent)
        elif row.is_constant:
            self._add(indent, f"t{n} = {(r.value or '')!r}")
        elif "count" in r.transforms:
            self._add(indent, f"t{n} = str(len({row.sources[0].variable}) or '')")
        else:
            self._sources(row, indent)

    def _position(self, row: PlannedRow, group: PlannedGroup, indent: int) -> None:
        """The ordinal of the group's element over all groups of this target, or of an enclosing group's element."""
        n, r, innermost = row.number, row.row, group.chain[-1][0] if group.chain else None
        ordinal = f"q{group.target.number}" if row.scope is innermost else f"i{row.scope.element}"
        for source in row.sources:
            self._add(indent, f"{self._operand(source)}")
        convert = self.constant("C", converter(r, row.target.element.type.content, self.code_lists))
        self._add(indent, f"t{n} = run.ordinal({convert}, {ordinal}, {row.scope.element}, {n})")

    def _sources(self, row: PlannedRow, indent: int) -> None:
        n, r, element = row.number, row.row, row.target.element
        content = element.type.attributes[row.attribute].type if row.attribute else element.type.content
        convert = self.constant("C", converter(r, content, self.code_lists))
        if "sum" in r.transforms:
            self._add(indent, f"t{n} = run.sum({convert}, {row.sources[0].variable}, {n})")
        elif r.join is not None:
            leaves = ", ".join(self._leaf_pairs(row))
            present = (s.variable if s.many else f"{s.variable} is not None" for s in row.sources)
            self._add(indent, f"if {' or '.join(present)}:")
            self._add(indent + 1, f"t{n} = run.joined({convert}, ({leaves},), {r.join!r}, {n})")
        else:
            self._first_present(row, convert, indent)
        if len(row.units) == 1 or r.unit_default:
            self._unit(row, indent)
        self._unit_needed(row, indent)
        if row.otherwise is not None and "fold" in r.transforms:
            size = target_size(row)
            self._add(indent, f"t{n}, t{row.otherwise.number} = run.parted(t{n}, {size})")
            if self.traced:
                self._add(
                    indent,
                    f"n{row.otherwise.number} = ({row.otherwise.number}, {self._taken(row)}, {self._deciders(row)})",
                )
        elif row.otherwise is not None:
            self._otherwise(row, row.otherwise, indent)

    def _first_present(self, row: PlannedRow, convert: str, indent: int) -> None:
        """The first source that has a value decides, also where its value does not fit."""
        n = row.number
        if len(row.sources) > 1:
            self._add(indent, f"b{n} = len(run.issues)")
        for i, source in enumerate(row.sources):
            test = f"not t{n} and len(run.issues) == b{n} and " if i else ""
            self._add(indent, f"if {test}{source.variable} is not None:")
            self._add(indent + 1, f"t{n} = value({convert}, {source.variable}, {source.attribute!r}, {n})")
            self._identify(row, source, row.schemes[min(i, len(row.schemes) - 1)] if row.schemes else None, indent + 1)
            if len(row.units) > 1:
                self._add(indent + 1, f"if t{n}: {self._read_unit(row, row.units[i])}")

    def _identify(self, row: PlannedRow, source: Read, scheme: Read | None, indent: int) -> None:
        """Check an identifier by the scheme that its row names or reads."""
        n, r = row.number, row.row
        if r.identifier or scheme is not None:
            self._add(
                indent,
                f"if t{n}: run.identify({source.variable}, {source.attribute!r}, t{n}, {r.identifier!r}, "
                f"{r.scheme_list!r}, {self._operand(scheme) if scheme else repr('')}, {n})",
            )

    def _read_unit(self, row: PlannedRow, unit: Read) -> str:
        attribute = row.target.element.unit_attribute()
        if attribute is None:
            return "pass"
        convert = self.constant("U", unit_converter(row.row, attribute.type, self.code_lists))
        return f"u{row.number} = value({convert}, {self._one(unit)}, {unit.attribute!r}, {row.number})"

    def _unit(self, row: PlannedRow, indent: int) -> None:
        n, r = row.number, row.row
        if len(row.units) == 1:
            self._add(
                indent, f"if t{n} and {self._one(row.units[0])} is not None: {self._read_unit(row, row.units[0])}"
            )
        if r.unit_default:
            self._add(indent, f"if t{n} and not u{n}: u{n} = {r.unit_default!r}")

    def _unit_needed(self, row: PlannedRow, indent: int) -> None:
        n, attribute = row.number, row.target.element.unit_attribute()
        if attribute is not None and attribute.required and (row.units or row.row.unit_default) and not row.attribute:
            leaves = ", ".join(self._leaf_pairs(row))
            self._add(indent, f"if t{n} and not u{n}:")
            self._add(indent + 1, f"run.lost({n}, 'its {attribute.name} is missing', {leaves}); t{n} = ''")

    def _otherwise(self, row: PlannedRow, other: PlannedRow, indent: int) -> None:
        n, m = row.number, other.number
        served = other.target.rows[: other.target.rows.index(other)]
        vacant = "".join(f"not t{earlier.number} and " for earlier in served)
        convert = self.constant("C", converter(other.row, other.target.element.type.content, self.code_lists))
        if row.row.join is not None:
            leaves = ", ".join(self._leaf_pairs(row))
            self._add(indent, f"if {vacant}not t{n} and run.failed({n}):")
            self._add(indent + 1, f"t{m} = run.joined({convert}, ({leaves},), {row.row.join!r}, {m})")
        else:
            self._add(indent, f"if {vacant}not t{n}:")
        for i, source in enumerate(row.sources if row.row.join is None else ()):
            test = f"not t{m} and " if i else ""
            self._add(indent + 1, f"if {test}{source.variable} is not None and run.failed({n}):")
            self._add(indent + 2, f"t{m} = value({convert}, {source.variable}, {source.attribute!r}, {m})")
        self._add(indent + 1, f"if t{m}: run.moved({n}, {other.row.to!r}, ({', '.join(self._leaf_pairs(row))},))")
        if self.traced:
            self._add(indent + 1, f"if t{m}: n{m} = ({m}, {self._taken(other)}, {self._deciders(row)})")

    def _declare_otherwise(self, group: PlannedGroup, indent: int) -> None:
        for row in group.rows:
            if row.otherwise is not None:
                self._add(
                    indent,
                    f"t{row.otherwise.number} = ''" + (f"; n{row.otherwise.number} = None" if self.traced else ""),
                )

    # conditions

    def _condition(self, condition: Condition, reads: tuple[Read, ...]) -> str:
        pending = list(reads)

        def text(part: Condition) -> str:
            if part.test is not None:
                read = pending.pop(0)
                found = self._operand(read)
                match part.test.operator:
                    case "exists":
                        return f"{found} != ''"
                    case "in":
                        if part.test.value not in self.code_lists:
                            raise Misconfigured(f"condition {part.test.path.text}: no code list {part.test.value}")
                        codes = self.constant("L", self.code_lists[part.test.value])
                        return f"run.listed({codes}, {found})"
                    case operator if part.test.other is not None:
                        return f"{found} {'==' if operator == '=' else '!='} {self._operand(pending.pop(0))}"
                    case operator:
                        return f"{found} {'==' if operator == '=' else '!='} {part.test.value!r}"
            inner = [text(p) for p in part.parts]
            return f"not ({inner[0]})" if part.operator == "not" else f"({f' {part.operator} '.join(inner)})"

        return text(condition)

    def _operand(self, read: Read) -> str:
        return f"text({self._one(read)}, {read.attribute!r})"

    @staticmethod
    def _one(read: Read) -> str:
        return f"({read.variable}[0] if {read.variable} else None)" if read.many else read.variable

    # origins (the traced twin only)

    def _leaf_pairs(self, row: PlannedRow) -> list[str]:
        return [
            f"*((e, {s.attribute!r}) for e in {s.variable})" if s.many else f"({s.variable}, {s.attribute!r})"
            for s in row.sources
        ]

    def _taken(self, row: PlannedRow) -> str:
        """The leaves that gave the value: the first present, or all that were joined or summed."""
        if not row.sources:
            return "()"
        if row.row.join is None and not any(s.many for s in row.sources):
            return f"run.taken({row.number}, {', '.join(self._leaf_pairs(row))})"
        return f"run.all_taken({', '.join(self._leaf_pairs(row))})"

    def _deciders(self, row: PlannedRow) -> str:
        """Leaves that decided: read by its condition, by predicates of its paths, or the date that picks an edition."""
        parts = [self._decider(t) for t in row.tests]
        for read in (*row.sources, *row.tests, *row.units):
            if read.capture is not None:
                for up, predicate in read.capture.predicates:
                    if not predicate.position:
                        element = self._one(read)
                        parts.append(f"*run.predicate({element}, {up}, {predicate.steps!r}, {predicate.attribute!r})")
        if len(row.units) == 1:
            parts.append(self._decider(row.units[0]))
        elif row.units:
            parts.append(f"*{self._unit_leaves(row)}")
        if len(row.sources) > 1 and row.row.join is None:
            parts.append(f"*run.passed({row.number}, {', '.join(self._leaf_pairs(row))})")
        dated = row.row.codes or row.row.map or row.row.unit_codes or row.row.unit_map
        if dated and self.plan.date is not None and self._has_editions(row):
            parts.append(f"*run.leaf({self._one(self.plan.date)}, {self.plan.date.attribute!r})")
        return f"({', '.join(parts)},)" if parts else "()"

    def _decider(self, read: Read) -> str:
        """The leaf that a condition read, or the place where it would have been."""
        home = read.capture.scope.element if read.capture is not None else read.variable
        spelling = str(len(self.plan.absent))
        self.plan.absent[spelling] = read.path
        return f"*run.decider({self._one(read)}, {read.attribute!r}, {home}, {spelling!r})"

    def _has_editions(self, row: PlannedRow) -> bool:
        r = row.row
        names = [name for name in (r.codes, r.map, r.unit_codes, r.unit_map) if name]
        return any(len(self.code_lists[name].editions) > 1 for name in names)

    def _note(self, row: PlannedRow, group: PlannedGroup, indent: int) -> None:
        deciders = self._deciders(row)
        if "position" in row.row.transforms:
            leaves = "".join(f" + run.leaf({self._one(s)}, {s.attribute!r})" for s in row.sources)
            deciders = f"tuple(p{group.target.number}){leaves}" if group.chain else "()"
        elif "count" in row.row.transforms:
            deciders = f"run.counted({row.sources[0].variable})"
        apart = {"count", "position"} & set(row.row.transforms)
        taken = "()" if row.is_constant or apart else self._taken(row)
        around = f" + d{group.target.number}" if group.chain else ""
        self._add(indent, f"n{row.number} = ({row.number}, {taken}, {deciders}{around})")

    # groups: one loop each

    def _loop(self, group: PlannedGroup, indent: int) -> None:
        number = group.target.number
        self._add(indent, f"g{number} = ''; q{number} = {self._previous(group)}  # group {group.group.name}")
        if group.target.element.maximum is not None:
            self._add(indent, f"w{number} = 0")
        if self.traced:
            self._add(indent, f"m{number} = (); p{number} = []")
        indent, conditions, deciders = self._loops(group, indent)
        innermost = group.chain[-1][0]
        self._add(indent, f"q{number} += 1")
        if self.traced and innermost.node.reads_text:
            self._add(indent, f"p{number}.append({innermost.element})")
        if conditions:
            self._add(indent, f"if not ({' and '.join(conditions)}): continue")
        maximum = group.target.element.maximum
        if maximum is not None:
            self._add(indent, f"if w{number} == {maximum}: run.too_many({group.number}, {innermost.element}); continue")
        if self.traced:
            self._add(indent, f"d{number} = ({', '.join(deciders)}{',' if deciders else ''})")
        self.around.append(number)
        self._frame(group, innermost, indent)
        self.around.pop()
        if maximum is not None:
            self._add(indent, f"if o{number[1:]}: w{number} += 1")
        self._add(indent, f"g{number} += {number}")
        self._add(indent, f"if len(g{number}) > {MAX_PAYLOAD}: run.overflow()")
        if self.traced:
            self._add(indent, f"if {number}: m{number} += m_{number}")

    def _loops(self, group: PlannedGroup, indent: int) -> tuple[int, list[str], list[str]]:
        """One ``for`` for each level; the indent inside, the conditions to go on, the leaves that decided."""
        deciders = [f"*d{outer}" for outer in self.around[-1:]]
        conditions: list[str] = []
        for inner, level, tests in group.chain:
            names = [c.variable for c in inner.captures.values()]
            unpacked = f"({', '.join(names)}{',' if names else ''})" if names else "_"
            self._add(indent, f"for i{inner.element}, ({inner.element}, {unpacked}) in enumerate({inner.walk}s, 1):")
            indent += 1
            self._enter_inner(inner, indent)
            if level.when is not None:
                conditions.append(self._condition(level.when, tests))
                deciders += [self._decider(t) for t in tests]
            deciders += self._each_deciders(inner)
        return indent, conditions, deciders

    def _each_deciders(self, scope: Scope) -> list[str]:
        if scope.each is None:
            return []
        depth = len(scope.each.steps)
        return [
            f"*run.predicate({scope.element}, {depth - 1 - i}, {p.steps!r}, {p.attribute!r})"
            for i, step in enumerate(scope.each.steps)
            for p in step.predicates
            if not p.position
        ]

    def _previous(self, group: PlannedGroup) -> str:
        """Instances of one element are numbered through, whichever group writes them."""
        holder = self._holder(self.plan.body, group)
        earlier = [g for g in holder.groups[: holder.groups.index(group)] if g.target.element is group.target.element]
        same = [c for c in holder.children if c.element is group.target.element]
        return f"q{earlier[-1].target.number}" if earlier else str(len(same))

    def _holder(self, planned: PlannedGroup, wanted: PlannedGroup) -> Target:
        found = _find_holder(planned.target, wanted)
        if found is None:
            for inner in planned.groups:
                try:
                    return self._holder(inner, wanted)
                except LookupError:
                    continue
            raise LookupError(wanted.group.name)
        return found

    # text, bottom up

    def _assemble(self, target: Target, indent: int, *, is_root: bool = False, each: str = "") -> None:
        """Build the text of a class in ``oN`` (its live leaves, traced, in ``m_oN``)."""
        for child in target.children:
            if not child.element.is_leaf and not child.element.is_date_time and not self._is_fixed(child):
                self._assemble(child, indent)
            elif is_root and self._is_fixed(child) and child.children:
                raise Misconfigured(
                    f"{child.element.name}[{child.label}] holds only constants: nothing makes it appear"
                )
        live, notes, needed = self._life(target)
        number = target.number
        if self.traced:
            self._add(indent, f"m_{number} = {' + '.join(notes) or '()'}")
        extra = "()" if is_root else f"m_{number}"
        text = self._text(target, extra, is_root=is_root, each=each)
        folded = self._folded(target)
        if is_root:
            self._add(indent, f"{number} = {text}")
            return
        condition = f"({' or '.join(live)})" + "".join(f" and {n}" for n in needed)
        self._add(indent, f"{number} = ''")
        self._add(indent, f"if {condition}:")
        if folded is not None:
            size = target_size(folded)
            t = f"t{folded.number}"
            self._add(indent + 1, f"for {t} in fold({t}, {size}) or ['']: {number} += {text}")
        else:
            self._add(indent + 1, f"{number} = {text}")
        if needed:
            leaves = [pair for row in self._all_rows(target) if row.sources for pair in self._leaf_pairs(row)]
            leaves += [f"*run.inside({scope.walk}s)" for scope in self._all_scopes(target)]
            self._add(indent, f"elif {' or '.join(live)}:")
            missing = ", ".join(c.element.name for c in target.children if self._variable(c) in needed)
            row = next((row.number for row in self._all_rows(target)), 0)
            reason = f"{target.element.name} is left out: it needs {missing}"
            self._add(indent + 1, f"run.lost({row}, {reason!r}, {', '.join(leaves)})")
            if self.traced:
                self._add(indent + 1, f"m_{number} = ()")
        elif self.traced:
            self._add(indent, f"else: m_{number} = ()")

    def _is_fixed(self, target: Target) -> bool:
        """Nothing in it has a source: it appears wherever its parent does."""
        return (
            not target.groups
            and all(row.is_constant for row in target.rows)
            and all(self._is_fixed(child) for child in target.children)
        )

    def _own_rows(self, target: Target) -> list[PlannedRow]:
        return [row for child in target.children for row in child.rows]

    def _all_rows(self, target: Target) -> list[PlannedRow]:
        return [*target.rows, *(row for child in target.children for row in self._all_rows(child))]

    def _all_scopes(self, target: Target) -> list[Scope]:
        own = [group.chain[0][0] for group in target.groups]
        return [*own, *(scope for child in target.children for scope in self._all_scopes(child))]

    def _variable(self, target: Target) -> str:
        if target.element.is_leaf or target.element.is_date_time:
            rows = [f"t{row.number}" for row in target.rows]
            return rows[0] if len(rows) == 1 else f"({' or '.join(rows)})"
        return target.number

    def _life(self, target: Target) -> tuple[list[str], list[str], list[str]]:
        """What makes the element appear; the leaves behind it (traced); what it cannot be without."""
        live, notes, needed = [], [], []
        for child in target.children:
            if child.element.is_leaf or child.element.is_date_time:
                for row in child.rows:
                    if not row.is_constant:
                        n = row.number
                        alive = f"k{n}" if row.row.default is not None else f"t{n}"
                        live.append(alive)
                        notes.append(f"(n{n}[1] + n{n}[2] if {alive} else ())")
                always = any(row.is_constant and row.row.when is None for row in child.rows)
                if child.element.minimum and target.element.minimum == 0 and not always:
                    needed.append(self._variable(child))
            elif not self._is_fixed(child):
                live.append(child.number)
                notes.append(f"m_{child.number}")
                if child.element.minimum and target.element.minimum == 0:
                    needed.append(child.number)
        for group in target.groups:
            live.append(f"g{group.target.number}")
            notes.append(f"m{group.target.number}")
        return live, notes, needed

    def _folded(self, target: Target) -> PlannedRow | None:
        rows = [row for row in self._own_rows(target) if "fold" in row.row.transforms]
        return rows[0] if rows else None

    def _text(self, target: Target, extra: str, *, is_root: bool, each: str = "") -> str:
        """The expression that is the element's text."""
        name = target.element.name
        if is_root:
            opening = f'<{name} xmlns="{target.element.namespace}" xmlns:ds="{_date_namespace(target)}">'
        else:
            opening = f"<{name}>"
        parts = [repr(opening)]
        if self.traced and each:
            parts.append(f"run.instance({each})")
        order = sorted(
            [(c.element.position, i, c) for i, c in enumerate(target.children)]
            + [(g.target.element.position, len(target.children) + i, g) for i, g in enumerate(target.groups)],
            key=lambda entry: entry[:2],
        )
        for _, _, part in order:
            if isinstance(part, PlannedGroup):
                parts.append(f"g{part.target.number}")
            elif part.element.is_leaf or part.element.is_date_time:
                parts += [self._leaf(part, row, extra) for row in part.rows]
            elif self._is_fixed(part):
                parts.append(self._text(part, extra, is_root=False))
            else:
                parts.append(part.number)
        parts.append(repr(f"</{name}>"))
        return " + ".join(parts)

    def _leaf(self, target: Target, row: PlannedRow, extra: str) -> str:
        n, name, element = row.number, target.element.name, target.element
        mark = (
            f" + run.mark(n{n}, {extra if row.is_constant or row.row.default is not None else '()'}, '')"
            if self.traced
            else ""
        )
        if element.is_date_time:
            form = f"('102' if len(t{n}) == 8 else '304')"
            marks = f" + run.mark(n{n}, (), 'formatCode')" if self.traced else ""
            text = (
                f"'<{name}><ds:DateTimeString formatCode=\"' + {form} + '\">'{marks}{mark} + t{n}"
                f" + '</ds:DateTimeString></{name}>'"
            )
            return f"({text} if t{n} else '')"
        attributes: list[str] = []
        origins: list[str] = []
        unit = element.unit_attribute()
        if unit is not None and (row.row.unit is not None or row.row.unit_default):
            attributes.append(f"(' {unit.name}=\"' + quoted(u{n}) + '\"' if u{n} else '')")
            if self.traced:
                note = f"({n}, {self._unit_leaves(row)}, {self._unit_deciders(row)})"
                origins.append(f"(run.mark({note}, (), {unit.name!r}) if u{n} else '')")
        for attribute, rows in target.attributes.items():
            for other in rows:
                m = other.number
                attributes.append(f"(' {attribute}=\"' + quoted(t{m}) + '\"' if t{m} else '')")
                if self.traced:
                    more = f"n{n}[1] + n{n}[2]"
                    origins.append(f"(run.mark(n{m}, {more}, {attribute!r}) if t{m} else '')")
        pieces = [f"'<{name}'", *attributes, "'>'", *origins] if attributes else [f"'<{name}>'"]
        plain = row.is_constant and not row.row.transforms
        text = repr(escape(row.row.value or "")) if plain else f"esc(t{n})"
        return f"({' + '.join(pieces)}{mark} + {text} + '</{name}>' if t{n} else '')"

    def _unit_leaves(self, row: PlannedRow) -> str:
        """The unit's leaf; of several, that of the source that gave the value."""
        if not row.units:
            return "()"
        if len(row.units) == 1:
            return f"run.leaf({self._one(row.units[0])}, {row.units[0].attribute!r})"
        pairs = [
            f"(({s.variable}, {s.attribute!r}), ({self._one(u)}, {u.attribute!r}))"
            for s, u in zip(row.sources, row.units, strict=True)
        ]
        return f"run.taken_with({row.number}, {', '.join(pairs)})"

    def _unit_deciders(self, row: PlannedRow) -> str:
        return f"n{row.number}[1] + n{row.number}[2]"


def target_size(row: PlannedRow) -> int:
    """How long a piece of a folded text may be."""
    content = row.target.element.type.content
    return (content.max_length if content else None) or 512


def _date_namespace(target: Target) -> str:
    for element in target.element.type.children.values():
        if element.is_date_time:
            return element.type.children["DateTimeString"].namespace
    raise Misconfigured(f"{target.element.name} has no date-time")


def _find_holder(target: Target, wanted: PlannedGroup) -> Target | None:
    if wanted in target.groups:
        return target
    return next((found for child in target.children if (found := _find_holder(child, wanted))), None)
