"""The small path and condition language of mapping rows: a readable subset of XPath 1.0.

Paths: steps ``a/p:b``, alternatives ``(a|b)``, predicates ``[@x='1']``, ``[@x]``, ``[b/c='1']``, ``[b]``, ``[2]``,
``.`` for the context, ``@x`` last; ``/a`` from the document root, ``../a`` from the enclosing group's element.
Conditions: a path (present), ``path = 'x'``, ``path = path``, ``path != ...``,
``path in 'code-list'``, ``not(...)``, ``and``, ``or``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class BadPath(ValueError):
    """A path or condition that cannot be read; the text is for its author."""


@dataclass(frozen=True, slots=True)
class Predicate:
    """What a step's element must satisfy: a position, a child path or attribute that exists or has a value, a name."""

    position: int = 0
    names: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    attribute: str = ""
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One level down: the names it may have (Clark) and its predicates."""

    names: tuple[str, ...]
    predicates: tuple[Predicate, ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """Where a value lies, seen from a scope: ``up`` scopes outwards (-1: the document root), then down."""

    text: str
    steps: tuple[Step, ...]
    attribute: str = ""
    up: int = 0


@dataclass(frozen=True, slots=True)
class Test:
    """A comparison: operator ``exists``, ``=``, ``!=`` or ``in`` (a code list); with a text or with another path."""

    path: Path
    operator: str
    value: str = ""
    other: Path | None = None

    def paths(self) -> tuple[Path, ...]:
        """What it reads."""
        return (self.path,) if self.other is None else (self.path, self.other)


@dataclass(frozen=True, slots=True)
class Condition:
    """``and``, ``or``, ``not`` over parts, or ``test``."""

    operator: str
    parts: tuple[Condition, ...] = ()
    test: Test | None = None

    def tests(self) -> Iterator[Test]:
        """Every comparison in it."""
        if self.test is not None:
            yield self.test
        for part in self.parts:
            yield from part.tests()


_TOKEN = re.compile(r"\s*(?:(?P<literal>'[^']*')|(?P<name>[^\s'/\[\]()|=!@,]+)|(?P<sign>!=|[/\[\]()|=@]))")


class _PathReader:
    def __init__(self, text: str, namespaces: Mapping[str, str]) -> None:
        self.text = text
        self.namespaces = namespaces
        self.tokens: list[tuple[str, int, int]] = []
        at, end = 0, len(text.rstrip())
        while at < end:
            match = _TOKEN.match(text, at)
            if match is None:
                raise BadPath(f"cannot read {text[at:].strip()[:20]!r} in {text!r}")
            kind = match.lastgroup or ""
            self.tokens.append((match.group(kind), match.start(kind), match.end(kind)))
            at = match.end()
        self.at = 0

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead][0] if self.at + ahead < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        if not token or (expected and token != expected):
            raise BadPath(f"expected {expected or 'more'} after {self.read()!r} in {self.text!r}")
        self.at += 1
        return token

    def read(self) -> str:
        return self.text[: self.tokens[self.at - 1][2]] if self.at else ""

    def clark(self, name: str, *, attribute: bool = False) -> str:
        prefix, colon, local = name.partition(":")
        if not colon:
            return name if attribute else self._default(name)
        if prefix not in self.namespaces:
            raise BadPath(f"prefix {prefix!r} in {self.text!r} is not among the namespaces {sorted(self.namespaces)}")
        return f"{{{self.namespaces[prefix]}}}{local}"

    def _default(self, name: str) -> str:
        return f"{{{self.namespaces['']}}}{name}" if self.namespaces.get("") else name

    def path(self) -> Path:
        start = self.tokens[self.at][1] if self.at < len(self.tokens) else 0
        up, steps, attribute = 0, [], ""
        if self.peek() == "/":
            self.take()
            up = -1
        while self.peek() == "..":
            self.take()
            up += 1
            if self.peek() != "/":
                return Path(self.text[start : self.tokens[self.at - 1][2]], (), "", up)
            self.take()
        while True:
            if self.peek() == "@":
                self.take()
                attribute = self.clark(self.take(), attribute=True)
                break
            if self.peek() == ".":
                self.take()
            else:
                steps.append(self.step())
            if self.peek() != "/":
                break
            self.take("/")
        return Path(self.text[start : self.tokens[self.at - 1][2]], tuple(steps), attribute, up)

    def step(self) -> Step:
        if self.peek() == "(":
            self.take()
            names = [self.clark(self.take())]
            while self.peek() == "|":
                self.take()
                names.append(self.clark(self.take()))
            self.take(")")
        else:
            name = self.take()
            if name in "[]()|=!='" or name.startswith("'"):
                raise BadPath(f"a name is missing before {name!r} in {self.text!r}")
            names = [self.clark(name)]
        predicates = []
        while self.peek() == "[":
            self.take()
            predicates.append(self.predicate())
            self.take("]")
        return Step(tuple(names), tuple(predicates))

    def predicate(self) -> Predicate:
        if self.peek().isdigit():
            return Predicate(position=int(self.take()))
        path = self.path()
        if any(step.predicates or len(step.names) > 1 for step in path.steps) or path.up:
            raise BadPath(f"a predicate in {self.text!r} may only hold a plain path")
        value = None
        if self.peek() == "=":
            self.take()
            value = self.literal()
        return Predicate(steps=tuple(step.names[0] for step in path.steps), attribute=path.attribute, value=value)

    def literal(self) -> str:
        token = self.take()
        if not token.startswith("'"):
            raise BadPath(f"a value in quotes is missing at {token!r} in {self.text!r}")
        return token[1:-1]

    def any_of(self) -> Condition:
        parts = [self.all_of()]
        while self.peek() == "or":
            self.take()
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else Condition("or", tuple(parts))

    def all_of(self) -> Condition:
        parts = [self.term()]
        while self.peek() == "and":
            self.take()
            parts.append(self.term())
        return parts[0] if len(parts) == 1 else Condition("and", tuple(parts))

    def term(self) -> Condition:
        if self.peek() == "not" and self.peek(1) == "(":
            self.take()
            self.take()
            inner = self.any_of()
            self.take(")")
            return Condition("not", (inner,))
        if self.peek() == "(" and not self._is_alternative():
            self.take()
            inner = self.any_of()
            self.take(")")
            return inner
        path = self.path()
        operator = self.peek()
        if operator in {"=", "!=", "in"}:
            self.take()
            if operator != "in" and not self.peek().startswith("'"):
                return Condition("test", test=Test(path, operator, other=self.path()))
            return Condition("test", test=Test(path, operator, self.literal()))
        return Condition("test", test=Test(path, "exists"))

    def _is_alternative(self) -> bool:
        return self.peek(2) == "|"

    def finish(self) -> None:
        if self.at < len(self.tokens):
            raise BadPath(f"{self.peek()!r} is left over in {self.text!r}")


def read_path(text: str, namespaces: Mapping[str, str]) -> Path:
    """The path that ``text`` writes; raises BadPath."""
    reader = _PathReader(text, namespaces)
    path = reader.path()
    reader.finish()
    return path


def read_condition(text: str, namespaces: Mapping[str, str]) -> Condition:
    """The condition that ``text`` writes; raises BadPath."""
    reader = _PathReader(text, namespaces)
    condition = reader.any_of()
    reader.finish()
    return condition
