"""Other data to compare with: a folder, a catalogue kept under its digest, or a revision of the folder's git."""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from broker.catalogue import catalogue_digest
from broker.model.errors import Misconfigured
from broker.paths import whole

if TYPE_CHECKING:
    from broker.archive import Archive

_DIGEST = re.compile(r"[0-9a-f]{8,64}")


def found(name: str, root: Path, archive: Archive, scratch: Path) -> tuple[str, Path]:
    """What is compared with, in words, and its folder; ``scratch`` takes what has to be unpacked."""
    if Path(name).is_dir():
        folder = whole(Path(name).absolute())
        return f"{name} ({catalogue_digest(folder)[:12]})", folder
    if _DIGEST.fullmatch(name) and any(digest.startswith(name) for digest in archive.digests()):
        digest = archive.matching(name)
        kept = archive.unpacked(digest)
        if kept is not None:
            return digest[:12], kept
    return _revision(name, root, scratch)


def _revision(name: str, root: Path, scratch: Path) -> tuple[str, Path]:
    """The data as a commit of their repository has them; raises Misconfigured where there is none of that name."""
    try:
        made = _git(root, "archive", "--format=tar", name, "mappings", "xsd")
        commit = _git(root, "rev-parse", "--short=12", f"{name}^{{commit}}").decode().strip()
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", None) or str(error).encode()).decode(errors="replace").strip()
        text = f"{name} is no data folder, no kept catalogue and no revision of {root}"
        raise Misconfigured(f"{text}: {said.splitlines()[0]}") from None
    with tarfile.open(fileobj=io.BytesIO(made)) as archive:
        archive.extractall(scratch, filter="data")
    return f"{name} ({commit})", whole(scratch)


def _git(root: Path, *words: str) -> bytes:
    """What git says; no shell, and it judges the name itself."""
    return subprocess.run(["git", "-C", str(root), *words], capture_output=True, check=True).stdout  # noqa: S603, S607
