"""Reads rules beyond a schema: those of a format, of a window, and those that several windows share by id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from broker.model.documents import Rule, Tolerance
from broker.model.errors import Misconfigured
from broker.model.findings import Severity
from broker.toml_table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SharedRules = dict[str, dict[str, Any]]
"""Rules of ``mappings/rules`` by id, as they are written."""


def load_shared(folder: Path) -> SharedRules:
    """Every rule below the folder by its id; raises Misconfigured with file and place."""
    shared: SharedRules = {}
    for file in sorted(folder.rglob("*.toml")):
        table = Table.read(file)
        for place, entry in table.placed("rules"):
            rule = rule_of(Table(entry, place))
            if rule.id in shared:
                raise Misconfigured(f"{file}: the shared rule {rule.id} exists already")
            shared[rule.id] = dict(entry) if isinstance(entry, dict) else {}
        table.end()
    return shared


def filled(entry: object, shared: Mapping[str, Mapping[str, Any]], place: str) -> object:
    """The rule of a window with what it ``extends`` filled in; what it says itself stands, sentences by language."""
    if not isinstance(entry, dict) or "extends" not in entry:
        return entry
    base = shared.get(entry["extends"]) if isinstance(entry["extends"], str) else None
    if base is None:
        raise Misconfigured(f"{place}: there is no shared rule {entry['extends']!r} in mappings/rules")
    own = {key: value for key, value in entry.items() if key != "extends"}
    message = own.get("message", {})
    sentences = {**base["message"], **message} if isinstance(message, dict) else message
    return {**base, **own, "message": sentences}


def rules_of(table: Table) -> tuple[Rule, ...]:
    """The rules of a ``rules.toml``."""
    return tuple(rule_of(entry) for entry in table.tables("rules"))


def rule_of(entry: Table) -> Rule:
    """One rule; raises Misconfigured."""
    rule = Rule(
        id=entry.text("id"),
        each=entry.text("each", "."),
        when=entry.text("when", ""),
        test=entry.text("test", ""),
        unique=entry.choice("unique", ("", "text", "number"), ""),
        at=entry.text("at", "."),
        message=entry.names("message"),
        severity=entry.choice("severity", tuple(Severity), Severity.ERROR),
    )
    entry.end()
    if bool(rule.test) == bool(rule.unique):
        raise entry.wrong(f"{rule.id}: one of test and unique must be there")
    if not rule.message.get("en"):
        raise entry.wrong(f"{rule.id}: message.en is missing")
    return rule


def tolerances_of(table: Table) -> tuple[Tolerance, ...]:
    """The named quirks of a ``document.toml`` that are taken with a warning."""
    found = []
    for entry in table.tables("tolerates"):
        one = Tolerance(entry.text("id"), entry.text("why"), entry.text("ignore", ""), entry.text("trim", ""))
        if bool(one.ignore) == bool(one.trim):
            raise entry.wrong("one of ignore and trim must be there, as an XPath")
        found.append(one)
        entry.end()
    return tuple(found)
