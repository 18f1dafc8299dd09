"""``mappings/versions.lock``: which state of its data each version of a mapping names, so that none names two.

One line a document type: its name, the version its author gave, and the digest of all that makes its payloads. A digest
that changed under an unchanged version is a fault: two records with the same version would mean different things.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from broker.model.errors import Misconfigured
from broker.workbench.fault import DataFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from broker.model.outcomes import Catalogue

NAME = "versions.lock"
_HEAD = "# Document type, version, digest of all that makes its payloads. Written by `swb check --lock`.\n"
_LINE = re.compile(r"(\S+) (\S+) ([0-9a-f]{64})")
_EXTENDS = re.compile(r'^extends\s*=\s*"([^"]+)"', re.MULTILINE)
_VERSION = re.compile(r'^version\s*=\s*"([^"]*)"', re.MULTILINE)


class Locked(NamedTuple):
    """What a version stands for."""

    version: str
    digest: str


def read(mappings: Path) -> dict[str, Locked]:
    """The lock of a folder ``mappings``; empty where there is none. Raises Misconfigured with the line."""
    file = mappings / NAME
    found: dict[str, Locked] = {}
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None or match[1] in found:
            raise Misconfigured(f"{file}: line {number}: must be a document type, its version and its digest, once")
        found[match[1]] = Locked(match[2], match[3])
    return found


def present(catalogue: Catalogue) -> dict[str, Locked]:
    """What the lock would say of the catalogue as it is; types whose mapping cannot be read are left out."""
    found = {}
    for name, document_type in sorted(catalogue.document_types.items()):
        try:
            found[str(name)] = Locked(document_type.mapping.version, document_type.mapping.sha256)
        except (Misconfigured, OSError):
            continue  # told already, of its mapping
    return found


def faults(mappings: Path, catalogue: Catalogue) -> Iterator[DataFault]:
    """What the lock says otherwise; nothing where a folder has none."""
    if not (mappings / NAME).is_file():
        return
    try:
        locked = read(mappings)
    except Misconfigured as error:
        yield DataFault(f"mappings/{NAME}", str(error))
        return
    now = present(catalogue)
    for name, state in now.items():
        was = locked.get(name)
        if was is None or was.version != state.version:
            yield DataFault(f"mappings/{NAME}", f"{name} has version {state.version} now: `swb check --lock` notes it")
        elif was.digest != state.digest:
            where, line = _place(mappings, name)
            yield DataFault(
                where,
                f"what makes the payloads of {name} (rows, lists, schemas, rules) has changed since its version "
                f'"{state.version}" was locked: give it a new version, then `swb check --lock`',
                line,
            )
    for name in sorted(set(locked) - set(catalogue.document_types)):
        yield DataFault(f"mappings/{NAME}", f"{name} is no document type any more: `swb check --lock` leaves it out")


def lock(mappings: Path, catalogue: Catalogue) -> list[str]:
    """Note every new version; the names of those whose data changed under an old one, which are left as they were."""
    locked, now = read(mappings), present(catalogue)
    stale = [n for n, s in now.items() if n in locked and locked[n].version == s.version and locked[n] != s]
    noted = {name: locked[name] if name in stale else state for name, state in now.items()}
    lines = "".join(f"{name} {state.version} {state.digest}\n" for name, state in sorted(noted.items()))
    (mappings / NAME).write_text(_HEAD + lines, encoding="utf-8")
    return stale


def raise_versions(mappings: Path, names: Iterable[str]) -> list[Path]:
    """Give the next whole number as version to the mappings of these types; the files that were changed."""
    files = dict.fromkeys(mappings.parent / _place(mappings, name)[0] for name in names)
    for file in files:
        text = file.read_text(encoding="utf-8")
        match = _VERSION.search(text)
        if match is None or not match[1].isdigit():
            raise Misconfigured(f"{file}: its version is no whole number; give it a new one by hand")
        raised = f'version = "{int(match[1]) + 1}"'
        file.write_text(text[: match.start()] + raised + text[match.end() :], encoding="utf-8")
    return list(files)


def _place(mappings: Path, name: str) -> tuple[str, int | None]:
    """The file, below the root, and the line that say a type's version: its own, or that of what it extends."""
    for one in bases(mappings / "documents", name):
        file = mappings / "documents" / one / "mapping.toml"
        match = _VERSION.search(file.read_text(encoding="utf-8")) if file.is_file() else None
        if match is not None:
            line = file.read_text(encoding="utf-8").count("\n", 0, match.start()) + 1
            return file.relative_to(mappings.parent).as_posix(), line
    return f"mappings/documents/{name}/mapping.toml", None


def bases(documents: Path, name: str) -> list[str]:
    """A document type, then those it extends one after another, as their files say."""
    found: list[str] = []
    while name and name not in found:
        found.append(name)
        files = [documents / name / one for one in ("mapping.toml", "document.toml")]
        said = [_EXTENDS.search(file.read_text(encoding="utf-8")) for file in files if file.is_file()]
        name = next((base[1] for base in said if base), "")
    return found
