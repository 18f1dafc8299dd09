"""The one reader of data files: TOML tables that know where they stand.

Every complaint says file, place and what to write instead; what is no TOML is told with its line.
"""

from __future__ import annotations

import re
import tomllib
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeVar

from broker.model.errors import Misconfigured

if TYPE_CHECKING:
    from pathlib import Path

_T = TypeVar("_T")
_AT = re.compile(r" \(at line (\d+), column \d+\)$")


def read_toml(file: Path) -> dict[str, Any]:
    """What a TOML file says; raises Misconfigured with its name and, where there is one, the line."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Misconfigured(f"{file}: the file is missing") from None
    except UnicodeDecodeError as error:
        raise Misconfigured(f"{file}: not UTF-8: {error}") from None
    except tomllib.TOMLDecodeError as error:
        found = _AT.search(str(error))
        line = f": line {found[1]}" if found else ""
        raise Misconfigured(f"{file}{line}: not TOML: {_AT.sub('', str(error))}") from None


class Table:
    """A table that is read key by key; ``end`` raises for what nobody read, so that no misspelt key passes."""

    def __init__(self, content: object, place: str) -> None:
        if not isinstance(content, dict):
            raise Misconfigured(f"{place}: must be a table, not {content!r}")
        self._content: dict[str, object] = dict(content)
        self._known: set[str] = set()
        """What it was asked for: what may stand there."""
        self.place = place

    @classmethod
    def read(cls, file: Path) -> Table:
        """The table of a whole file."""
        return cls(read_toml(file), str(file))

    def __bool__(self) -> bool:
        return bool(self._content)

    def wrong(self, what: str) -> Misconfigured:
        return Misconfigured(f"{self.place}: {what}")

    def text(self, key: str, default: str | None = None) -> str:
        """The text; without a default it must be there and not be empty."""
        value = self._take(key, str, default)
        if not value and default is None:
            raise self.wrong(f"{key} is missing")
        return value or ""

    def texts(self, key: str) -> tuple[str, ...]:
        """One text or a list of them."""
        return self._texts(key, self._pop(key, []))

    def texts_by_path(self, key: str) -> dict[str, tuple[str, ...]]:
        """A table whose every value is one text or a list of them."""
        inner = self.table(key)
        return {name: inner._texts(name, value) for name, value in inner._content.items()}  # noqa: SLF001 -- itself

    def names(self, key: str) -> dict[str, str]:
        """A table of texts."""
        inner = self.table(key)
        return {name: inner.text(name) for name in list(inner._content)}  # noqa: SLF001 -- itself

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._take(key, bool, default)
        return default if value is None else value

    def whole(self, key: str, default: int | None = None) -> int | None:
        return self._take(key, int, default)

    def seconds(self, key: str) -> float:
        value = self._pop(key, 0)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.wrong(f"{key} must be a number, not {value!r}")
        return float(value)

    def day(self, key: str) -> date | None:
        return self._take(key, date, None)

    def decimal(self, key: str) -> Decimal | None:
        text = self._take(key, str, None)
        try:
            return None if text is None else Decimal(text)
        except InvalidOperation:
            raise self.wrong(f'{key} must be an exact number as text, like "800.00", not {text!r}') from None

    def choice(self, key: str, allowed: tuple[_T, ...], default: _T) -> _T:
        value = self._pop(key, default)
        for one in allowed:
            if value == one:
                return one
        raise self.wrong(f"{key} must be one of {', '.join(map(str, allowed))}, not {value!r}")

    def unread(self) -> list[str]:
        """The keys that nobody has taken yet."""
        return list(self._content)

    def __contains__(self, key: str) -> bool:
        """Whether something stands there that nobody has read."""
        self._known.add(key)
        return key in self._content

    def for_people(self, *keys: str) -> None:
        """Keys that say something to readers of the file alone."""
        for key in keys:
            self._pop(key, None)

    def table(self, key: str) -> Table:
        return Table(self._pop(key, {}), f"{self.place}: {key}")

    def is_table(self, key: str) -> bool:
        """Whether a table stands there, and nothing simpler."""
        return isinstance(self._content.get(key), dict)

    def contents(self, key: str) -> list[object]:
        """The entries of a list, for those who give each its own place."""
        entries = self._pop(key, [])
        if not isinstance(entries, list):
            raise self.wrong(f"{key} must be a list of tables, not {entries!r}")
        return entries

    def placed(self, key: str) -> list[tuple[str, object]]:
        """The entries of a list, each with its number as its place."""
        return [(f"{self.place}: {key}[{n}]", entry) for n, entry in enumerate(self.contents(key), 1)]

    def tables(self, key: str) -> list[Table]:
        """The tables of a list."""
        return [Table(entry, place) for place, entry in self.placed(key)]

    def end(self) -> None:
        if self._content:
            known = f"; known are {', '.join(sorted(self._known))}" if self._known else ""
            raise self.wrong(f"unknown key {', '.join(sorted(self._content))}{known}")

    def _pop(self, key: str, default: object) -> object:
        self._known.add(key)
        return self._content.pop(key, default)

    def _take(self, key: str, kind: type[_T], default: _T | None) -> _T | None:
        value = self._pop(key, default)
        if value is default:
            return default
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.wrong(f"{key} must be of type {kind.__name__}, not {value!r}")
        return value

    def _texts(self, key: str, value: object) -> tuple[str, ...]:
        entries = [value] if isinstance(value, str) else value
        if not isinstance(entries, list) or not all(isinstance(e, str) for e in entries):
            raise self.wrong(f"{key} must be a text or a list of texts, not {value!r}")
        return tuple(entries)
