"""Where the product's data lies, and where a machine keeps what it fetched or remembers."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path


def data_root() -> Path:
    """The folder that holds ``mappings`` and ``xsd``: inside the installed package, or the checkout."""
    packaged = Path(str(files("broker"))) / "_data"
    return packaged if packaged.is_dir() else Path(str(files("broker"))).parent


def cache() -> Path:
    """Where what was fetched is kept: ``SWB_CACHE``, else the user's cache folder."""
    named = os.environ.get("SWB_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache") / "swb"
