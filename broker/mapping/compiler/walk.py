"""Writes the code that walks a scope of the source once and captures what rows read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.content.xml import XSI

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.mapping.compiler.source_tree import Scope, SourceNode
    from broker.mapping.language.rows import Drop
    from broker.model.conditions import Predicate


class WalkWriter:
    """Writes the walk of one scope as Python source."""

    def __init__(self, scope: Scope, anywhere: dict[str, Drop], constant: Callable[[str, object], str]) -> None:
        self.scope = scope
        self.anywhere = anywhere
        self.constant = constant
        self.flags = {
            flag for node in _below(scope.node) for c, flags in node.captures if c.scope is scope for flag in flags
        }
        self.lines: list[str] = []

    def write(self) -> list[str]:
        """The lines of ``def walkN(e, run)``, which returns the captures of the scope as a tuple."""
        captures = list(self.scope.captures.values())
        self._add(0, f"def {self.scope.walk}(e, run):")
        self._add(1, "left = run.left.append; claim = run.claimed.append; again = run.repeats.append")
        for capture in captures:
            self._add(1, f"{capture.variable} = {'None' if capture.kind == 'first' else '[]'}  # {capture.path.text}")
        self._node(self.scope.node, "e", 1, report=True, inherited=False)
        self._add(1, f"return ({', '.join(c.variable for c in captures)}{',' if captures else ''})")
        return self.lines

    def _add(self, indent: int, line: str) -> None:
        self.lines.append("    " * indent + line)

    def _node(self, node: SourceNode, variable: str, indent: int, *, report: bool, inherited: bool) -> None:
        """What to do with one element of the source that the tree knows."""
        dropped = inherited or node.drop is not None
        if node is not self.scope.node:
            for predicate, flag in node.flags.items():
                if flag in self.flags:
                    self._flag(predicate, flag, variable, indent)
            self._captures(node, variable, indent, report=report and not dropped)
            report = report and not node.opens
        if report and not dropped:
            self._attributes(node, variable, indent)
            self._text(node, variable, indent)
        elif report and node.drop is None:
            self._carried(node, variable, indent)
        if node.children and (report or any(self._reads_in(child) for child in node.children.values())):
            self._children(node, variable, indent, report=report, dropped=dropped)

    def _flag(self, predicate: Predicate, flag: str, variable: str, indent: int) -> None:
        if predicate.names:
            self._add(indent, f"{flag} = {variable}.tag in {self.constant('P', predicate.names)}")
            return
        if predicate.position:
            self._add(indent, f"{flag}n += 1; {flag} = {flag}n == {predicate.position}")
            return
        found = f"run.below({variable}, {self.constant('P', predicate.steps)}, {predicate.attribute!r})"
        if predicate.root:
            test = f"{found} != '' and {found} == run.of_root({self.constant('P', predicate.root)})"
        elif predicate.value is None:
            test = f"{found} != ''"
        else:
            accepted = self.constant("P", (predicate.value, *predicate.others))
            test = f"{found} {'not in' if predicate.differs else 'in'} {accepted}"
        self._add(indent, f"{flag} = {test}")

    def _captures(self, node: SourceNode, variable: str, indent: int, *, report: bool) -> None:
        taken = []
        for capture, flags in node.captures:
            if capture.scope is not self.scope:
                continue
            test = " and ".join(flags)
            if capture.kind == "each":
                taken.append(test)
            if capture.kind == "first":
                vacant = f"{capture.variable} is None" + (f" and {test}" if test else "")
                self._add(indent, f"if {vacant}: {capture.variable} = {variable}")
                if capture.readers and node.drop is None:  # a drop of the very place says why the others are left out
                    more = f"again(({self.constant('K', capture)}, {capture.variable}, {variable}))"
                    self._add(indent, f"elif {test}: {more}" if test else f"else: {more}")
                continue
            action = f"{capture.variable}.append({variable})"
            self._add(indent, f"if {test}: {action}" if test else action)
        if report and taken and all(taken):
            self._add(indent, f"if not ({' or '.join(f'({t})' for t in taken)}): left({variable})")

    def _attributes(self, node: SourceNode, variable: str, indent: int) -> None:
        known = frozenset(node.attributes) | frozenset(node.dropped_attributes) | frozenset(self.anywhere)
        self._add(indent, f"for a in {variable}.keys():")
        self._add(
            indent + 1,
            f"if a not in {self.constant('A', known)} and not a.startswith({XSI!r}): left(({variable}, a))",
        )
        self._carried_attributes(node, variable, indent)

    def _carried(self, node: SourceNode, variable: str, indent: int) -> None:
        """A drop around it is no reason for what a row names."""
        if node.reads_text:
            self._add(indent, f"claim({variable})")
        self._carried_attributes(node, variable, indent)

    def _carried_attributes(self, node: SourceNode, variable: str, indent: int) -> None:
        for attribute in sorted(node.carried_attributes - set(node.dropped_attributes)):
            self._add(indent, f"if {variable}.get({attribute!r}): claim(({variable}, {attribute!r}))")

    def _text(self, node: SourceNode, variable: str, indent: int) -> None:
        if node.reads_text:
            self._add(indent, f"claim({variable})")
        elif not node.children and not node.decides:
            self._add(indent, f"if {variable}.text: left(({variable}, None))")
        elif node.decides and not node.tested:
            self._undecided(node, variable, indent)
        if not node.children:
            self._add(indent, f"if len({variable}): run.left.extend({variable})")

    def _undecided(self, node: SourceNode, variable: str, indent: int) -> None:
        """Only the first of several elements decides; of the others nobody reads anything."""
        own = [capture for capture, _ in node.captures if capture.scope is self.scope]
        if own and all(capture.kind == "first" for capture in own):
            others = " and ".join(f"{variable} is not {capture.variable}" for capture in own)
            self._add(indent, f"if {variable}.text and {others}: left(({variable}, None))")

    def _children(self, node: SourceNode, variable: str, indent: int, *, report: bool, dropped: bool) -> None:
        read: dict[SourceNode, list[str]] = {}
        for name, child in node.children.items():
            if report or self._reads_in(child):
                read.setdefault(child, []).append(name)
        for child in read:
            for predicate, flag in child.flags.items():
                if predicate.position and flag in self.flags:
                    self._add(indent, f"{flag}n = 0")
        child_variable = f"c{indent}"
        self._add(indent, f"for {child_variable} in {variable}:")
        self._add(indent + 1, f"t = {child_variable}.tag")
        word = "if"
        for child, names in read.items():
            test = f"t == {names[0]!r}" if len(names) == 1 else f"t in {self.constant('T', tuple(names))}"
            self._add(indent + 1, f"{word} {test}:")
            before = len(self.lines)
            self._node(child, child_variable, indent + 2, report=report, inherited=dropped)
            if len(self.lines) == before:
                self._add(indent + 2, "pass")
            word = "elif"
        if report and not dropped:
            self._add(indent + 1, f"else: left({child_variable})")

    def _reads_in(self, node: SourceNode) -> bool:
        return any(c.scope is self.scope for n in _below(node) for c, _ in n.captures)


def _below(node: SourceNode) -> list[SourceNode]:
    found = [node]
    for child in dict.fromkeys(node.children.values()):
        found += _below(child)
    return found
