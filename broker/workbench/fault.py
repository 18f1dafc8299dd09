"""One fault of the data: what ``swb check`` tells, and where in a file it stands."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_PLACE = re.compile(
    r"(?P<file>[^:\n]+\.(?:toml|csv|xsd|json|xslt|xsl|lock))(?::| )\s*(?:line )?(?:(?P<line>\d+)[:,]\s*)?(?P<rest>.*)",
    re.DOTALL,
)
_LINE = re.compile(r"\(?(?:at |line )+(\d+)(?:, column \d+\)?)?")

_ENTRY = 12
"""Lines of a long entry."""


@dataclass(frozen=True, slots=True)
class DataFault:
    """Something in the data that cannot work, and where."""

    where: str
    """The file, below the root."""
    sentence: str
    line: int | None = None
    row: str = ""
    """The row, rule or entry of the file that is at fault, as its author named it."""

    def as_json(self) -> dict[str, str | int | None]:
        return {"where": self.where, "line": self.line, "row": self.row, "message": self.sentence}

    @property
    def told(self) -> str:
        """The sentence, the row before it where it does not name it itself."""
        return f"{self.row}: {self.sentence}" if self.row and self.row not in self.sentence else self.sentence

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.where}:{self.line}" if self.line else self.where


def of_error(error: Exception, otherwise: Path, root: Path) -> DataFault:
    """The fault that an exception tells: the file and line that its text begins with, else a file that is known."""
    text = str(error).replace(f"{root}{os.sep}", "").strip() or type(error).__name__
    match = _PLACE.match(text)
    if match is None or not (root / match["file"]).exists():
        return DataFault(below(otherwise, root), text, _line(text))
    return DataFault(match["file"], match["rest"] or text, int(match["line"]) if match["line"] else _line(text))


def below(file: Path, root: Path) -> str:
    """A file as faults name it."""
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.as_posix()


def placed(fault: DataFault, root: Path, *words: str) -> DataFault:
    """The fault with the line of its file that says most of the words, where it has none yet."""
    file = root / fault.where
    if fault.line or not file.is_file():
        return fault
    line = line_of(file.read_text(encoding="utf-8", errors="replace"), words)
    return replace(fault, line=line)


def line_of(text: str, words: Iterable[str]) -> int | None:
    """The line that holds the first word, and after it, as far as its entry goes, most of the others."""
    first, *others = [word for word in words if word] or [""]
    lines = text.splitlines()
    found = []
    for number, line in enumerate(lines, 1):
        if first and first in line:
            entry = "\n".join([line, *_rest(lines[number : number + _ENTRY])])
            found.append((sum(word in entry for word in others), -number))
    return -max(found)[1] if found else None


def _rest(lines: list[str]) -> Iterator[str]:
    """The lines of an entry after its first: until another begins."""
    for line in lines:
        if not line.strip() or line.lstrip().startswith(("{ to", "{ statement", "{ from", "{ why", "[[", "#")):
            return
        yield line


def _line(text: str) -> int | None:
    match = _LINE.search(text)
    return int(match[1]) if match else None
