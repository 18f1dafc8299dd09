"""Rules beyond a schema: XPath 1.0 conditions as data, each broken one at its place."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lxml import etree

from broker.model.documents import Rule, Tolerance
from broker.model.errors import Misconfigured
from broker.model.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from broker.toml_table import Table

_LAST_STEP = re.compile(r"/+(?:[^/\[]|\[[^\]]*\])*$")


def broken(
    root: etree._Element, rules: Iterable[Rule], namespaces: Mapping[str, str]
) -> Iterator[tuple[Rule, etree._Element, str | None]]:
    """Each rule that does not hold, with the place to point at."""
    prefixes = tuple(sorted(namespaces.items()))
    for rule in rules:
        for node, attribute in places(root, _failing(rule), prefixes, rule.id):
            yield rule, *((node, attribute) if attribute else _at(node, rule, prefixes))


def places(
    root: etree._Element, expression: str, prefixes: tuple[tuple[str, str], ...], what: str
) -> Iterator[tuple[etree._Element, str | None]]:
    """The elements and attributes that an expression selects; a text stands for its element."""
    found = _xpath(expression, prefixes, what)(root)
    for one in found if isinstance(found, list) else ():
        if etree.iselement(one):
            yield one, None
        elif one.getparent() is not None:
            yield one.getparent(), one.attrname if one.is_attribute else None


def check(rules: Iterable[Rule], namespaces: Mapping[str, str], tolerates: Iterable[Tolerance] = ()) -> None:
    """Raises Misconfigured for a rule or tolerance that is no XPath or uses a prefix nobody declared."""
    prefixes = tuple(sorted(namespaces.items()))
    nothing = etree.Element("nothing")
    for rule in rules:
        list(places(nothing, _failing(rule), prefixes, rule.id))
        for expression in _fallbacks(rule.at):
            list(places(nothing, expression, prefixes, rule.id))
    for tolerance in tolerates:
        list(places(nothing, tolerance.ignore or tolerance.trim, prefixes, tolerance.id))


def rules_of(table: Table) -> tuple[Rule, ...]:
    """The rules of a ``rules.toml``."""
    found = []
    for entry in table.tables("rules"):
        rule = Rule(
            id=entry.text("id"),
            each=entry.text("each", "."),
            when=entry.text("when", ""),
            test=entry.text("test"),
            at=entry.text("at", "."),
            message=entry.names("message"),
            severity=entry.choice("severity", tuple(Severity), Severity.ERROR),
        )
        entry.end()
        if "en" not in rule.message:
            raise entry.wrong(f"{rule.id}: message.en is missing")
        found.append(rule)
    return tuple(found)


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


def _failing(rule: Rule) -> str:
    """One expression that selects what breaks the rule: attributes too, which XPath from Python cannot start from."""
    condition = f"[{rule.when}]" if rule.when else ""
    return f"({rule.each}){condition}[not({rule.test})]"


def _at(node: etree._Element, rule: Rule, prefixes: tuple[tuple[str, str], ...]) -> tuple[etree._Element, str | None]:
    """Where ``at`` leads, else its nearest parent that is there, else the context node itself."""
    for expression in _fallbacks(rule.at):
        place = next(places(node, expression, prefixes, rule.id), None)
        if place is not None:
            return place
    return node, None


def _fallbacks(expression: str) -> Iterator[str]:
    while expression and expression != ".":
        yield expression
        shorter = _LAST_STEP.sub("", expression)
        expression = "" if shorter == expression else shorter


@lru_cache(maxsize=4096)
def _xpath(expression: str, prefixes: tuple[tuple[str, str], ...], what: str) -> Any:  # noqa: ANN401 -- lxml's XPath
    try:
        compiled = etree.XPath(expression, namespaces=dict(prefixes))
        compiled(etree.Element("nothing"))
    except (etree.XPathError, ValueError) as error:
        raise Misconfigured(f"{what}: {expression} is not a valid XPath 1.0 expression: {error}") from error
    return compiled
