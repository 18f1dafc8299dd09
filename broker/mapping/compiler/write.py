"""Writes a plan as one Python function that reads the source once and returns the payload's text.

The same writer gives the traced twin: equal but for processing instructions that name the origin of every leaf.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from broker.mapping.compiler.elements import Texts
from broker.mapping.compiler.emit import Emitter
from broker.mapping.compiler.origins import OriginWriter
from broker.mapping.compiler.values import Values
from broker.mapping.compiler.walk import WalkWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from broker.mapping.compiler.bind import Plan, PlannedGroup, Target
    from broker.mapping.compiler.source_tree import Scope
    from broker.registry.identifiers import Identifiers

_METADATA = "urn:wco:datamodel:WCO:DocumentMetaData-DMS:2"
MAX_PAYLOAD = 32 * 1024 * 1024
"""Characters of one payload: groups inside groups multiply, and a document must not become a bomb."""
HEADER: tuple[tuple[str, str], ...] = (("WCODataModelVersionCode", "3.6"), ("WCOTypeName", "DEC"))
"""What every payload's MetaData says of it."""
LEGEND = """\
# walkN(e, run) reads one scope of the source once, from its element e; the scope of the document is read first.
# vN: what was found at the path beside it. fN: whether a predicate of a path holds there.
# tN, uN: value and unit of row N, empty where it has none. bN: how many issues there were before row N.
# oN: the text of a class of the payload, made from the innermost outwards in the order of its schema.
# C, U, L and other capitals with a number: conversions, units and code lists, made once when the mapping was compiled.
# run: what happened on the way (broker.mapping.runtime.run).

"""
"""What the names in the generated code stand for; it stands above it."""


@dataclass(frozen=True, slots=True)
class GeneratedCode:
    """A compiled mapping: the function, and its source for whoever wants to read it."""

    source: str
    translate: Callable[[Any, str, Any], str]


def write(plan: Plan, code_lists: Mapping[str, Any], identifiers: Identifiers, *, traced: bool) -> GeneratedCode:
    """Compile a plan; raises Misconfigured where a row cannot work."""
    return _Writer(Emitter(plan, code_lists, identifiers, traced=traced)).compile()


class _Writer:
    def __init__(self, emit: Emitter) -> None:
        self.emit = emit
        self.origins = OriginWriter(self.emit)
        self.values = Values(self.emit, self.origins)
        self.texts = Texts(self.emit, self.origins)

    def compile(self) -> GeneratedCode:
        for scope in self.emit.plan.scopes:
            self.emit.lines += [*WalkWriter(scope, self.emit.plan.anywhere, self.emit.constant).write(), "", ""]
        document, body = self.emit.plan.scopes[0], self.emit.plan.body
        self.emit.add(0, f"def translate({document.element}, message_id, run):")
        self.emit.add(1, "value = run.value; text = run.text; look = run.look")
        self._enter(document, document.element, 1)
        if self.emit.plan.date is not None:
            self.emit.add(1, f"run.dated({self.emit.operand(self.emit.plan.date)})")
        self._frame(body, document, 1, is_root=True)
        self.emit.add(1, f"return {self._envelope(body.target.number)}")
        source = LEGEND + "\n".join(self.emit.lines) + "\n"
        space = dict(self.emit.constants)
        exec(compile(source, f"<mapping {self.emit.plan.body.number}>", "exec"), space)  # noqa: S102  (our own text)
        return GeneratedCode(source, space["translate"])  # type: ignore[arg-type]

    def _envelope(self, body: str) -> str:
        head = "".join(f"<{name}>{self._engine_mark()}{value}</{name}>" for name, value in HEADER)
        return f"{f'<MetaData xmlns={chr(34)}{_METADATA}{chr(34)}>{head}'!r} + {body} + '</MetaData>'"

    def _engine_mark(self) -> str:
        return "<?swb engine ?>" if self.emit.traced else ""

    def _enter(self, scope: Scope, element: str, indent: int) -> None:
        """Walk a scope, and every scope directly inside it."""
        names = [c.variable for c in scope.captures.values()]
        walked = f"{scope.walk}({element}, run)"
        self.emit.add(indent, f"{', '.join(names)}{',' if names else ''} = {walked}" if names else walked)
        self._enter_inner(scope, indent)

    def _enter_inner(self, scope: Scope, indent: int) -> None:
        for inner in scope.scopes.values():
            each = next(c for c in scope.captures.values() if c.kind == "each" and inner is scope.scopes[c.path.steps])
            self.emit.add(indent, f"{inner.walk}s = [(e, {inner.walk}(e, run)) for e in {each.variable}]")

    def _frame(self, group: PlannedGroup, scope: Scope, indent: int, *, is_root: bool = False) -> None:
        """Everything of one instance: its values, its repeating parts, then its text."""
        self.values.declare_otherwise(group, indent)
        for row in group.rows:
            self.values.row(row, group, indent)
        for inner in group.groups:
            self._loop(inner, indent)
        self.texts.assemble(group.target, indent, is_root=is_root, each="" if is_root else scope.element)

    def _loop(self, group: PlannedGroup, indent: int) -> None:
        number = group.target.number
        self.emit.add(indent, f"g{number} = ''; q{number} = {self._previous(group)}  # group {group.group.name}")
        if group.target.element.maximum is not None:
            self.emit.add(indent, f"w{number} = 0")
        if self.emit.traced:
            self.emit.add(indent, f"m{number} = (); p{number} = []")
        indent, conditions, deciders = self._loops(group, indent)
        innermost = group.chain[-1][0]
        self.emit.add(indent, f"q{number} += 1")
        if self.emit.traced and innermost.node.reads_text:
            self.emit.add(indent, f"p{number}.append({innermost.element})")
        if conditions:
            self.emit.add(indent, f"if not ({' and '.join(conditions)}): continue")
        maximum = group.target.element.maximum
        if maximum is not None:
            self.emit.add(
                indent, f"if w{number} == {maximum}: run.too_many({group.number}, {innermost.element}); continue"
            )
        if self.emit.traced:
            self.emit.add(indent, f"d{number} = ({', '.join(deciders)}{',' if deciders else ''})")
        self.emit.around.append(number)
        self._frame(group, innermost, indent)
        self.emit.around.pop()
        if maximum is not None:
            self.emit.add(indent, f"if o{number[1:]}: w{number} += 1")
        self.emit.add(indent, f"g{number} += {number}")
        self.emit.add(indent, f"if len(g{number}) > {MAX_PAYLOAD}: run.overflow()")
        if self.emit.traced:
            self.emit.add(indent, f"if {number}: m{number} += m_{number}")

    def _loops(self, group: PlannedGroup, indent: int) -> tuple[int, list[str], list[str]]:
        """One ``for`` for each level; the indent inside, the conditions to go on, the leaves that decided."""
        deciders = [f"*d{outer}" for outer in self.emit.around[-1:]]
        conditions: list[str] = []
        for inner, level, tests in group.chain:
            names = [c.variable for c in inner.captures.values()]
            unpacked = f"({', '.join(names)}{',' if names else ''})" if names else "_"
            self.emit.add(
                indent, f"for i{inner.element}, ({inner.element}, {unpacked}) in enumerate({inner.walk}s, 1):"
            )
            indent += 1
            self._enter_inner(inner, indent)
            if level.when is not None:
                conditions.append(self.values.condition(level.when, tests))
                deciders += [self.origins.decider(t) for t in tests]
            deciders += self.origins.each_deciders(inner)
        return indent, conditions, deciders

    def _previous(self, group: PlannedGroup) -> str:
        """Instances of one element are numbered through, whichever group writes them."""
        holder = self._holder(self.emit.plan.body, group)
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


def _find_holder(target: Target, wanted: PlannedGroup) -> Target | None:
    if wanted in target.groups:
        return target
    return next((found for child in target.children if (found := _find_holder(child, wanted))), None)
