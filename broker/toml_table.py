"""TOML tables that know where they stand: every complaint says file, place and what to write instead."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, TypeVar

from broker.model.errors import Misconfigured

if TYPE_CHECKING:
    from pathlib import Path

_T = TypeVar("_T")


class Table:
    """A table that is read key by key; ``end`` raises for what nobody read, so that no misspelt key passes."""

    def __init__(self, content: object, place: str) -> None:
        if not isinstance(content, dict):
            raise Misconfigured(f"{place}: must be a table, not {content!r}")
        self._content: dict[str, object] = dict(content)
        self.place = place

    @classmethod
    def read(cls, file: Path) -> Table:
        try:
            return cls(tomllib.loads(file.read_text(encoding="utf-8")), str(file))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise Misconfigured(f"{file}: not TOML: {error}") from error

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
        return self._texts(key, self._content.pop(key, []))

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
        value = self._content.pop(key, 0)
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
        value = self._content.pop(key, default)
        for one in allowed:
            if value == one:
                return one
        raise self.wrong(f"{key} must be one of {', '.join(map(str, allowed))}, not {value!r}")

    def unread(self) -> list[str]:
        """The keys that nobody has taken yet."""
        return list(self._content)

    def table(self, key: str) -> Table:
        return Table(self._content.pop(key, {}), f"{self.place}: {key}")

    def tables(self, key: str) -> list[Table]:
        entries = self._content.pop(key, [])
        if not isinstance(entries, list):
            raise self.wrong(f"{key} must be a list of tables, not {entries!r}")
        return [Table(entry, f"{self.place}: {key}[{n}]") for n, entry in enumerate(entries, 1)]

    def end(self) -> None:
        if self._content:
            raise self.wrong(f"unknown key {', '.join(sorted(self._content))}")

    def _take(self, key: str, kind: type[_T], default: _T | None) -> _T | None:
        value = self._content.pop(key, default)
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
