"""Nothing broken goes live: a worker looks at its whole catalogue before it takes a lane, once for each state of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker import __version__, log
from broker.catalogue import catalogue_digest
from broker.model.errors import Misconfigured
from broker.paths import cache

if TYPE_CHECKING:
    from pathlib import Path

logger = log.get(__name__)
SHOWN = 3
"""Faults that are told in the sentence with which a worker leaves; `swb check` tells all."""


def ensure_sound(root: Path, looked_at: Path | None = None) -> str:
    """The digest of a catalogue that this engine has found to be sound; raises Misconfigured where it is not.

    What was found sound once is not looked at again: a note of it is kept under digest and version of the engine.
    """
    digest = catalogue_digest(root)
    note = (looked_at or cache() / "sound") / f"{digest}-{__version__}"
    if note.is_file():
        return digest
    from broker.workbench.check import check  # noqa: PLC0415 - a second that a catalogue known to be sound does without

    faults = check(root, with_samples=False, with_versions=False).faults
    if faults:
        told = "; ".join(f"{fault.place}: {fault.told}" for fault in faults[:SHOWN])
        more = f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        raise Misconfigured(
            f"the data in {root} are at fault, and no lane is taken (`swb check` tells all): {told}{more}"
        )
    logger.info("catalogue.sound", catalogue=digest)
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.touch()
    except OSError as error:  # a folder nobody may write to: it is looked at again at the next start
        logger.warning("catalogue.unnoted", reason=str(error))
    return digest
