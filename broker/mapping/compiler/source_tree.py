"""What rows read: one tree of source elements, scopes in it, and the code that walks each scope once.

A scope is the document, or one repeating source element (``each``). Every path that a row, a condition or a drop
names is entered into the tree; each scope becomes one function that captures its paths in one walk, and hands over
whatever nothing names (``left``) or what somebody may use (``claimed``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from broker.model.conditions import Predicate

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.mapping.language.rows import Drop
    from broker.model.conditions import Path, Step

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
    readers: list[tuple[int, str | None]] = field(default_factory=list)
    """The rows that carry what is found, each with the attribute it reads."""


@dataclass(eq=False, slots=True)
class SourceNode:
    """One source element name at one place of the tree."""

    children: dict[str, SourceNode] = field(default_factory=dict)
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
    tested: bool = False
    """A predicate reads the text: of whichever element it is asked."""
    reads_text: bool = False
    """A row carries the text if it can."""

    @property
    def opens(self) -> bool:
        """A scope of its own begins here."""
        return any(capture.kind == "each" for capture, _ in self.captures)


class Scope:
    """The document or a repeating element, and the part of the tree below it."""

    def __init__(self, name: Callable[[str], str], each: Path | None = None, node: SourceNode | None = None) -> None:
        self.name = name
        self.each = each
        self.node = node or SourceNode()
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

    def _one_node(self, path: Path) -> SourceNode:
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

    def nodes(self, path: Path) -> list[SourceNode]:
        """The tree nodes that a path ends at; predicates are not looked at."""
        return [node for node, _ in self._enter(path.steps)]

    def _enter(self, steps: tuple[Step, ...]) -> list[tuple[SourceNode, tuple[str, ...]]]:
        found: list[tuple[SourceNode, tuple[str, ...]]] = [(self.node, ())]
        for step in steps:
            entered: list[tuple[SourceNode, tuple[str, ...]]] = []
            for node, flags in found:
                for child, predicates in self._children(node, step):
                    own = tuple(self._flag(child, predicate) for predicate in predicates)
                    entered.append((child, flags + own))
            found = entered
        return found

    def _children(self, node: SourceNode, step: Step) -> list[tuple[SourceNode, tuple[Predicate, ...]]]:
        """The children of a node that a step leads to: alternatives that come together share one.

        Whoever names only some of them later has a test of the name on top.
        """
        if not any(name in node.children for name in step.names):
            shared = SourceNode()
            node.children.update(dict.fromkeys(step.names, shared))
        found: list[tuple[SourceNode, tuple[Predicate, ...]]] = []
        for name in step.names:
            child = node.children.setdefault(name, SourceNode())
            if any(child is known for known, _ in found):
                continue
            names = [n for n, c in node.children.items() if c is child]
            test = () if set(names) <= set(step.names) else (Predicate(names=step.names),)
            found.append((child, step.predicates + test))
        return found

    def _flag(self, node: SourceNode, predicate: Predicate) -> str:
        below = node
        for name in predicate.steps:
            below = below.children.setdefault(name, SourceNode())
        if predicate.attribute:
            below.attributes.setdefault(predicate.attribute, "condition")
        elif predicate.steps:
            below.decides = below.decides or "condition"
            below.tested = True
        if predicate not in node.flags:
            node.flags[predicate] = self.name("f")
        return node.flags[predicate]
