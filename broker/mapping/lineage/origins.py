"""The values of an explanation: where a leaf of the payload came from, what became of a leaf of the source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from lxml import etree

    from broker.mapping.runtime.run import Leaf

State = Literal["carried", "folded", "decided", "dropped", "unmapped"]
Place = tuple["etree._Element", str | None]  # noqa: SLF001  (the public name of the type)
"""An element and None for its text, or the name of its attribute."""
RANK: dict[State, int] = {"carried": 0, "folded": 1, "decided": 2, "dropped": 3, "unmapped": 4}
"""Which state is told of a leaf that has several."""


class Source(NamedTuple):
    """A leaf of the sender's document: path and line in the bytes as sent, the value, its plain name."""

    path: str
    line: int | None
    value: str | None
    label: str = ""


class Origin(NamedTuple):
    """One leaf of the payload, and where it came from."""

    target: str
    wco_id: str
    value: str
    row: str
    sources: tuple[Source, ...]
    """The leaves whose values are in it."""
    deciders: tuple[Source, ...]
    """Leaves that chose it, or without which it would not stand here; nothing of them is in it."""
    codes: str
    transform: str
    why: str

    @property
    def behind(self) -> tuple[Source, ...]:
        """All leaves that had a part in it, those that fed it first."""
        return self.sources + self.deciders


class Loss(NamedTuple):
    """One leaf of the source, and what became of it."""

    path: str
    line: int | None
    value: str
    state: State
    row: str
    why: str


def split(leaf: Leaf) -> Place:
    """A leaf as element and attribute."""
    return leaf if isinstance(leaf, tuple) else (leaf, None)


def raw(element: etree._Element, attribute: str | None) -> str:
    """The text of a leaf as it stands in the document."""
    return (element.text if attribute is None else element.get(attribute)) or ""
