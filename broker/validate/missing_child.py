"""The second opinion: xmlschema says which element is missing where libxml2 only points at its next sibling.

Asked on a refusal alone, because it costs 10 to 40 times as much, and never believed about the verdict; it is imported
and compiled on the first refusal.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from lxml import etree

_LOCK = threading.Lock()
_MAX_NODES = 4_000
"""Above it the second opinion is not asked: it would take seconds."""


@dataclass(frozen=True, slots=True)
class MissingChild:
    """What a parent lacks: the Clark name of the one element that must come next, and all names it may hold."""

    expected: str | None
    known: frozenset[str]


class MissingChildFinder:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._schema: Any = None

    def about(self, root: etree._Element) -> dict[etree._Element, MissingChild]:
        """Parent to opinion, for each element whose children are not as they should be; empty when it fails."""
        if sum(1 for _ in zip(root.iter(), range(_MAX_NODES + 1), strict=False)) > _MAX_NODES:
            return {}
        try:
            return self._about(root)
        except Exception:  # noqa: BLE001 -- it stumbles over unknown xsi:type, long years and more; libxml2 has spoken
            return {}

    def _about(self, root: etree._Element) -> dict[etree._Element, MissingChild]:
        import xmlschema  # noqa: PLC0415 -- half a second that only a refusal pays

        with _LOCK:
            if self._schema is None:
                self._schema = xmlschema.XMLSchema(self._file, validation="skip")
            found: dict[etree._Element, MissingChild] = {}
            wrong_children: Any = xmlschema.XMLSchemaChildrenValidationError
            for error in self._schema.iter_errors(root):
                if isinstance(error, wrong_children) and error.elem not in found:
                    expected = [e.name for e in error.expected or () if e.name]
                    known = frozenset(e.name for e in error.validator.iter_elements() if e.name)
                    found[error.elem] = MissingChild(expected[0] if len(expected) == 1 else None, known)
            return found
