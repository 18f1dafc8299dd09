"""The short forms of mapping.toml written out: a statement is one row, and one reason may drop many paths.

    { statement = "INV-TIME", from = "cbc:IssueTime" }                     # what the statement is, and its text
    { to = "Exporter/Name", from = "...", otherwise = { statement = "EXPORTER" } }
    { why = "taxes are not declared here", from = ["cac:TaxTotal", "cac:WithholdingTaxTotal"] }

A statement is an AdditionalInformation (WCO class 03A): StatementCode (226) says what it is, StatementDescription (225)
holds it. Its code is its label too; ``COD-OPERATOR[third]`` is a second statement of the same code. Alone,
``{ statement = ["EXPORTER", "IMPORTER"] }`` keeps their places in the order of statements; the texts are what an
``otherwise`` puts there. ``points = "42A/67A/30A/04A/239"`` says what it belongs to: WCO classes from the Declaration
down (Pointer, 375), and the element in the last of them (381).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

CLASS, CODE, TEXT = "AdditionalInformation", "StatementCode", "StatementDescription"
WHY = "says what the statement is"
"""The reason of every statement code; rows need not repeat it."""
WHERE = "leads to the element that the statement belongs to"
"""The reason of its pointers."""
_POINTS = re.compile(r"(?:\d\d[A-Z]/)+[A-Z]?\d{3}")  # WCO 375, class by class, then 381
_STATEMENT = re.compile(r"(?P<code>[^\[\]]+?)(?:\[(?P<label>[^\[\]]+)\])?")


def written_out(data: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping or one of its groups with every short form written out as plain rows and drops.

    What is already plain stays; what is no short form of ours (a statement that is no text, say) stays too, so that the
    reader of rows can complain of it.
    """
    plain = dict(data)
    if "fields" in data:
        plain["fields"] = list(_rows(data["fields"], data.get("to", "")))
    if "drops" in data:
        plain["drops"] = [single for drop in data["drops"] for single in _single(drop)]
    if "groups" in data:
        plain["groups"] = [written_out(group) for group in data["groups"]]
    return plain


def _rows(rows: Sequence[Mapping[str, Any]], group: str) -> Iterator[Mapping[str, Any]]:
    """Rows as the engine knows them; what a statement is stands before its first text."""
    inside = group.rpartition("/")[2].partition("[")[0] == CLASS
    said = {place for row in rows for _, place, _ in _places(row, inside=inside)}
    for row in rows:
        places = _places(row, inside=inside)
        for statement in places:
            yield from _identity(statement)
        if places:
            continue
        plain, named = _plain(row, inside=inside)
        for statement in named:
            if statement[1] not in said:
                said.add(statement[1])
                yield from ({**one, "remove": True} if row.get("remove") else one for one in _identity(statement))
        yield plain


_Statement = tuple[str, str, str]
"""Its code, the path of its element, and what it points at."""


def _plain(row: Mapping[str, Any], *, inside: bool) -> tuple[Mapping[str, Any], list[_Statement]]:
    """The row with paths in place of the statements that it names, and those statements."""
    plain, named = row, []
    found = _place(row.get("statement"), row.get("points", ""), inside=inside)
    if found is not None and not {"to", "id"} & row.keys():
        plain = {"to": f"{found[1]}{TEXT}"} | ({} if row.get("remove") else {"id": "225"})
        plain |= {key: value for key, value in row.items() if key not in {"statement", "points"}}
        named.append(found)
    other = row.get("otherwise")
    if isinstance(other, dict) and other.keys() <= {"statement", "points"}:
        fallback = _place(other.get("statement"), other.get("points", ""), inside=False)
        if fallback is not None:
            plain = {**plain, "otherwise": f"{fallback[1]}{TEXT}"}
            named.append(fallback)
    return plain, named


def _places(row: Mapping[str, Any], *, inside: bool) -> list[_Statement]:
    """The statements that a row only gives a place in the order; none when it says anything else."""
    codes = row.get("statement") if row.keys() == {"statement"} else []
    found = [_place(code, "", inside=inside) for code in (codes if isinstance(codes, list) else [codes])]
    return [one for one in found if one is not None] if None not in found else []


def _place(statement: object, points: object, *, inside: bool) -> _Statement | None:
    """A statement and the path of its element; None for what is none."""
    match = _STATEMENT.fullmatch(statement) if isinstance(statement, str) else None
    if match is None or not isinstance(points, str) or not (points == "" or _POINTS.fullmatch(points)):
        return None
    label = " ".join(part for part in (match["code"], match["label"]) if part)
    return match["code"], "" if inside else f"{CLASS}[{label}]/", points


def _identity(statement: _Statement) -> Iterator[dict[str, str]]:
    """The constant rows that say what a statement is, and what it belongs to."""
    code, place, points = statement
    yield {"to": f"{place}{CODE}", "id": "226", "value": code, "why": WHY}
    classes, _, element = points.rpartition("/")
    for section in classes.split("/") if classes else ():
        at = f"{place}Pointer[{section}]"
        yield {"to": f"{at}/DocumentSectionCode", "id": "375", "value": section, "why": WHERE}
    if element:
        yield {"to": f"{at}/TagID", "id": "381", "value": element, "why": WHERE}


def _single(drop: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """One drop for each path of a reason."""
    paths = drop.get("from")
    return [{**drop, "from": path} for path in paths] if isinstance(paths, list) else [drop]
