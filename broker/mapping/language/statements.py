"""The short forms of mapping.toml written out: a statement is one row, and one reason may drop many paths.

    { statement = "INV-TIME", from = "cbc:IssueTime" }                     # what the statement is, and its text
    { to = "Exporter/Name", from = "...", otherwise = { statement = "EXPORTER" } }
    { why = "taxes are not declared here", from = ["cac:TaxTotal", "cac:WithholdingTaxTotal"] }

A statement is an AdditionalInformation (WCO class 03A): StatementCode (226) says what it is, StatementDescription (225)
holds it. Its code is its label too; ``COD-OPERATOR[third]`` is a second statement of the same code. Alone,
``{ statement = ["EXPORTER", "IMPORTER"] }`` keeps their places in the order of statements; the texts are what an
``otherwise`` puts there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

CLASS, CODE, TEXT = "AdditionalInformation", "StatementCode", "StatementDescription"
WHY = "says what the statement is"
"""The reason of every statement code; rows need not repeat it."""
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
    """Rows as the engine knows them; each statement's code stands before its first text."""
    inside = group.rpartition("/")[2].partition("[")[0] == CLASS
    coded = {place for row in rows for _, place in _places(row, inside=inside)}
    for row in rows:
        places = _places(row, inside=inside)
        yield from (_code(code, place) for code, place in places)
        if places:
            continue
        plain = row
        found = _place(row.get("statement"), inside=inside)
        if found is not None and not {"to", "id"} & row.keys():
            plain = {"to": f"{found[1]}{TEXT}"} | ({} if row.get("remove") else {"id": "225"})
            plain |= {key: value for key, value in row.items() if key != "statement"}
            if found[1] not in coded:
                coded.add(found[1])
                yield {"to": f"{found[1]}{CODE}", "remove": True} if row.get("remove") else _code(*found)
        other = row.get("otherwise")
        fallback = _place(other.get("statement"), inside=False) if isinstance(other, dict) and len(other) == 1 else None
        if fallback is not None:
            plain = {**plain, "otherwise": f"{fallback[1]}{TEXT}"}
            if fallback[1] not in coded:
                coded.add(fallback[1])
                yield _code(*fallback)
        yield plain


def _places(row: Mapping[str, Any], *, inside: bool) -> list[tuple[str, str]]:
    """The statements that a row only gives a place in the order; none when it says anything else."""
    codes = row.get("statement") if row.keys() == {"statement"} else []
    found = [_place(code, inside=inside) for code in (codes if isinstance(codes, list) else [codes])]
    return [one for one in found if one is not None] if None not in found else []


def _code(code: str, place: str) -> dict[str, str]:
    """The constant row that says what a statement is."""
    return {"to": f"{place}{CODE}", "id": "226", "value": code, "why": WHY}


def _place(statement: object, *, inside: bool) -> tuple[str, str] | None:
    """The code of a statement and the path of its element; None for what is no statement."""
    match = _STATEMENT.fullmatch(statement) if isinstance(statement, str) else None
    if match is None:
        return None
    label = " ".join(part for part in (match["code"], match["label"]) if part)
    return match["code"], "" if inside else f"{CLASS}[{label}]/"


def _single(drop: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """One drop for each path of a reason."""
    paths = drop.get("from")
    return [{**drop, "from": path} for path in paths] if isinstance(paths, list) else [drop]
