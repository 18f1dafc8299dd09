"""Rows of a mapping as frozen values, read from mapping.toml; every mistake is told with file and row."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from broker.content.conditions import BadPath, read_condition, read_path
from broker.mapping.language.statements import written_out
from broker.model.errors import Misconfigured
from broker.toml_table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from broker.model.conditions import Condition, Path

ANYWHERE = "//@"
_T = TypeVar("_T")
_V = TypeVar("_V")
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
    """Of several values in the source: ``tell`` the others whatever carries them, or ``refuse``: none is right."""
    note: str = ""
    label: str = ""
    label_es: str = ""


_PLAIN = ("id", "unit_codes", "unit_map", "codes", "map", "scheme_list", "identifier", "otherwise", "note")


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


class BadRows(Misconfigured):
    """Rows that cannot be read, all told; and the others, for whoever looks further."""

    def __init__(self, others: Rows, faults: Sequence[Misconfigured]) -> None:
        super().__init__(faults=faults)
        self.others = others


def read_rows(data: Mapping[str, Any], namespaces: Mapping[str, str], file: str, base: str = "") -> Rows:
    """The rows that a mapping.toml (already merged with what it extends) holds; raises Misconfigured."""
    data = written_out(data)
    digest = hashlib.sha256(json.dumps([data, dict(namespaces)], sort_keys=True, default=str).encode()).hexdigest()
    table = Table(data, file)
    table.for_people("note", "extends")
    version, date = table.text("version", "1"), table.text("date", "")
    reader = _RowReader(namespaces, table.names("paths"), file)
    picks = next(iter(reader.each([date] if date else [], reader.path, "date")), None)
    body = reader.group(table, "", "")
    reader.each([table], lambda whole, _: whole.end(), "")
    rows = Rows(version, digest, picks, body, file, base)
    if reader.faults:
        raise BadRows(rows, reader.faults)
    return rows


class _RowReader:
    def __init__(self, namespaces: Mapping[str, str], paths: dict[str, str], file: str) -> None:
        self.namespaces = namespaces
        self.paths = paths
        self.file = file
        self.names: dict[str, int] = {}
        self.known: dict[str, Path] = {}
        """Paths already read, by their text: the same ones stand in many rows."""
        self.faults: list[Misconfigured] = []

    def each(self, entries: Iterable[_T], read: Callable[[_T, str], _V], prefix: str) -> tuple[_V, ...]:
        """Every entry that can be read; what is wrong with the others is kept, so that all is told at once."""
        found = []
        for entry in entries:
            try:
                found.append(read(entry, prefix))
            except Misconfigured as error:
                self.faults.append(error)
        return tuple(found)

    def fail(self, where: str, sentence: str) -> Misconfigured:
        return Misconfigured(f"{self.file}: {where}: {sentence}")

    def table(self, content: object, where: str) -> Table:
        return Table(content, f"{self.file}: {where}")

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

    def one_group(self, content: object, prefix: str) -> Group:
        """A group below another, or below the document, read to its end."""
        to, each = (content.get(key, "") if isinstance(content, dict) else "" for key in ("to", "each"))
        name = "/".join(part for part in (prefix, str(to)) if part)
        entry = self.table(content, f"group {name or each}")
        entry.for_people("note")
        group = self.group(entry, name, entry.text("to", ""))
        entry.end()
        return group

    def group(self, table: Table, name: str, to: str) -> Group:
        where = table.place.removeprefix(f"{self.file}: ")
        is_document = table.place == self.file
        each = "." if is_document else table.text("each", "")
        if not each:
            raise table.wrong("`each` is missing: the source element that the group repeats for")
        if not to and not is_document and "fields" in table:
            raise table.wrong("a group without `to` only iterates: put its fields into a group with `to`")
        when = "" if is_document else table.text("when", "")
        return Group(
            name,
            to,
            self.path(each, where),
            self.condition(when, where),
            when,
            self.each(table.contents("fields"), self.row, name),
            self.each(table.contents("drops"), self.drop, name),
            self.each(table.contents("groups"), self.one_group, name),
        )

    def drop(self, content: object, prefix: str) -> Drop:
        said = content.get("from", content) if isinstance(content, dict) else content
        where = f"drop {said}"
        table = self.table(content, where)
        text, why = table.text("from", ""), table.text("why", "")
        table.end()
        if not text or not why:
            raise table.wrong("a drop needs `from` and `why`: nothing is left out without a reason")
        name = self.unique(f"drop {'/'.join(p for p in (prefix, text) if p)}")
        if text.startswith(ANYWHERE):
            return Drop(name, None, self.path(text[2:], where).attribute, why, text)
        return Drop(name, self.path(text, where), "", why, text)

    def row(self, content: object, prefix: str) -> Row:
        said = content.get("to") or content if isinstance(content, dict) else content
        where = f"row {said}"
        table = self.table(content, where)
        if "statement" in table:
            raise table.wrong(
                "a statement is a text like 'CODE' or 'CODE[label]', without `to` and `id`; it `points` at WCO classes"
            )
        to = table.text("to", "")
        if not to:
            raise table.wrong("`to` is missing: the element of the payload, or `statement`")
        if table.is_table("otherwise"):
            raise table.wrong("`otherwise` is a path, or { statement = 'CODE' }")
        constants = {key: table.text(key, "") for key in ("value", "default", "unit_default") if key in table}
        sources, transforms = table.texts("from"), table.texts("transform")
        why, when = table.text("why", ""), table.text("when", "")
        if not sources and "value" not in constants and "position" not in transforms:
            raise table.wrong("say where the value comes from: `from`, or `value` with `why`")
        if constants and not why:
            raise table.wrong("a constant needs its reason: `why`")
        if sources and "value" in constants:
            raise table.wrong("`from` and `value` exclude each other; use `default` for an absent source")
        label, label_es = self.labels(table)
        row = Row(
            name=self.unique("/".join(p for p in (prefix, to) if p)),
            to=to,
            sources=tuple(self.path(s, where) for s in sources),
            join=table.text("join", "") if "join" in table else None,
            unit=tuple(self.path(u, where) for u in table.texts("unit")),
            scheme=self.path(table.text("scheme"), where) if "scheme" in table else None,
            transforms=transforms,
            why=why,
            when=self.condition(when, where),
            when_text=when,
            several=table.choice("several", ("", "tell", "refuse"), ""),
            required=table.flag("required", default=False),
            map_else=table.choice("map_else", ("drop", "keep"), "drop"),
            label=label,
            label_es=label_es,
            **constants,
            **{key: table.text(key, "") for key in _PLAIN},
        )
        table.end()
        return row

    @staticmethod
    def labels(table: Table) -> tuple[str, str]:
        """The plain name of a source in English and, where it is given, in Spanish."""
        words = table.texts("label")
        if len(words) > 2:
            raise table.wrong("`label` is a text, or two: [English, Spanish]")
        english, spanish = (*words, "", "")[:2]
        return english, spanish

    def unique(self, name: str) -> str:
        self.names[name] = self.names.get(name, 0) + 1
        return name if self.names[name] == 1 else f"{name}#{self.names[name]}"
