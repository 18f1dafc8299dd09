"""The small path and condition language of rows and routes: the part of XPath 1.0 that can be explained value by value.

Paths: steps ``a/p:b``, alternatives ``(a|b)``, predicates ``[@x='1']``, ``[@x='1'|'2']``,
``[@x!='1']``, ``[@x=/a/b]``, ``[@x]``, ``[b/c='1']``, ``[b]``, ``[2]``,
``.`` for the context, ``@x`` last; ``/a`` from the document root, ``../a`` from the enclosing group's element.
Conditions: a path (present), ``path = 'x'``, ``path = path``, ``path != ...``, ``in-list('code-list', path)``,
``matches(path, 'pattern')`` (the whole text), ``not(...)``, ``and``, ``or``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from broker.model.conditions import Condition, Path, Predicate, Step, Test

if TYPE_CHECKING:
    from collections.abc import Mapping


class BadPath(ValueError):
    """A path or condition that cannot be read; the text is for its author."""


_CALLS = frozenset({"in-list", "matches"})
_TOKEN = re.compile(r"\s*(?:(?P<literal>'[^']*')|(?P<name>[^\s'/\[\]()|=!@,]+)|(?P<sign>!=|[/\[\]()|=@,]))")


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
            if name in "[]()|=!=,'" or name.startswith("'"):
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
        values: list[str] = []
        differs = self.peek() == "!="
        if self.peek() in {"=", "!="}:
            self.take()
            if self.peek() == "/":
                other = self.path()
                if other.attribute or any(step.predicates or len(step.names) > 1 for step in other.steps):
                    raise BadPath(f"a predicate in {self.text!r} may be held against a plain path only")
                root = tuple(step.names[0] for step in other.steps)
                return Predicate(steps=tuple(s.names[0] for s in path.steps), attribute=path.attribute, root=root)
            values.append(self.literal())
            while self.peek() == "|":
                self.take()
                values.append(self.literal())
        return Predicate(
            steps=tuple(step.names[0] for step in path.steps),
            attribute=path.attribute,
            value=values[0] if values else None,
            others=tuple(values[1:]),
            differs=differs,
        )

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
        if self.peek() in _CALLS and self.peek(1) == "(":
            return Condition("test", test=self.call())
        path = self.path()
        operator = self.peek()
        if operator in {"=", "!="}:
            self.take()
            if not self.peek().startswith("'"):
                return Condition("test", test=Test(path, operator, other=self.path()))
            return Condition("test", test=Test(path, operator, self.literal()))
        return Condition("test", test=Test(path, "exists"))

    def call(self) -> Test:
        """``in-list('code-list', path)`` or ``matches(path, 'pattern')``, as rules have them."""
        name = self.take()
        self.take("(")
        if name == "in-list":
            value = self.literal()
            self.take(",")
            path = self.path()
        else:
            path = self.path()
            self.take(",")
            value = self.literal()
            try:
                re.compile(value)
            except re.error as error:
                raise BadPath(f"{value!r} in {self.text!r} is no pattern: {error}") from None
        self.take(")")
        return Test(path, name, value)

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
