"""The JSON Schema of the preferential certificate of origin judges as the published one does."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest

from tests.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OURS = ROOT / "xsd" / "uncefact-coo" / "d22b" / "preferential-coo.json"
SAMPLES = ROOT / "mappings" / "documents" / "origin" / "uncefact-preferential-d22b" / "samples"
EXAMPLES = {"KR": "DE", "VN": "DE", "CT": "SS", "PX": "SS", "BX": "SS", "3": "1"}
"""The published code lists hold one example each: what the sample says is told by these."""


@pytest.fixture(scope="module")
def published(reference: Path) -> jsonschema_rs.Validator:
    schema = json.loads((reference / "xsd/uncefact-json/UNECE-PreferentialCoO.json").read_text("utf-8"))
    return jsonschema_rs.validator_for(schema, validate_formats=True)


@pytest.fixture(scope="module")
def ours() -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(json.loads(OURS.read_text("utf-8")), validate_formats=True)


def document() -> dict[str, Any]:
    """Our fullest sample in the codes that the published schema knows, without agencies (it admits none)."""
    sample = json.loads((SAMPLES / "korea-thailand.json").read_text("utf-8"))

    def change(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {k: change(v, k) for k, v in value.items() if k not in {"schemeAgencyId", "listAgencyId"}}
        if isinstance(value, list):
            return [change(v) for v in value]
        return EXAMPLES.get(value, value) if key == "content" else value

    return change(sample)


def mutants(value: Any) -> Iterator[tuple[str, Any]]:
    """Each member taken away, made null, a number, a text, a list, an object; each object given a member more."""
    for path in _paths(value):
        for name, new in {
            "delete": None, "null": None, "number": 7, "text": "not a uri", "uri": "https://example.test/x",
            "list": [], "object": {}, "extra": "1", "x-extra": "1", "empty": "", "double": None,
        }.items():  # fmt: skip
            copy = deepcopy(value)
            parent = copy
            for step in path[:-1]:
                parent = parent[step]
            here = parent[path[-1]]
            if name == "delete":
                del parent[path[-1]]
            elif name in {"extra", "x-extra"}:
                if not isinstance(here, dict):
                    continue
                here[name] = new
            elif name == "double":
                if not isinstance(here, list) or not here:
                    continue
                here.append(deepcopy(here[0]))
            else:
                parent[path[-1]] = new
            yield f"{name} {'/'.join(map(str, path))}", copy


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield (*path, key)
        yield from _paths(member, (*path, key))


def test_mutants_are_judged_as_published(published, ours) -> None:
    base = document()
    assert published.is_valid(base), [e.message for e in published.iter_errors(base)][:3]
    assert ours.is_valid(base), [e.message for e in ours.iter_errors(base)][:3]
    count, different = 0, []
    for name, mutant in mutants(base):
        count += 1
        if published.is_valid(mutant) != ours.is_valid(mutant):
            different.append(f"{name}: published {published.is_valid(mutant)}, ours {ours.is_valid(mutant)}")
    assert not different, "\n".join(different[:30])
    assert count > 800


def test_codes_beyond_the_published_examples_are_taken(published, ours) -> None:
    """The one respect in which our profile is wider."""
    sample = json.loads((SAMPLES / "korea-thailand.json").read_text("utf-8"))
    assert ours.is_valid(sample)
    assert not published.is_valid(sample)
