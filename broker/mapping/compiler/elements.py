"""Writes the text of the payload's elements, bottom up, in the order of the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.mapping.compiler.bind import PlannedGroup
from broker.mapping.compiler.values import target_size, variable
from broker.mapping.runtime.run import escape
from broker.model.errors import Misconfigured

if TYPE_CHECKING:
    from broker.mapping.compiler.bind import PlannedRow, Target
    from broker.mapping.compiler.emit import Emitter
    from broker.mapping.compiler.origins import OriginWriter
    from broker.mapping.compiler.source_tree import Scope


class Texts:
    """The expressions that put an element together, if anything in it has a source."""

    def __init__(self, emit: Emitter, origins: OriginWriter) -> None:
        self.emit = emit
        self.origins = origins

    def assemble(self, target: Target, indent: int, *, is_root: bool = False, each: str = "") -> None:
        """Build the text of a class in ``oN`` (its live leaves, traced, in ``m_oN``)."""
        for child in target.children:
            if not child.element.is_leaf and not child.element.is_date_time and not self.is_fixed(child):
                self.assemble(child, indent)
            elif is_root and self.is_fixed(child) and child.children:
                raise Misconfigured(
                    f"{child.element.name}[{child.label}] holds only constants: nothing makes it appear"
                )
        live, notes, needed = self._life(target)
        number = target.number
        if self.emit.traced:
            self.emit.add(indent, f"m_{number} = {' + '.join(notes) or '()'}")
        extra = "()" if is_root else f"m_{number}"
        text = self._text(target, extra, is_root=is_root, each=each)
        folded = self._folded(target)
        if is_root:
            self.emit.add(indent, f"{number} = {text}")
            return
        condition = f"({' or '.join(live)})" + "".join(f" and {n}" for n in needed)
        self.emit.add(indent, f"{number} = ''")
        self.emit.add(indent, f"if {condition}:")
        if folded is not None:
            size = target_size(folded)
            t = f"t{folded.number}"
            self.emit.add(indent + 1, f"for {t} in fold({t}, {size}) or ['']: {number} += {text}")
        else:
            self.emit.add(indent + 1, f"{number} = {text}")
        if needed:
            leaves = [pair for row in self._all_rows(target) if row.sources for pair in self.origins.leaf_pairs(row)]
            leaves += [f"*run.inside({scope.walk}s)" for scope in self._all_scopes(target)]
            self.emit.add(indent, f"elif {' or '.join(live)}:")
            missing = ", ".join(c.element.name for c in target.children if variable(c) in needed)
            row = next((row.number for row in self._all_rows(target)), 0)
            reason = f"{target.element.name} is left out: it needs {missing}"
            self.emit.add(indent + 1, f"run.lost({row}, {reason!r}, {', '.join(leaves)})")
            if self.emit.traced:
                self.emit.add(indent + 1, f"m_{number} = ()")
        elif self.emit.traced:
            self.emit.add(indent, f"else: m_{number} = ()")

    def is_fixed(self, target: Target) -> bool:
        """Nothing in it has a source: it appears wherever its parent does."""
        return (
            not target.groups
            and all(row.is_constant for row in target.rows)
            and all(self.is_fixed(child) for child in target.children)
        )

    def _own_rows(self, target: Target) -> list[PlannedRow]:
        return [row for child in target.children for row in child.rows]

    def _all_rows(self, target: Target) -> list[PlannedRow]:
        return [*target.rows, *(row for child in target.children for row in self._all_rows(child))]

    def _all_scopes(self, target: Target) -> list[Scope]:
        own = [group.chain[0][0] for group in target.groups]
        return [*own, *(scope for child in target.children for scope in self._all_scopes(child))]

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
                    needed.append(variable(child))
            elif not self.is_fixed(child):
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
        if self.emit.traced and each:
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
            elif self.is_fixed(part):
                parts.append(self._text(part, extra, is_root=False))
            else:
                parts.append(part.number)
        parts.append(repr(f"</{name}>"))
        return " + ".join(parts)

    def _leaf(self, target: Target, row: PlannedRow, extra: str) -> str:
        n, name, element = row.number, target.element.name, target.element
        mark = (
            f" + run.mark(n{n}, {extra if row.is_constant or row.row.default is not None else '()'}, '')"
            if self.emit.traced
            else ""
        )
        if element.is_date_time:
            form = f"('102' if len(t{n}) == 8 else '304')"
            marks = f" + run.mark(n{n}, (), 'formatCode')" if self.emit.traced else ""
            text = (
                f"'<{name}><ds:DateTimeString formatCode=\"' + {form} + '\">'{marks}{mark} + t{n}"
                f" + '</ds:DateTimeString></{name}>'"
            )
            return f"({text} if t{n} else '')"
        attributes: list[str] = []
        origins: list[str] = []
        unit = element.unit_attribute()
        if unit is not None and (row.row.unit or row.row.unit_default):
            attributes.append(f"(' {unit.name}=\"' + quoted(u{n}) + '\"' if u{n} else '')")
            if self.emit.traced:
                note = f"({n}, {self.origins.unit_leaves(row)}, {self.origins.unit_deciders(row)})"
                origins.append(f"(run.mark({note}, (), {unit.name!r}) if u{n} else '')")
        for attribute, rows in target.attributes.items():
            for other in rows:
                m = other.number
                attributes.append(f"(' {attribute}=\"' + quoted(t{m}) + '\"' if t{m} else '')")
                if self.emit.traced:
                    more = f"n{n}[1] + n{n}[2]"
                    origins.append(f"(run.mark(n{m}, {more}, {attribute!r}) if t{m} else '')")
        pieces = [f"'<{name}'", *attributes, "'>'", *origins] if attributes else [f"'<{name}>'"]
        plain = row.is_constant and not row.row.transforms
        text = repr(escape(row.row.value or "")) if plain else f"esc(t{n})"
        return f"({' + '.join(pieces)}{mark} + {text} + '</{name}>' if t{n} else '')"


def _date_namespace(target: Target) -> str:
    for element in target.element.type.children.values():
        if element.is_date_time:
            return element.type.children["DateTimeString"].namespace
    raise Misconfigured(f"{target.element.name} has no date-time")
