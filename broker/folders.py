"""Where the product's data lies: ``mappings`` and ``xsd``, inside the installed package or in the checkout."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def data_root() -> Path:
    """The folder that holds both."""
    packaged = Path(str(files("broker"))) / "_data"
    return packaged if packaged.is_dir() else Path(str(files("broker"))).parent
