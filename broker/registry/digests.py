"""Digests of data: one name for a state of many files and values, the same on every machine."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

RULES = ".rules.toml"
"""Rules that belong to a schema stand beside it under its name and this ending."""
_LOCATION = re.compile(rb"""schemaLocation\s*=\s*["']([^"']+)["']""")


def digest(parts: Mapping[str, str]) -> str:
    """SHA-256 over named texts; the order in which they were named does not count."""
    return hashlib.sha256(json.dumps(dict(parts), sort_keys=True).encode()).hexdigest()


def of_value(value: object) -> str:
    """SHA-256 of what a TOML file holds: its comments and the order of its keys do not count."""
    text = json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def of_files(files: Iterable[Path], root: Path) -> str:
    """SHA-256 over the bytes of files, each under its name below ``root``; a file that is not there has none."""
    found = {file for file in files if file.is_file()}
    return digest({file.relative_to(root).as_posix(): of_bytes(file.read_bytes()) for file in found})


def of_bytes(content: bytes) -> str:
    """SHA-256 of one content."""
    return hashlib.sha256(content).hexdigest()


def with_imports(schema: Path) -> set[Path]:
    """A schema, every schema it takes in, and the rules beside each: all that decides what it says of a document."""
    found: set[Path] = set()
    pending = [schema]
    while pending:
        file = pending.pop()
        if file in found or not file.is_file():
            continue
        found |= {file, file.with_name(f"{file.stem}{RULES}")}
        places = _LOCATION.findall(file.read_bytes()) if file.suffix == ".xsd" else []
        pending += [Path(os.path.normpath(file.parent / place.decode())) for place in places if b"://" not in place]
    return found
