r"""What others wrote, made harmless for a terminal: control characters are shown, and do nothing.

A header, a value or a file's name may hold escapes that move the cursor, rename the window or write the clipboard (C0
and C1 controls, OSC and CSI sequences), and marks that turn the order of reading around. They appear as ``\x1b`` and
``\u202e``.
"""

from __future__ import annotations

import codecs
import io
import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TextIO

_BIDI = "\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
_DANGEROUS = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_BIDI}\ufeff]")
_OUR_COLOURS = re.compile("(\x1b\\[(?:0|1|2|3[0-7]|9[0-7])m)")
"""What the verbs colour their own words with; it can do no harm."""


def harmless(text: str) -> str:
    """The text with every control character but line feed and tabulator made visible."""
    return _DANGEROUS.sub(_shown, text)


def all_harmless(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """The same for every text within, names of members too."""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, dict):
        return {all_harmless(name): all_harmless(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [all_harmless(item) for item in value]
    return value


def _shown(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class _HarmlessBytes(io.RawIOBase):
    """Bytes for a terminal, with only our own colours among the controls."""

    def __init__(self, out: Any) -> None:  # noqa: ANN401 - the binary side of a text stream
        self._out = out
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        found: int = self._out.fileno()
        return found

    def write(self, data: Any) -> int:  # noqa: ANN401 - whatever has bytes
        text = self._decoder.decode(bytes(data))
        parts = _OUR_COLOURS.split(text.replace("\r\n", "\n"))
        clean = "".join(part if number % 2 else harmless(part) for number, part in enumerate(parts))
        self._out.write(clean.encode())
        self._out.flush()
        return len(data)


def protect(stream: TextIO) -> TextIO:
    """The stream as it is, or where it is a terminal one that shows what would act on it."""
    if not stream.isatty() or not hasattr(stream, "buffer"):
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(_HarmlessBytes(stream.buffer)), encoding="utf-8", errors="replace", line_buffering=True
    )


def protect_terminal() -> None:
    """From now on what this process prints to a terminal is harmless; a file or a pipe gets what there is."""
    sys.stdout, sys.stderr = protect(sys.stdout), protect(sys.stderr)
