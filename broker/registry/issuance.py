"""Reads what makes a certificate one that may be lodged (``issuance.toml`` of a document type, or of an envelope)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.model.issuance import Issuance, Mark, Period, StateMark

if TYPE_CHECKING:
    from broker.toml_table import Table

REVOKED = "state.revoked"


def issuance_of(table: Table) -> Issuance:
    """The table as it stands in a file; raises Misconfigured."""
    return Issuance(
        states=tuple(_state(entry) for entry in table.tables("states")),
        periods=tuple(_period(entry) for entry in table.tables("periods")),
        revoked=tuple(_mark(entry, REVOKED) for entry in table.tables("revoked")),
        unchecked=tuple(_mark(entry) for entry in table.tables("unchecked")),
    )


def _state(table: Table) -> StateMark:
    mark = StateMark(
        at=table.text("at"),
        issued=frozenset(word.casefold() for word in table.texts("issued")),
        ended=frozenset(word.casefold() for word in table.texts("ended")),
        refused={word.casefold(): meaning for word, meaning in table.names("refused").items()},
        is_required=table.flag("required", default=True),
    )
    table.text("why", "")
    if not mark.issued:
        raise table.wrong("issued is missing: the words of a certificate that may be lodged")
    twice = (mark.issued & mark.ended) | (set(mark.refused) & (mark.issued | mark.ended))
    if twice:
        raise table.wrong(f"{', '.join(sorted(twice))} cannot mean two things")
    table.end()
    return mark


def _period(table: Table) -> Period:
    period = Period(begins=table.text("begins", ""), until=table.text("until", ""))
    table.text("why", "")
    if not (period.begins or period.until):
        raise table.wrong("give begins, until or both, as XPaths")
    table.end()
    return period


def _mark(table: Table, code: str = "") -> Mark:
    mark = Mark(at=table.text("at"), code=code or table.text("code"), message=table.text("message"))
    table.end()
    return mark
