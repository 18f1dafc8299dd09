"""A window's verdict on a payload: every rule of its profile asked of every place it looks at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from lxml import etree

from broker.content.payload_path import compile_xpath, elements, written
from broker.model.errors import Misconfigured
from broker.model.findings import Finding
from broker.windows.functions import functions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from broker.model.documents import Payload, Rule
    from broker.model.ids import ParticipantCode
    from broker.model.outcomes import Catalogue
    from broker.model.participants import Participant

_ATTRIBUTE = re.compile(r"@[\w.-]+$")


@dataclass(frozen=True, slots=True)
class Decision:
    """What a window decided about one payload."""

    window: ParticipantCode
    findings: tuple[Finding, ...]
    """Each rule that does not hold, with the element it looks at as a path in the payload: it may name one that ought
    to be there and is not, with a predicate where only its content would tell it from others."""

    @property
    def is_accepted(self) -> bool:
        return not any(finding.is_error for finding in self.findings)

    @property
    def verdict(self) -> Literal["accepted", "rejected"]:
        return "accepted" if self.is_accepted else "rejected"


class Window:
    """One single window with the rules of its profile ready to be asked."""

    def __init__(self, participant: Participant, catalogue: Catalogue) -> None:
        self.participant = participant
        self._catalogue = catalogue

    @cached_property
    def _rules(self) -> tuple[_Compiled, ...]:
        helpers = functions(self._catalogue)
        return tuple(_Compiled(rule, helpers) for rule in self.participant.rules)

    def decide(self, payload: Payload, now: datetime) -> Decision:
        """Accepted, or rejected with every finding in the order of the profile."""
        today = now.strftime("%Y%m%d")
        findings = tuple(finding for rule in self._rules for finding in rule.ask(payload.root, today))
        return Decision(self.participant.code, findings)


def windows(catalogue: Catalogue) -> dict[ParticipantCode, Window]:
    """Every window of the catalogue by its code."""
    return {participant.code: Window(participant, catalogue) for participant in catalogue.windows()}


class _Compiled:
    """A rule with its expressions compiled."""

    def __init__(self, rule: Rule, helpers: Mapping[tuple[None, str], Any]) -> None:
        self._rule = rule
        self._each = compile_xpath(rule.each, helpers)
        self._when = compile_xpath(f"boolean({rule.when})", helpers) if rule.when else None
        self._test = compile_xpath(f"boolean({rule.test})", helpers)

    def ask(self, declaration: etree._Element, today: str) -> Iterator[Finding]:
        """A finding for each context node where the rule applies and does not hold."""
        try:
            for node in elements(declaration, self._each):
                if self._when is not None and not self._when(node, today=today):
                    continue
                if not self._test(node, today=today):
                    rule, (element, value) = self._rule, _pointed_at(node, self._rule.at)
                    yield Finding(
                        rule.code, rule.message.get("en", ""), rule.severity, value=value, rule=rule.id,
                        messages=rule.message, payload_pointer=element,
                    )  # fmt: skip
        except (etree.XPathEvalError, TypeError) as error:
            raise Misconfigured(f"rule {self._rule.id} cannot be asked: {error}") from error


def _pointed_at(node: etree._Element, at: str) -> tuple[str, str | None]:
    """Path and value of the element meant; where it is absent, the path it would have."""
    attribute = _ATTRIBUTE.search(at)
    to_element = at[: attribute.start()].rstrip("/") or "." if attribute else at
    element, missing = _nearest(node, to_element)
    if attribute and not missing:
        return f"{written(element)}/{attribute[0]}", element.get(attribute[0][1:])
    return written(element) + missing, None if missing else (element.text or "").strip() or None


def _nearest(node: etree._Element, at: str) -> tuple[etree._Element, str]:
    """The element at a path; else the deepest one on the way to it, and the steps that are missing."""
    steps = [step for step in _steps(at) if step != "."]
    element, done = node, 0
    for length in range(len(steps), 0, -1):
        found = elements(node, "/".join(steps[:length]))
        if found:
            element, done = found[0], length
            break
    return element, "".join(f"/{step}" for step in steps[done:])


def _steps(path: str) -> list[str]:
    """A path cut at its slashes, those inside predicates aside."""
    steps = [""]
    depth = 0
    for letter in path:
        depth += (letter == "[") - (letter == "]")
        if letter == "/" and depth == 0:
            steps.append("")
        else:
            steps[-1] += letter
    return steps
