"""Identifiers by their scheme: first the shape, then the check digits (``mappings/codelists/identifiers.toml``)."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stdnum.exceptions import ValidationError

from broker.model.errors import Misconfigured
from broker.toml_table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

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
    """The numberings of one data folder, and the schemes by which documents name them."""

    kinds: Mapping[str, IdentifierKind]
    schemes: Mapping[str, Mapping[str, str]]

    def check(self, kind: str, value: str) -> str | None:
        """Why a value cannot be an identifier of that kind (``ruc``); None when it may be one."""
        return self._kind(kind).reason_against(value)

    def doubt(self, kind: str, value: str) -> str | None:
        """Why an identifier of right shape is unusual; a hint for people, never a fault."""
        return self._kind(kind).reason_to_doubt(value)

    def ensure(self, kind: str, schemes: str) -> None:
        """Raises Misconfigured where a mapping names a kind or schemes that nobody described."""
        if kind:
            self._kind(kind)
        else:
            self.kind_of(schemes, "")

    def kind_of(self, schemes: str, scheme: str) -> str | None:
        """The kind that a document's scheme stands for (``iso-6523``, ``0195``: ``uen``); None when nobody knows it."""
        if schemes not in self.schemes:
            raise Misconfigured(f"no identifier schemes {schemes!r}; there are {', '.join(self.schemes) or 'none'}")
        return self.schemes[schemes].get(scheme)

    def _kind(self, name: str) -> IdentifierKind:
        if name not in self.kinds:
            raise Misconfigured(f"no identifier kind {name!r}; there are {', '.join(self.kinds) or 'none'}")
        return self.kinds[name]


NO_IDENTIFIERS = Identifiers({}, {})


def load_identifiers(file: Path) -> Identifiers:
    """The numberings that an ``identifiers.toml`` describes; none where there is no such file."""
    if not file.is_file():
        return NO_IDENTIFIERS
    table = Table.read(file)
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
    def checked(value: str, match: re.Match[str]) -> str | None:
        value = match.groupdict().get("number") or value
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
