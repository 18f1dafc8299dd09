"""Rules beyond a schema: XPath 1.0 conditions as data, each broken one at its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lxml import etree

from broker.content.xpath_functions import FUNCTIONS
from broker.content.xsd_values import decimal_of
from broker.model.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from broker.model.documents import Rule, Tolerance

Prefixes = tuple[tuple[str, str], ...]
_LAST_STEP = re.compile(r"/+(?:[^/\[]|\[[^\]]*\])*$")


def broken(
    root: etree._Element, rules: tuple[Rule, ...], namespaces: Mapping[str, str]
) -> Iterator[tuple[Rule, etree._Element, str | None]]:
    """Each rule that does not hold, with the place to point at."""
    gate = _gate(rules, namespaces)
    if not gate.lets_through(root):
        for rule in rules:
            yield from _broken(root, rule, gate.prefixes)


def _broken(root: etree._Element, rule: Rule, prefixes: Prefixes) -> Iterator[tuple[Rule, etree._Element, str | None]]:
    if rule.unique:
        for node in _repeated(root, rule, prefixes):
            yield rule, *_at(node, rule, prefixes)
        return
    for node, attribute in places(root, _failing(rule), prefixes, rule.id):
        yield rule, *((node, attribute) if attribute else _at(node, rule, prefixes))


@dataclass(frozen=True, slots=True)
class _Gate:
    """One question for all rules together: most documents break none, and then one answer is enough."""

    made_for: tuple[Rule, ...]
    prefixes: Prefixes
    breaks_one: Any
    """An XPath that holds where a rule with a test is broken; None where no rule has one."""
    unique: tuple[Rule, ...]

    def lets_through(self, root: etree._Element) -> bool:
        if self.breaks_one is not None and self.breaks_one(root):
            return False
        return not any(_repeated(root, rule, self.prefixes) for rule in self.unique)


_GATES: dict[int, _Gate] = {}
"""By the identity of the rules, which a gate keeps, so that no others can have it."""
_MOST_GATES = 512


def _gate(rules: tuple[Rule, ...], namespaces: Mapping[str, str]) -> _Gate:
    found = _GATES.get(id(rules))
    if found is None:
        if len(_GATES) >= _MOST_GATES:
            _GATES.clear()
        prefixes = tuple(sorted(namespaces.items()))
        tested = [f"boolean({_failing(rule)})" for rule in rules if not rule.unique]
        breaks_one = _xpath(" or ".join(tested), prefixes, "rules") if tested else None
        unique = tuple(rule for rule in rules if rule.unique)
        found = _GATES[id(rules)] = _Gate(rules, prefixes, breaks_one, unique)
    return found


def _repeated(root: etree._Element, rule: Rule, prefixes: Prefixes) -> list[etree._Element]:
    """The nodes whose value an earlier one has: one pass, where XPath 1.0 compares each with all before it."""
    nodes = [node for node, _ in places(root, f"({rule.each})", prefixes, rule.id)]
    read = _number if rule.unique == "number" else _text
    seen: set[object] = set()
    found = []
    for node in nodes:
        value = read(node)
        if value in seen:
            found.append(node)
        seen.add(value)
    return found


def _text(node: etree._Element) -> str:
    return node.text or ""


def _number(node: etree._Element) -> object:
    """The exact number that stands there (xs:decimal, XML Schema Part 2, 3.2.3); what is none is equal to nothing."""
    number = decimal_of(node.text or "")
    return object() if number is None else number


def places(
    root: etree._Element, expression: str, prefixes: Prefixes, what: str
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
        list(places(nothing, rule.each if rule.unique else _failing(rule), prefixes, rule.id))
        for expression in _fallbacks(rule.at):
            list(places(nothing, expression, prefixes, rule.id))
    for tolerance in tolerates:
        list(places(nothing, tolerance.ignore or tolerance.trim, prefixes, tolerance.id))


def _failing(rule: Rule) -> str:
    """One expression that selects what breaks the rule: attributes too, which XPath from Python cannot start from."""
    condition = f"[{rule.when}]" if rule.when else ""
    return f"({rule.each}){condition}[not({rule.test})]"


def _at(node: etree._Element, rule: Rule, prefixes: Prefixes) -> tuple[etree._Element, str | None]:
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
def _xpath(expression: str, prefixes: Prefixes, what: str) -> Any:  # noqa: ANN401 -- lxml's XPath
    try:
        compiled = etree.XPath(expression, namespaces=dict(prefixes), extensions=FUNCTIONS)
        compiled(etree.Element("nothing"))
    except (etree.XPathError, ValueError) as error:
        raise Misconfigured(f"{what}: {expression} is not a valid XPath 1.0 expression: {error}") from error
    return compiled
