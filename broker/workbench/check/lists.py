"""Code lists: editions that can be read and do not overlap, translations that lead to codes and to one only."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from broker.model.errors import Misconfigured
from broker.registry.codelists import CodeList, folded
from broker.workbench.fault import DataFault, of_error, placed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from broker.registry.codelists import Edition
    from broker.workbench.check.scope import CheckScope


def faults(scope: CheckScope) -> Iterator[DataFault]:
    """What is wrong with each list, and where translations lead."""
    codes: dict[str, set[str]] = {}
    for code_list in _all(scope):
        for edition in code_list.editions:
            try:
                codes.setdefault(code_list.name, set()).update(edition.codes)
            except (Misconfigured, OSError, ValueError) as error:
                yield of_error(error, edition.file, scope.root)
        yield from _editions(code_list, scope.root)
    for code_list in _all(scope):
        if code_list.name in codes and code_list.kind == "translation":
            yield from _translation(code_list, scope, codes)
    yield from _strangers(scope)


def _editions(code_list: CodeList, root: Path) -> Iterator[DataFault]:
    """Editions one after another: which one holds on a day must not depend on their order."""
    file = f"mappings/codelists/{code_list.name}/list.toml"
    versions = [edition.version for edition in code_list.editions]
    for version in sorted({one for one in versions if versions.count(one) > 1}):
        yield placed(DataFault(file, f"the edition {version} is there twice", row=version), root, f'"{version}"')
    for edition in code_list.editions:
        if edition.valid_from and edition.valid_to and edition.valid_to < edition.valid_from:
            text = f"the edition {edition.version} ends on {edition.valid_to}, and begins on {edition.valid_from}"
            yield placed(DataFault(file, text, row=edition.version), root, f'"{edition.version}"')
        if not _readable(edition):
            continue
        for code, known in edition.codes.items():
            if known.valid_from and known.valid_to and known.valid_to < known.valid_from:
                text = f"{code} ends on {known.valid_to}, and begins on {known.valid_from}"
                where = f"mappings/codelists/{code_list.name}/{edition.version}.csv"
                yield placed(DataFault(where, text, row=code), root, code)
    for before, after in zip(code_list.editions, code_list.editions[1:], strict=False):
        if before.valid_from is None or after.valid_from is None or before.valid_from == after.valid_from:
            text = f"the editions {before.version} and {after.version} hold on the same days: say valid_from of each"
            yield placed(DataFault(file, text, row=after.version), root, f'"{after.version}"')
        elif before.valid_to and before.valid_to >= after.valid_from:
            text = (
                f"the editions {before.version} (until {before.valid_to}) and {after.version} (from "
                f"{after.valid_from}) overlap: let the first end on {after.valid_from - timedelta(1)}"
            )
            yield placed(DataFault(file, text, row=after.version), root, f'"{after.version}"')


def _translation(code_list: CodeList, scope: CheckScope, codes: dict[str, set[str]]) -> Iterator[DataFault]:
    """Counterparts that the list they lead to does not have, and texts that have two of them."""
    target = _target(code_list.name, scope)
    for edition in code_list.editions:
        where = f"mappings/codelists/{code_list.name}/{edition.version}.csv"
        if not _readable(edition):
            continue
        if target is not None and target.name in codes:
            led = sorted({code.name for code in edition.codes.values()} - codes[target.name])
            if led:
                text = f"leads to what is no code of {target.name}: {', '.join(led)}"
                yield placed(DataFault(where, text), scope.root, f",{led[0]}")
        met: dict[str, tuple[str, str]] = {}
        for source, code in edition.codes.items():
            earlier = met.setdefault(folded(source), (source, code.name))
            if not code.name:
                yield placed(DataFault(where, f"{source} has no counterpart", row=source), scope.root, source)
            elif earlier[1] != code.name:
                text = f"{earlier[0]!r} and {source!r} are one text, and lead to {earlier[1]} and {code.name}"
                yield placed(DataFault(where, text, row=source), scope.root, f"{source},")


def _all(scope: CheckScope) -> list[CodeList]:
    """Every list, as the registry read it."""
    return [one for one in scope.catalogue.code_lists.values() if isinstance(one, CodeList)]


def _target(name: str, scope: CheckScope) -> CodeList | None:
    """The list that a translation named ``x-to-list`` leads to, when it is here."""
    to = name.partition("-to-")[2]
    lists = [one for one in _all(scope) if one.kind == "list"]
    return next((one for one in lists if to and f"-{one.name}".endswith(f"-{to}")), None)


def _strangers(scope: CheckScope) -> Iterator[DataFault]:
    """Files beside a list that no edition names: an edition that was written and never holds."""
    for code_list in _all(scope):
        named = {edition.file.name for edition in code_list.editions} | {"list.toml"}
        for file in sorted((scope.root / "mappings" / "codelists" / code_list.name).iterdir()):
            if file.name not in named and file.suffix in {".csv", ".toml"}:
                yield DataFault(f"mappings/codelists/{code_list.name}/{file.name}", "no edition of list.toml names it")


def _readable(edition: Edition) -> bool:
    try:
        _ = edition.codes
    except (Misconfigured, OSError, ValueError):
        return False  # told already
    return True
