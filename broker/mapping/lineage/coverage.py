"""What the samples of a document type exercise of its mapping, and what the mapping leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from broker.mapping.language.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from broker.mapping.compiler.bind import Target
    from broker.mapping.compiler.target import Element
    from broker.mapping.language.rows import Group
    from broker.mapping.lineage.explain import Explanation
    from broker.mapping.mapping import RowMapping


@dataclass(frozen=True, slots=True)
class Coverage:
    """Rows and drops that no sample exercises, and mandatory elements of the payload that no row fills."""

    rows: int
    unexercised: tuple[str, ...]
    drops: int
    undropped: tuple[str, ...]
    unfilled: tuple[str, ...]


def cover(mapping: RowMapping, explanations: Iterable[Explanation]) -> Coverage:
    """The coverage of a mapping by samples that it accepted."""
    used_rows: set[str] = set()
    used_drops: set[str] = set()
    for explanation in explanations:
        used_rows.update(origin.row for origin in explanation.lineage)
        used_rows.update(loss.row for loss in explanation.loss if loss.state in {"carried", "folded", "decided"})
        used_drops.update(loss.row for loss in explanation.loss if loss.state == "dropped")
    rows = [entry.name for entry in mapping.plan.entries if isinstance(entry, Row)]
    drops = list(_drops(mapping.rows.body))
    return Coverage(
        len(rows),
        tuple(name for name in rows if name not in used_rows),
        len(drops),
        tuple(name for name in drops if name not in used_drops),
        tuple(_unfilled(mapping.plan.body.target, mapping.declaration.name)),
    )


def _drops(group: Group) -> Iterator[str]:
    for drop in group.drops:
        yield drop.name
    for inner in group.groups:
        yield from _drops(inner)


def _unfilled(target: Target, path: str) -> Iterator[str]:
    """Mandatory children of every class that the mapping writes, and that no row or group writes."""
    filled: dict[str, list[Target]] = {}
    for child in [*target.children, *(group.target for group in target.groups)]:
        filled.setdefault(child.element.name, []).append(child)
    for element in target.element.type.children.values():
        if element.minimum and element.name not in filled and not target.element.is_date_time:
            yield f"{path}/{element.name}"
        for child in filled.get(element.name, ()):
            if _is_class(element):
                label = f"[{child.label}]" if child.label else ""
                yield from _unfilled(child, f"{path}/{element.name}{label}")


def _is_class(element: Element) -> bool:
    return not element.is_leaf and not element.is_date_time
