"""The form in which values are compared: numbers as numbers, instants as instants, masses in kilograms, clean codes."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

ABSENT = frozenset({"", "-", "--", ".", "N/A", "NULL", "S/D", "SIN DATO", "--SELECT--", "NONE"})
"""What stands for nothing, upper case."""

UNITS = {
    "KG": "KGM", "KGS": "KGM", "KILO": "KGM", "KILOS": "KGM", "KILOGRAMO": "KGM", "KILOGRAMOS": "KGM", "KN": "KGM",
    "QUILOGRAMA": "KGM", "QUILOGRAMAS": "KGM", "KILOGRAM": "KGM", "KILOGRAMS": "KGM",
    "G": "GRM", "GR": "GRM", "GRAMOS": "GRM", "GN": "GRM",
    "T": "TNE", "TN": "TNE", "TON": "TNE", "TM": "TNE", "TONELADA": "TNE", "TONELADAS": "TNE",
    "TMN": "TNE", "TMB": "TNE",
    "U": "C62", "UN": "C62", "UND": "C62", "UNID": "C62", "UNIDAD": "C62", "UNIDADES": "C62", "UNIDADE": "C62",
    "PIEZAS": "H87", "PZA": "H87", "PIEZA": "H87", "UNI": "C62",
    "L": "LTR", "LT": "LTR", "LITRO": "LTR", "LITROS": "LTR", "HL": "HLT",
    "M": "MTR", "METROS": "MTR", "M2": "MTK", "MT2": "MTK", "M3": "MTQ", "MCUB": "MTQ",
    "METROS CUADRADOS": "MTK", "METROS CUBICOS": "MTQ", "JUEGO": "SET", "JUEGOS": "SET",
    "PAR": "PR", "PARES": "PR", "DOC": "DZN", "DOCENA": "DZN", "DOCENAS": "DZN", "LB": "LBR", "LBS": "LBR",
}  # fmt: skip
"""What senders write in words, and the unit of Recommendation 20 it is."""
SUBHEADING = 6
"""Digits of a code that names goods in every country."""
KILOGRAMS = {"KGM": Decimal(1), "GRM": Decimal("0.001"), "TNE": Decimal(1000), "LBR": Decimal("0.45359237")}

_INSTANT = re.compile(
    r"(?P<day>\d{4}-?\d\d-?\d\d)(?:[T ]?(?P<h>\d\d):?(?P<m>\d\d):?(?P<s>\d\d)?(?:\.\d+)?)?"
    r"\s*(?P<zone>Z|[+-]\d\d:?(?:\d\d)?)?"
)


def number(text: str) -> str:
    """A number without what does not count: sign of a positive one, zeros behind; empty for what is none."""
    try:
        found = Decimal(text.strip())
    except InvalidOperation:
        return ""
    return f"{found.normalize():f}" if found else "0"


def unit(text: str) -> str:
    """The unit of Recommendation 20 that a sender means."""
    name = re.sub(r"[.()]", "", text).strip().upper()
    return UNITS.get(name, name)


def measure(text: str, unit_code: str) -> tuple[str, tuple[str, ...]]:
    """Number and unit, a mass in kilograms; and the same as the sender has it."""
    plain, code = number(text), unit(unit_code)
    if not plain:
        return "", ()
    own = f"{plain} {code}".strip()
    if code not in KILOGRAMS:
        return own, ()
    return f"{number(str(Decimal(plain) * KILOGRAMS[code]))} KGM", (own,)


def amount(text: str, currency: str) -> str:
    """Number and currency."""
    plain = number(text)
    return f"{plain} {currency.strip().upper()}".strip() if plain else ""


def words(text: str) -> str:
    """A text with single blanks."""
    return " ".join(text.split())


def identifier(text: str) -> str:
    """Letters and digits of a number, upper case."""
    return "".join(c for c in text.upper() if c.isalnum())


def tariff(text: str) -> str:
    """The digits of a Harmonised System code; empty for what is none."""
    digits = re.sub(r"[\s.\-/]", "", text.upper()).removeprefix("HS")
    return digits if digits.isdigit() else ""


def in_full(text: str, form: str) -> str:
    """A date whose form has a year of two digits (UN/EDIFACT 2379: 101, 201, 202), as the ISO day of this century."""
    short = form in {"101", "201", "202"} and text[:6].isdigit()
    return f"20{text[:2]}-{text[2:4]}-{text[4:6]}" if short else text


def moment(text: str) -> tuple[str, tuple[str, ...]]:
    """An instant in UTC where a zone is told, and its own day; or the day alone."""
    found = _INSTANT.fullmatch(text.strip())
    if found is None:
        return "", ()
    try:
        day = date.fromisoformat(found["day"])
    except ValueError:
        return "", ()
    plain = day.strftime("%Y%m%d")
    if found["h"] is None:
        return plain, ()
    clock = timedelta(hours=int(found["h"]), minutes=int(found["m"]), seconds=int(found["s"] or 0))
    local = datetime(day.year, day.month, day.day, tzinfo=UTC) + clock
    if found["zone"] is None:
        return plain, (f"{local:%Y%m%dT%H%M%SZ}",)
    shift = found["zone"].replace(":", "")
    offset = timedelta()
    if shift != "Z":
        offset = timedelta(hours=int(shift[1:3]), minutes=int(shift[3:5] or 0)) * (-1 if shift[0] == "-" else 1)
    return f"{local - offset:%Y%m%dT%H%M%SZ}", (plain, f"{local:%Y%m%d}")
