"""What the line costs, step by step, against the floor: parsing, both validations, parsing the payload.

    python tests/benchmarks/bench_line.py [--turns N] [--json FILE] [FILE...]

CPU time of this thread per document in microseconds, median of turns taken alternately in one process; the ratios to
the floor are medians of per-turn ratios and are the part to trust.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lxml import etree

from broker import catalogue, mapping
from broker.content.detect import detect
from broker.content.xml import parse, parser
from broker.line.process import explain, process
from broker.line.route import route
from broker.mapping import translate
from broker.model.documents import Message
from broker.model.ids import NO_MESSAGE_ID
from broker.validate import validate, validate_payload

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = catalogue.data_root() / "mappings" / "documents"
SAMPLES = (
    ROOT / "origin/aladi-cod-1.8/samples/a18-complete.xml",
    ROOT / "sps/sps-certificate-17/samples/everything.xml",
    ROOT / "invoice/ubl-2.1/samples/peppol-be-nl.xml",
)
REPEATS = 20


def steps(content: bytes, loaded) -> dict[str, Callable[[], object]]:
    """Each step as a call without arguments, on what the step before it gives."""
    message = Message(NO_MESSAGE_ID, content)
    document = detect(content, loaded)
    payload, _ = translate(document, NO_MESSAGE_ID)
    kind = document.type

    def floor() -> None:
        root, _ = parse(content)
        kind.schema._xsd.validate(root if not document.envelopes else document.root)
        loaded.payload_schema._xsd.validate(etree.fromstring(payload.content, parser()))

    return {
        "floor": floor,
        "line": lambda: process(message, loaded),
        "line with lineage": lambda: explain(message, loaded),
        "detect": lambda: detect(content, loaded),
        "validate source": lambda: validate(document),
        "translate": lambda: kind.mapping.run(document.root, NO_MESSAGE_ID),
        "parse payload": lambda: etree.fromstring(payload.content, parser()),
        "validate payload": lambda: validate_payload(payload, document, loaded),
        "route": lambda: route(kind, payload, loaded),
        "explain": lambda: mapping.explain(document, NO_MESSAGE_ID),
    }


def measure(calls: dict[str, Callable[[], object]], turns: int) -> dict[str, dict[str, float]]:
    """Median microseconds and ratio to the floor of each call."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(turns):
        for name, call in calls.items():
            started = time.thread_time()
            for _ in range(REPEATS):
                call()
            times[name].append((time.thread_time() - started) / REPEATS * 1e6)
    return {
        name: {
            "microseconds": round(statistics.median(found), 1),
            "lowest": round(min(found), 1),
            "ratio": round(statistics.median(t / f for t, f in zip(found, times["floor"], strict=True)), 2),
        }
        for name, found in times.items()
    }


def main() -> None:
    """Print a table for each document, and write the figures as JSON."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("files", nargs="*", type=Path)
    arguments.add_argument("--turns", type=int, default=15)
    arguments.add_argument("--json", type=Path)
    given = arguments.parse_args()
    loaded = catalogue.load()
    catalogue.warm(loaded)
    results = {}
    for file in given.files or SAMPLES:
        content = file.read_bytes()
        found = measure(steps(content, loaded), given.turns)
        results[file.name] = {"bytes": len(content), "steps": found}
        print(f"\n{file.name}, {len(content):,} bytes")
        for name, figures in found.items():
            print(f"  {name:20}{figures['microseconds']:10.0f} us   x {figures['ratio']:.2f}")
        lineage = found["line with lineage"]["microseconds"] / found["line"]["microseconds"]
        print(f"  {1e6 / found['line']['microseconds']:,.0f} documents a second and core; with lineage x {lineage:.1f}")
    machine = {"python": platform.python_version(), "machine": platform.machine(), "lxml": etree.__version__}
    if given.json:
        given.json.write_text(json.dumps({"machine": machine, "documents": results}, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
