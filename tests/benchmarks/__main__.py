"""`make bench`: every benchmark that needs nothing but the package, one after another."""

from __future__ import annotations

import runpy

runpy.run_module("tests.benchmarks.bench_line", run_name="__main__")
