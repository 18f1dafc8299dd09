"""What the parts of the compiler share while they write one function: its lines, its constants, how a place is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from broker.mapping.runtime.run import escape, escape_attribute
from broker.mapping.runtime.transforms import fold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.mapping.compiler.bind import Plan, Read
    from broker.registry.identifiers import Identifiers


class Emitter:
    """The function under construction."""

    def __init__(self, plan: Plan, code_lists: Mapping[str, Any], identifiers: Identifiers, *, traced: bool) -> None:
        self.plan = plan
        self.code_lists = code_lists
        self.identifiers = identifiers
        self.traced = traced
        self.lines: list[str] = []
        self.around: list[str] = []
        """The groups around what is being written."""
        self.constants: dict[str, object] = {
            "esc": escape,
            "quoted": escape_attribute,
            "fold": fold,
            "fullmatch": re.fullmatch,
        }
        self._same: dict[tuple[str, type], list[str]] = {}
        """The names of constants of one kind."""

    def constant(self, prefix: str, value: object) -> str:
        """The name of a value in the generated module; equal values share one."""
        same = self._same.setdefault((prefix, type(value)), [])
        for name in same:
            if self.constants[name] == value:
                return name
        name = f"{prefix}{len(self.constants)}"
        self.constants[name] = value
        same.append(name)
        return name

    def add(self, indent: int, line: str) -> None:
        self.lines.append("    " * indent + line)

    def operand(self, read: Read) -> str:
        """What a condition reads: it decides, and carries nothing."""
        return f"look({self.one(read)}, {read.attribute!r})"

    def pair(self, read: Read) -> str:
        """A place as the runtime takes it: the element and the attribute."""
        return f"({self.one(read)}, {read.attribute!r})"

    @staticmethod
    def one(read: Read) -> str:
        return f"({read.variable}[0] if {read.variable} else None)" if read.many else read.variable
