"""The steps between a source text and a target value, as one function per row, composed when the mapping loads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.mapping.runtime.transforms import STRUCTURAL, TRANSFORMS, Unfit
from broker.model.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from broker.mapping.compiler.target import Simple
    from broker.mapping.language.rows import Row
    from broker.registry.codelists import CodeList

    Convert = Callable[[str, date | None], str]


def converter(row: Row, content: Simple | None, code_lists: Mapping[str, CodeList]) -> Convert:
    """Transforms, translation table, code list and the limits of the target; raises Unfit where one does not hold."""
    names = [name for name in row.transforms if name not in STRUCTURAL]
    if content is None and not {"date", "datetime"} & set(names):
        names.append("datetime")
    if content is not None and content.is_number and not {"decimal", "decimal-comma", "integer"} & set(names):
        names.append("decimal")
    for name in names:
        if name not in TRANSFORMS:
            raise Misconfigured(f"row {row.name}: no transform {name!r}; there are {', '.join(sorted(TRANSFORMS))}")
    coded = _coded(row.map, row.map_else, row.codes, code_lists, row.name)
    check = content.checker() if content is not None and "fold" not in row.transforms else None
    return _chain([TRANSFORMS[name] for name in names], coded, check)


def unit_converter(row: Row, content: Simple, code_lists: Mapping[str, CodeList]) -> Convert:
    """The same for the unit of a measured value."""
    return _chain([], _coded(row.unit_map, row.map_else, row.unit_codes, code_lists, row.name), content.checker())


def _chain(
    transforms: Sequence[Callable[[str], str]], coded: Sequence[Convert], check: Callable[[str], None] | None
) -> Convert:
    def convert(text: str, on: date | None) -> str:
        for transform in transforms:
            text = transform(text)
        for step in coded:
            text = step(text, on)
        if check is not None:
            check(text)
        return text

    return convert


def _coded(table: str, otherwise: str, codes: str, code_lists: Mapping[str, CodeList], row: str) -> list[Convert]:
    for name in (table, codes):
        if name and name not in code_lists:
            raise Misconfigured(f"row {row}: there is no code list {name!r} in mappings/codelists")
    steps: list[Convert] = []
    if table:
        steps.append(_translated(code_lists[table], keep=otherwise == "keep"))
    if codes:
        steps.append(_listed(code_lists[codes]))
    return steps


def _translated(table: CodeList, *, keep: bool) -> Convert:
    def convert(text: str, on: date | None) -> str:
        edition = table.edition(on)
        found = edition.translate(text)
        if found is None:
            if keep:
                return text
            raise Unfit("codes.untranslated", f"{text!r} has no counterpart in {table.name} ({edition.version})")
        return found

    return convert


def _listed(codes: CodeList) -> Convert:
    def convert(text: str, on: date | None) -> str:
        reason = codes.reason_against(text, on)
        if reason is not None:
            raise Unfit(*reason)
        return text

    return convert
