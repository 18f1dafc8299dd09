"""Published code lists, each in its editions, and tables that translate one list into another (``mappings/codelists``).

A document's own date picks the edition, unless one is pinned; unknown and expired codes are told apart.
"""

from __future__ import annotations

import csv
import unicodedata
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from broker.model.errors import Misconfigured
from broker.toml_table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

UNKNOWN = "codes.unknown"
EXPIRED = "codes.expired"
_KINDS = ("list", "translation")


@dataclass(frozen=True, slots=True)
class Code:
    """One code: its name in plain words and the days it was valid; further columns of a list are for people."""

    name: str
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class Edition:
    """One published state of a list: a CSV file named by its version, read on first use."""

    version: str
    valid_from: date | None
    valid_to: date | None
    source: str
    file: Path
    includes: Edition | None = None
    """Another list's edition whose codes are all codes of this one."""

    @cached_property
    def codes(self) -> Mapping[str, Code]:
        """Code to what is known of it; of a translation, source to a Code named by its target."""
        return {**(self.includes.codes if self.includes else {}), **self._own}

    @cached_property
    def _own(self) -> Mapping[str, Code]:
        with self.file.open(encoding="utf-8", newline="") as lines:
            rows = csv.DictReader(lines)
            key, *rest = rows.fieldnames or [""]
            codes: dict[str, Code] = {}
            for row in rows:
                if not row[key] or row[key] in codes or None in row:
                    raise Misconfigured(
                        f"{self.file}: line {rows.line_num}: {row[key]!r} is empty, twice there or has too many cells"
                    )
                codes[row[key]] = self._code(row, rest, rows.line_num)
        return codes

    def _code(self, row: dict[str, str], columns: list[str], line: int) -> Code:
        name = row[columns[0]] if columns else ""
        dated = {name: self._day(row[name], line) for name in ("valid_from", "valid_to") if row.get(name)}
        return Code(name or "", dated.get("valid_from"), dated.get("valid_to"))

    def _day(self, text: str, line: int) -> date:
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise Misconfigured(f"{self.file}: line {line}: {text!r} is not a day (CCYY-MM-DD)") from None

    def translate(self, text: str) -> str | None:
        """The counterpart of a text: as written, else without regard to case, accents, blanks and full stops."""
        found = self.codes.get(text) or self._folded.get(folded(text))
        return found.name if found else None

    @cached_property
    def _folded(self) -> Mapping[str, Code]:
        found: dict[str, Code] = {}
        for source, code in self.codes.items():
            found.setdefault(folded(source), code)
        return found


@dataclass(frozen=True)
class CodeList:
    """A list, or a table from one to another, in all its editions, oldest first."""

    name: str
    title: str
    agency: str
    kind: str
    editions: tuple[Edition, ...]
    pinned: Edition | None = None

    def edition(self, on: date | None) -> Edition:
        """The edition of a day: the last that had come into force; the newest when there is no day."""
        if self.pinned is not None or on is None or len(self.editions) == 1:
            return self.pinned or self.editions[-1]
        in_force = (e for e in reversed(self.editions) if e.valid_from is None or e.valid_from <= on)
        return next(in_force, self.editions[0])

    def pin(self, version: str) -> CodeList:
        """The same list, held to one edition whatever the day."""
        edition = next((e for e in self.editions if e.version == version), None)
        if edition is None:
            known = ", ".join(e.version for e in self.editions)
            raise Misconfigured(f"code list {self.name} has no edition {version!r}; there are {known}")
        return replace(self, pinned=edition)

    def reason_against(self, text: str, on: date | None) -> tuple[str, str] | None:
        """Why a code may not stand in a document of that day, as finding code and sentence; None when it may."""
        edition = self.edition(on)
        code = edition.codes.get(text)
        if code is not None and code.valid_from is None and code.valid_to is None:
            return None
        label = f"{self.title} ({self.name}, edition {edition.version})"
        if code is None:
            other = next((e for e in reversed(self.editions) if text in e.codes), None)
            if other is None:
                return UNKNOWN, f"{text!r} is not a code of {label}."
            return EXPIRED, f"{text!r} is not in {label}; it is in edition {other.version}."
        if code.valid_to is not None and (on is None or on > code.valid_to):
            return EXPIRED, f"{text!r} of {label} was valid until {code.valid_to}."
        if code.valid_from is not None and on is not None and on < code.valid_from:
            return EXPIRED, f"{text!r} of {label} is valid from {code.valid_from} only."
        return None


def folded(text: str) -> str:
    """A text as it is compared in a translation."""
    plain = text.replace(".", " ")
    if not plain.isascii():
        plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return " ".join(plain.casefold().split())


def load_code_lists(folder: Path) -> dict[str, CodeList]:
    """Every list of a folder by its name; a list is a folder with ``list.toml`` and one CSV file per edition."""
    return {file.parent.name: load_code_list(file) for file in sorted(folder.glob("*/list.toml"))}


def load_code_list(file: Path) -> CodeList:
    """The list that a ``list.toml`` describes."""
    table = Table.read(file)
    other = table.text("includes", "")
    base = load_code_list(file.parent.with_name(other) / file.name).editions[-1] if other else None
    editions = [_edition(entry, file.parent, base) for entry in table.tables("editions")]
    if not editions:
        raise table.wrong("at least one [[editions]] must be there")
    editions.sort(key=lambda e: e.valid_from or date.min)
    found = CodeList(
        file.parent.name,
        table.text("title"),
        table.text("agency"),
        table.choice("kind", _KINDS, "list"),
        tuple(editions),
    )
    table.end()
    return found


def _edition(table: Table, folder: Path, base: Edition | None) -> Edition:
    version = table.text("version")
    file = folder / f"{version}.csv"
    if not file.is_file():
        raise table.wrong(f"{file.name} is missing beside it")
    edition = Edition(version, table.day("valid_from"), table.day("valid_to"), table.text("source"), file, base)
    table.end()
    return edition
