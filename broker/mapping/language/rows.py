"""Rows of a mapping as frozen values, read from mapping.toml; every mistake is told with file and row."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from broker.mapping.language.paths import BadPath, Condition, Path, read_condition, read_path
from broker.mapping.language.statements import written_out
from broker.model.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

ANYWHERE = "//@"
_NAME = re.compile(r"\{([^{}]*)\}")
"""A name of `paths` in a path or condition."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a mapping: a target element, and how its value comes about."""

    name: str
    to: str
    id: str = ""
    sources: tuple[Path, ...] = ()
    join: str | None = None
    value: str | None = None
    default: str | None = None
    why: str = ""
    unit: tuple[Path, ...] = ()
    """Where its unit stands, the nearest place first: the first that has a value decides."""
    unit_codes: str = ""
    unit_map: str = ""
    unit_default: str = ""
    codes: str = ""
    map: str = ""
    map_else: str = "drop"
    transforms: tuple[str, ...] = ()
    scheme: Path | None = None
    scheme_list: str = ""
    identifier: str = ""
    when: Condition | None = None
    when_text: str = ""
    otherwise: str = ""
    required: bool = False
    several: str = ""
    """``refuse``: of several values in the source none is the right one."""
    note: str = ""
    label: str = ""
    label_es: str = ""


_ROW_KEYS = frozenset(
    {f.name for f in fields(Row)} - {"name", "sources", "transforms", "when_text", "label_es"} | {"from", "transform"}
)


@dataclass(frozen=True, slots=True)
class Drop:
    """A part of the source that is left out on purpose, and why."""

    name: str
    path: Path | None
    anywhere: str
    """Attribute name (Clark) that is dropped wherever it stands; else empty."""
    why: str
    text: str


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that repeat: once per source element."""

    name: str
    to: str
    each: Path
    when: Condition | None
    when_text: str
    rows: tuple[Row, ...]
    drops: tuple[Drop, ...]
    groups: tuple[Group, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """A whole mapping: rows of the document, groups, drops; with version and digest."""

    version: str
    sha256: str
    date: Path | None
    """The date in the document that picks the edition of each code list."""
    body: Group
    file: str
    base: str = ""
    """The document type whose rows they take over."""


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


def read_rows(data: Mapping[str, Any], namespaces: Mapping[str, str], file: str, base: str = "") -> Rows:
    """The rows that a mapping.toml (already merged with what it extends) holds; raises Misconfigured."""
    data = written_out(data)
    reader = _RowReader(namespaces, dict(data.get("paths", {})), file)
    known = {"version", "extends", "date", "paths", "fields", "drops", "groups", "note"}
    reader.no_others(data, known, "mapping")
    digest = hashlib.sha256(json.dumps([data, dict(namespaces)], sort_keys=True, default=str).encode()).hexdigest()
    date = reader.path(data["date"], "date") if "date" in data else None
    body = reader.group({**{k: data[k] for k in ("fields", "drops", "groups") if k in data}, "each": "."}, "")
    return Rows(str(data.get("version", "1")), digest, date, body, file, base)


class _RowReader:
    def __init__(self, namespaces: Mapping[str, str], paths: dict[str, str], file: str) -> None:
        self.namespaces = namespaces
        self.paths = paths
        self.file = file
        self.names: dict[str, int] = {}
        self.known: dict[str, Path] = {}
        """Paths already read, by their text: the same ones stand in many rows."""

    def fail(self, where: str, sentence: str) -> Misconfigured:
        return Misconfigured(f"{self.file}: {where}: {sentence}")

    def no_others(self, data: Mapping[str, Any], known: AbstractSet[str], where: str) -> None:
        others = sorted(set(data) - known)
        if others:
            raise self.fail(where, f"{', '.join(others)} is no key here; known are {', '.join(sorted(known))}")

    def path(self, text: str, where: str) -> Path:
        if text not in self.known:
            try:
                self.known[text] = read_path(self._expand(text), self.namespaces)
            except BadPath as error:
                raise self.fail(where, str(error)) from None
        return self.known[text]

    def condition(self, text: str, where: str) -> Condition | None:
        if not text:
            return None
        try:
            return read_condition(self._expand(text), self.namespaces)
        except BadPath as error:
            raise self.fail(where, str(error)) from None

    def _expand(self, text: str) -> str:
        """The text with every name in braces replaced by its path; raises BadPath for one that no `paths` gives."""
        whole = text
        for _ in range(len(self.paths) + 1):
            names = set(_NAME.findall(text))
            if not names:
                return text
            if strangers := sorted(names - self.paths.keys()):
                raise BadPath(f"{{{strangers[0]}}} in {whole!r} is not among paths: {', '.join(sorted(self.paths))}")
            text = _NAME.sub(lambda match: self.paths[match[1]], text)
        raise BadPath(f"the paths that {whole!r} names lead in a circle")

    def group(self, data: Mapping[str, Any], prefix: str) -> Group:
        to = data.get("to", "")
        name = "/".join(part for part in (prefix, to) if part)
        where = f"group {name or data.get('each')}"
        if prefix or to or data.get("each") != ".":
            self.no_others(data, {"to", "each", "when", "fields", "drops", "groups", "note"}, where)
        if "each" not in data:
            raise self.fail(where, "`each` is missing: the source element that the group repeats for")
        if not to and data.get("fields") and data["each"] != ".":
            raise self.fail(where, "a group without `to` only iterates: put its fields into a group with `to`")
        return Group(
            name,
            to,
            self.path(data["each"], where),
            self.condition(data.get("when", ""), where),
            data.get("when", ""),
            tuple(self.row(row, name) for row in data.get("fields", ())),
            tuple(self.drop(drop, name) for drop in data.get("drops", ())),
            tuple(self.group(group, name) for group in data.get("groups", ())),
            data.get("note", ""),
        )

    def drop(self, data: Mapping[str, Any], prefix: str) -> Drop:
        text = data.get("from", "")
        where = f"drop {text or data}"
        self.no_others(data, {"from", "why"}, where)
        if not text or not data.get("why"):
            raise self.fail(where, "a drop needs `from` and `why`: nothing is left out without a reason")
        name = self.unique(f"drop {'/'.join(p for p in (prefix, text) if p)}")
        if text.startswith(ANYWHERE):
            path = self.path(text[2:], where)
            return Drop(name, None, path.attribute, data["why"], text)
        return Drop(name, self.path(text, where), "", data["why"], text)

    def row(self, data: Mapping[str, Any], prefix: str) -> Row:
        to = data.get("to", "")
        where = f"row {to or data}"
        if "statement" in data:
            raise self.fail(where, "a statement is a text like 'CODE' or 'CODE[label]', and has neither `to` nor `id`")
        if not to:
            raise self.fail(where, "`to` is missing: the element of the payload, or `statement`")
        if not isinstance(data.get("otherwise", ""), str):
            raise self.fail(where, "`otherwise` is a path, or { statement = 'CODE' }")
        self.no_others(data, _ROW_KEYS, where)
        sources = data.get("from", [])
        sources = [sources] if isinstance(sources, str) else sources
        units = data.get("unit", [])
        units = [units] if isinstance(units, str) else units
        if data.get("several", "refuse") != "refuse":
            raise self.fail(
                where, '`several` is "refuse", or not there: then the first is carried, the others are told'
            )
        transforms = data.get("transform", [])
        transforms = [transforms] if isinstance(transforms, str) else transforms
        if not sources and "value" not in data and "position" not in transforms:
            raise self.fail(where, "say where the value comes from: `from`, or `value` with `why`")
        if ("value" in data or "default" in data or "unit_default" in data) and not data.get("why"):
            raise self.fail(where, "a constant needs its reason: `why`")
        if sources and "value" in data:
            raise self.fail(where, "`from` and `value` exclude each other; use `default` for an absent source")
        label, label_es = self.labels(data.get("label", ""), where)
        plain = {
            k: str(data[k])
            for k in (
                "value", "default", "why", "unit_codes", "unit_map", "unit_default", "codes", "map", "map_else",
                "scheme_list", "identifier", "otherwise", "several", "note", "join", "id",
            )
            if k in data
        }  # fmt: skip
        return Row(
            name=self.unique("/".join(p for p in (prefix, to) if p)),
            to=to,
            sources=tuple(self.path(s, where) for s in sources),
            unit=tuple(self.path(u, where) for u in units),
            scheme=self.path(data["scheme"], where) if "scheme" in data else None,
            transforms=tuple(transforms),
            when=self.condition(data.get("when", ""), where),
            when_text=data.get("when", ""),
            required=bool(data.get("required", False)),
            label=label,
            label_es=label_es,
            **plain,
        )

    def labels(self, data: object, where: str) -> tuple[str, str]:
        """The plain name of a source in English and, where it is given, in Spanish."""
        match data:
            case str():
                return data, ""
            case [str(english), str(spanish)]:
                return english, spanish
        raise self.fail(where, f"`label` is a text, or two: [English, Spanish]; not {data!r}")

    def unique(self, name: str) -> str:
        self.names[name] = self.names.get(name, 0) + 1
        return name if self.names[name] == 1 else f"{name}#{self.names[name]}"
