"""What a mapping.toml lists, and what becomes of it where another extends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from broker.mapping.language.statements import written_out
from broker.toml_table import Table, read_toml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def read_mapping(file: Path) -> dict[str, Any]:
    """What a mapping.toml says, its lists and what rows are told apart by being of the right kind."""
    data = read_toml(file)
    _check(data, str(file))
    return data


def _check(data: Mapping[str, Any], place: str) -> None:
    table = Table(data, place)
    table.names("paths")
    for row in table.tables("fields"):
        row.text("to", "")
    for drop in table.tables("drops"):
        drop.texts("from")
    for group, inner in zip(table.tables("groups"), data.get("groups", ()), strict=True):
        group.text("each")
        group.text("to", "")
        group.text("when", "")
        _check(inner, group.place)


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping that ``extends`` another: its rows replace every row of the same ``to``, others are added.

    A row ``{to, remove = true}`` takes every row of that target away; rows that say what the base says already change
    nothing. Groups are met by ``to``, ``each`` and ``when``.
    """
    base, changes = written_out(base), written_out(changes)
    merged = {**base, **{k: v for k, v in changes.items() if k not in {"fields", "drops", "groups", "paths"}}}
    if "paths" in base or "paths" in changes:
        merged["paths"] = {**base.get("paths", {}), **changes.get("paths", {})}
    was, now = _by_target(base), _by_target(changes)
    replaced = {to for to, rows in now.items() if rows != was.get(to)}
    merged["fields"] = [row for row in base.get("fields", ()) if row.get("to") not in replaced] + [
        row for row in changes.get("fields", ()) if row.get("to") in replaced and not row.get("remove")
    ]
    dropped = {drop.get("from") for drop in changes.get("drops", ())}
    merged["drops"] = [drop for drop in base.get("drops", ()) if drop.get("from") not in dropped] + [
        drop for drop in changes.get("drops", ()) if not drop.get("remove")
    ]
    groups = {(g.get("to", ""), g["each"], g.get("when", "")): g for g in base.get("groups", ())}
    for group in changes.get("groups", ()):
        key = (group.get("to", ""), group["each"], group.get("when", ""))
        groups[key] = merge(groups[key], group) if key in groups else group
    merged["groups"] = [g for g in groups.values() if not g.get("remove")]
    return merged


def _by_target(data: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for row in data.get("fields", ()):
        rows.setdefault(row.get("to", ""), []).append(row)
    return rows
