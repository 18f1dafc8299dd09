"""Tests stand in the rooms of what they test: a module's own file, and no class name twice."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

from tests.support.paths import ROOT

BROKER, TESTS = Path(ROOT) / "broker", Path(ROOT) / "tests"
MODULES = sorted(file.relative_to(BROKER) for file in BROKER.rglob("*.py") if file.name != "__init__.py")
ELSEWHERE = {
    # A page is asked for as a page.
    **{Path("console", f"{name}.py"): "console/test_site.py" for name in (
        "context", "document", "feed", "gate", "letters", "overview", "pages", "people", "tail",
    )},
    # They do nothing without a running Kafka.
    **{Path("kafka/lanes", f"{name}.py"): "kafka/test_relay.py" for name in ("batcher", "group", "transaction")},
    Path("kafka/admin/group_state.py"): "console/test_site.py",
    # What others must offer, and nothing that it does itself.
    Path("model/schemas.py"): "validate/test_xsd.py",
}  # fmt: skip
"""Modules that only a whole proves, and the file that does."""


def home(module: Path) -> Path:
    """``cli/_line.py`` is tested in ``cli/test_line.py``."""
    return TESTS / module.parent / f"test_{module.stem.lstrip('_')}.py"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_has_its_tests_in_the_same_room(module):
    file = TESTS / ELSEWHERE[module] if module in ELSEWHERE else home(module)
    assert file.is_file(), f"broker/{module}: there is no {file.relative_to(ROOT)}"
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    assert any(isinstance(node, functions) and node.name.startswith("test_") for node in ast.walk(tree))


def test_what_is_tested_elsewhere_has_no_tests_of_its_own_yet():
    assert [str(module) for module in ELSEWHERE if module not in MODULES or home(module).is_file()] == []


def test_a_class_name_stands_once():
    found = defaultdict(list)
    for module in MODULES:
        for node in ast.walk(ast.parse((BROKER / module).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(str(module))
    assert {name: where for name, where in found.items() if len(where) > 1} == {}
