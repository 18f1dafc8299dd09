"""Where the product's data lies, and where a machine keeps what it fetched or remembers."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from broker.model.errors import Misconfigured

ROOT = "SWB_ROOT"


def data_root() -> Path:
    """The folder that holds ``mappings`` and ``xsd``: what ``SWB_ROOT`` names, else in the package, or the checkout."""
    if named := os.environ.get(ROOT):
        return whole(Path(named).expanduser().absolute())
    packaged = Path(str(files("broker"))) / "_data"
    return packaged if packaged.is_dir() else Path(str(files("broker"))).parent


def whole(folder: Path) -> Path:
    """The folder itself; raises Misconfigured where it does not hold what a data folder holds."""
    lacking = [name for name in ("mappings", "xsd") if not (folder / name).is_dir()]
    if lacking:
        raise Misconfigured(f"{folder}: holds no {' and no '.join(lacking)}, so it is no data folder")
    return folder


def cache() -> Path:
    """Where what was fetched is kept: ``SWB_CACHE``, else the user's cache folder."""
    named = os.environ.get("SWB_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache") / "swb"
