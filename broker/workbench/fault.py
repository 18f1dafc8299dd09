"""One fault of the data: what ``swb check`` tells."""

from __future__ import annotations

from dataclasses import dataclass


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
    def place(self) -> str:
        """File and line."""
        return f"{self.where}:{self.line}" if self.line else self.where
