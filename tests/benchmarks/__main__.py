"""`make bench`: every benchmark that needs nothing but the package, one after another."""

from __future__ import annotations

import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).with_name("bench_line.py")), run_name="__main__")
