"""Identifiers by their scheme: first the shape, then the check digits (``mappings/codelists/identifiers.toml``)."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from stdnum.exceptions import ValidationError

from broker.model.errors import Misconfigured
from broker.paths import data_root
from broker.toml_table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Check = Callable[[str, re.Match[str]], str | None]
    """An identifier and its match to the reason against it."""

_SEPARATORS = str.maketrans("", "", " .-/\u00a0")


@dataclass(frozen=True, slots=True)
class IdentifierKind:
    """One numbering: its name, its shape, its check, and a check that only raises doubt."""

    name: str
    pattern: re.Pattern[str]
    is_written: bool
    check: Check
    doubt: Check

    def reason_against(self, value: str) -> str | None:
        """Why the identifier cannot be right."""
        return (
            self._reason(value, self.check)
            if self._match(value)
            else f"{value!r} does not have the form of a {self.name}"
        )

    def reason_to_doubt(self, value: str) -> str | None:
        """Why the identifier is unusual, though some real ones are like it."""
        return self._reason(value, self.doubt)

    def _reason(self, value: str, check: Check) -> str | None:
        match = self._match(value)
        reason = check(match[0], match) if match else None
        return f"{value!r} is no {self.name}: {reason}" if reason else None

    def _match(self, value: str) -> re.Match[str] | None:
        return self.pattern.fullmatch(value.strip() if self.is_written else value.translate(_SEPARATORS).upper())


@dataclass(frozen=True, slots=True)
class Identifiers:
    kinds: Mapping[str, IdentifierKind]
    schemes: Mapping[str, Mapping[str, str]]


def check(kind: str, value: str) -> str | None:
    """Why a value cannot be an identifier of that kind (``ruc``); None when it may be one."""
    return _kind(kind).reason_against(value)


def doubt(kind: str, value: str) -> str | None:
    """Why an identifier of right shape is unusual; a hint for people, never a fault."""
    return _kind(kind).reason_to_doubt(value)


def ensure(kind: str, schemes: str) -> None:
    """Raises Misconfigured where a mapping names a kind or schemes that nobody described."""
    if kind:
        _kind(kind)
    else:
        kind_of(schemes, "")


def kind_of(schemes: str, scheme: str) -> str | None:
    """The kind that a document's scheme stands for (``iso-6523``, ``0195``: ``uen``); None when nobody knows it."""
    known = _identifiers().schemes
    if schemes not in known:
        raise Misconfigured(f"no identifier schemes {schemes!r}; there are {', '.join(known)}")
    return known[schemes].get(scheme)


def _kind(name: str) -> IdentifierKind:
    kinds = _identifiers().kinds
    if name not in kinds:
        raise Misconfigured(f"no identifier kind {name!r}; there are {', '.join(kinds)}")
    return kinds[name]


@cache
def _identifiers() -> Identifiers:
    table = Table.read(data_root() / "mappings" / "codelists" / "identifiers.toml")
    kinds, schemes = table.table("kinds"), table.table("schemes")
    found = Identifiers(
        {name: _read_kind(kinds.table(name)) for name in kinds.unread()},
        {name: schemes.names(name) for name in schemes.unread()},
    )
    for name, kind in ((s, k) for s, ids in found.schemes.items() for k in ids.values()):
        if kind not in found.kinds:
            raise schemes.wrong(f"{name}: there is no kind {kind!r}")
    table.end()
    return found


def _read_kind(table: Table) -> IdentifierKind:
    name, is_written = table.text("name"), table.flag("written", default=False)
    try:
        pattern = re.compile(table.text("pattern"))
    except re.error as error:
        raise table.wrong(f"pattern: {error}") from None
    kind = IdentifierKind(
        name, pattern, is_written, _read_check(table.table("check")), _read_check(table.table("doubt"))
    )
    table.end()
    return kind


def _read_check(table: Table) -> Check:
    made: Check
    match table.unread()[:1]:
        case []:
            return lambda _value, _match: None
        case ["stdnum"]:
            made = _stdnum(table.text("stdnum"), table.texts("options"))
        case ["prefixes"]:
            made = _prefixes(table.texts("prefixes"))
        case ["luhn"]:
            made = _luhn(table.text("luhn"), table.texts("letters"))
        case ["mod7"]:
            made = _mod7(table.text("mod7"))
        case ["weighted"]:
            made = _weighted(table)
        case other:
            raise table.wrong(f"there is no check {other}")
    table.end()
    return made


def _stdnum(module: str, options: tuple[str, ...]) -> Check:
    def checked(value: str, _match: re.Match[str]) -> str | None:
        numbers = importlib.import_module(f"stdnum.{module}")  # on first use: most documents need one or two
        try:
            numbers.validate(value, **dict.fromkeys(options, True))
        except ValidationError as error:
            return str(error.message).lower().rstrip(".")
        return None

    return checked


def _prefixes(never_given: tuple[str, ...]) -> Check:
    return lambda value, _match: "its prefix was never given" if value.startswith(never_given) else None


def _luhn(reason: str, letters: tuple[str, ...]) -> Check:
    as_digits = str.maketrans(*letters) if letters else {}

    def checked(value: str, _match: re.Match[str]) -> str | None:
        digits = [int(c) for c in value.translate(as_digits)][::-1]
        total = sum(digits[::2]) + sum(sum(divmod(2 * d, 10)) for d in digits[1::2])
        return reason if total % 10 else None

    return checked


def _mod7(reason: str) -> Check:
    return lambda _value, match: reason if int(match["serial"]) % 7 != int(match["check"]) else None


def _weighted(table: Table) -> Check:
    reason, ten, eleven = table.text("weighted"), table.whole("ten"), table.whole("eleven")
    weights = [int(w) for w in table.texts("weights")]

    def checked(_value: str, match: re.Match[str]) -> str | None:
        rest = 11 - sum(w * int(d) for w, d in zip(weights, match["serial"], strict=True)) % 11
        return reason if int(match["check"]) != {10: ten, 11: eleven}.get(rest, rest) else None

    return checked
