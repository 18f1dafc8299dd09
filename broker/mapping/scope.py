"""What rows read: one tree of source elements, scopes in it, and the code that walks each scope once.

A scope is the document, or one repeating source element (``each``). Every path that a row, a condition or a drop
names is entered into the tree; each scope becomes one function that captures its paths in one walk, and hands over
whatever nothing names (``left``) or what somebody may use (``claimed``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from broker.mapping.paths import Predicate
from broker.xml import XSI

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.mapping.paths import Path, Step
    from broker.mapping.rows import Drop

Kind = Literal["first", "all", "each"]


@dataclass(eq=False, slots=True)
class Capture:
    """A variable of the generated code that holds the element(s) found under a path."""

    variable: str
    kind: Kind
    path: Path
    scope: Scope
    predicates: tuple[tuple[int, Predicate], ...]
    """With the number of levels from the captured element up to the one they test."""


@dataclass(eq=False, slots=True)
class Node:
    """One source element name at one place of the tree."""

    children: dict[str, Node] = field(default_factory=dict)
    captures: list[tuple[Capture, tuple[str, ...]]] = field(default_factory=list)
    """Each with the flags (generated variables) of the predicates that must hold."""
    attributes: dict[str, str] = field(default_factory=dict)
    """Attributes that a row or condition names: what for."""
    dropped_attributes: dict[str, Drop] = field(default_factory=dict)
    carried_attributes: set[str] = field(default_factory=set)
    """Those of them that a row carries if it can, so that they count as unmapped where it does not."""
    flags: dict[Predicate, str] = field(default_factory=dict)
    drop: Drop | None = None
    decides: str = ""
    """The row whose condition reads this element's text."""
    reads_text: bool = False
    """A row carries the text if it can."""

    @property
    def opens(self) -> bool:
        """A scope of its own begins here."""
        return any(capture.kind == "each" for capture, _ in self.captures)


class Scope:
    """The document or a repeating element, and the part of the tree below it."""

    def __init__(self, name: Callable[[str], str], each: Path | None = None, node: Node | None = None) -> None:
        self.name = name
        self.each = each
        self.node = node or Node()
        self.element = name("e")
        """The variable of the generated code that holds the scope's own element."""
        self.walk = name("walk")
        self.captures: dict[tuple[tuple[Step, ...], Kind], Capture] = {}
        self.scopes: dict[tuple[Step, ...], Scope] = {}

    def capture(self, path: Path, kind: Kind) -> Capture:
        """The capture of ``path`` (its attribute apart) in this scope, made on first asking."""
        key = (path.steps, kind)
        if key not in self.captures:
            depth = len(path.steps)
            predicates = tuple((depth - 1 - i, p) for i, step in enumerate(path.steps) for p in step.predicates)
            found = self.captures[key] = Capture(self.name("v"), kind, path, self, predicates)
            for node, flags in self._enter(path.steps):
                node.captures.append((found, flags))
        return self.captures[key]

    def open(self, path: Path) -> Scope:
        """The scope of a repeating element."""
        self.capture(path, "each")
        if path.steps not in self.scopes:
            self.scopes[path.steps] = Scope(self.name, path, self._one_node(path))
        return self.scopes[path.steps]

    def _one_node(self, path: Path) -> Node:
        """One tree for an element that repeats in several places, such as the goods of every form of a certificate."""
        *above, last = path.steps
        parents = [node for node, _ in self._enter(tuple(above))]
        nodes = [parent.children[name] for parent in parents for name in last.names]
        one = next((node for node in nodes if node.children), nodes[0])
        if any(node.children and node is not one for node in nodes):
            raise ValueError("its places are already taken by different groups: let each group name the same places")
        for parent in parents:
            for name in last.names:
                parent.children[name] = one
        return one

    def nodes(self, path: Path) -> list[Node]:
        """The tree nodes that a path ends at; predicates are not looked at."""
        return [node for node, _ in self._enter(path.steps)]

    def _enter(self, steps: tuple[Step, ...]) -> list[tuple[Node, tuple[str, ...]]]:
        found: list[tuple[Node, tuple[str, ...]]] = [(self.node, ())]
        for step in steps:
            entered: list[tuple[Node, tuple[str, ...]]] = []
            for node, flags in found:
                for child, predicates in self._children(node, step):
                    own = tuple(self._flag(child, predicate) for predicate in predicates)
                    entered.append((child, flags + own))
            found = entered
        return found

    def _children(self, node: Node, step: Step) -> list[tuple[Node, tuple[Predicate, ...]]]:
        """The children of a node that a step leads to: alternatives that come together share one.

        Whoever names only some of them later has a test of the name on top.
        """
        if not any(name in node.children for name in step.names):
            shared = Node()
            node.children.update(dict.fromkeys(step.names, shared))
        found: list[tuple[Node, tuple[Predicate, ...]]] = []
        for name in step.names:
            child = node.children.setdefault(name, Node())
            if any(child is known for known, _ in found):
                continue
            names = [n for n, c in node.children.items() if c is child]
            test = () if set(names) <= set(step.names) else (Predicate(names=step.names),)
            found.append((child, step.predicates + test))
        return found

    def _flag(self, node: Node, predicate: Predicate) -> str:
        below = node
        for name in predicate.steps:
            below = below.children.setdefault(name, Node())
        if predicate.attribute:
            below.attributes.setdefault(predicate.attribute, "condition")
        elif predicate.steps:
            below.decides = below.decides or "condition"
        if predicate not in node.flags:
            node.flags[predicate] = self.name("f")
        return node.flags[predicate]


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
        self._add(1, "left = run.left.append; claim = run.claimed.append")
        for capture in captures:
            self._add(1, f"{capture.variable} = {'None' if capture.kind == 'first' else '[]'}  # {capture.path.text}")
        self._node(self.scope.node, "e", 1, report=True, inherited=False)
        self._add(1, f"return ({', '.join(c.variable for c in captures)}{',' if captures else ''})")
        return self.lines

    def _add(self, indent: int, line: str) -> None:
        self.lines.append("    " * indent + line)

    def _node(self, node: Node, variable: str, indent: int, *, report: bool, inherited: bool) -> None:
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
        test = f"{found} != ''" if predicate.value is None else f"{found} == {predicate.value!r}"
        self._add(indent, f"{flag} = {test}")

    def _captures(self, node: Node, variable: str, indent: int, *, report: bool) -> None:
        taken = []
        for capture, flags in node.captures:
            if capture.scope is not self.scope:
                continue
            test = " and ".join(flags)
            if capture.kind == "each":
                taken.append(test)
            if capture.kind == "first":
                test = f"{capture.variable} is None" + (f" and {test}" if test else "")
                action = f"{capture.variable} = {variable}"
            else:
                action = f"{capture.variable}.append({variable})"
            self._add(indent, f"if {test}: {action}" if test else action)
        if report and taken and all(taken):
            self._add(indent, f"if not ({' or '.join(f'({t})' for t in taken)}): left({variable})")

    def _attributes(self, node: Node, variable: str, indent: int) -> None:
        known = frozenset(node.attributes) | frozenset(node.dropped_attributes) | frozenset(self.anywhere)
        self._add(indent, f"for a in {variable}.keys():")
        self._add(
            indent + 1,
            f"if a not in {self.constant('A', known)} and not a.startswith({XSI!r}): left(({variable}, a))",
        )
        for attribute in sorted(node.carried_attributes - set(node.dropped_attributes) - set(self.anywhere)):
            self._add(indent, f"if {variable}.get({attribute!r}): claim(({variable}, {attribute!r}))")

    def _text(self, node: Node, variable: str, indent: int) -> None:
        if node.reads_text:
            if not node.decides:
                self._add(indent, f"claim({variable})")
        elif not node.children and not node.decides:
            self._add(indent, f"if {variable}.text: left(({variable}, None))")
        if not node.children:
            self._add(indent, f"if len({variable}): run.left.extend({variable})")

    def _children(self, node: Node, variable: str, indent: int, *, report: bool, dropped: bool) -> None:
        read: dict[Node, list[str]] = {}
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

    def _reads_in(self, node: Node) -> bool:
        return any(c.scope is self.scope for n in _below(node) for c, _ in n.captures)


def _below(node: Node) -> list[Node]:
    found = [node]
    for child in dict.fromkeys(node.children.values()):
        found += _below(child)
    return found
