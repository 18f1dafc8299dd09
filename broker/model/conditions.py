"""Paths and conditions as they are written in data files, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Predicate:
    """What a step's element must satisfy: a position, a child path or attribute that exists or has a value, a name."""

    position: int = 0
    names: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    attribute: str = ""
    value: str | None = None
    others: tuple[str, ...] = ()
    """Further values that do as well."""
    root: tuple[str, ...] = ()
    """It has the value that stands at this path from the document's root."""
    differs: bool = False
    """It has none of the values, or is not there."""


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
    """A comparison: operator ``exists``, ``=`` or ``!=`` with a text or another path, ``in-list`` or ``matches``."""

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
