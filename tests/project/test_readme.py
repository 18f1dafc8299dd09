"""What the READMEs say is there: settings with their defaults, verbs, files, keys of rows."""

import re
import tomllib
from dataclasses import fields

import click
import pytest

from broker import cli
from broker.catalogue import DOCUMENT_KEYS
from broker.mapping.language.rows import Row
from broker.mapping.runtime.transforms import STRUCTURAL, TRANSFORMS
from broker.paths import data_root
from broker.registry.participants import load_participants
from broker.settings import Settings
from tests.support.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
RECIPES = (data_root() / "mappings" / "README.md").read_text(encoding="utf-8")
NOT_SETTINGS = {
    "SWB_CACHE", "SWB_CONFIG", "SWB_ROOT", "SWB_DEBUG", "SWB_REFERENCE", "SWB_PROOF", "SWB_LONG", "SWB_REQUIRE_KAFKA",
    "SWB_REQUIRE_BROWSER",
}  # fmt: skip
"""Read before there are settings, or by tests alone."""


def told_settings() -> dict[str, str]:
    """Each variable of the table with the default it tells."""
    table = README.partition("### Settings")[2].partition("### ")[0]
    found = {}
    for line in re.findall(r"^\| `SWB_.*$", table, re.MULTILINE):
        _, names, defaults, *_ = (cell.strip() for cell in line.split("|"))
        variables = re.findall(r"SWB_\w+", names)
        values = [value.strip(" `") for value in defaults.split(",")]
        found |= dict(zip(variables, values * len(variables) if len(values) == 1 else values, strict=False))
    return found


def test_every_setting_is_told_with_its_default() -> None:
    told = told_settings()
    assert set(told) == {f"SWB_{name.upper()}" for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        if field.default and name not in {"password", "claims"}:
            default = f"{field.default:g}" if isinstance(field.default, float) else field.default
            assert told[f"SWB_{name.upper()}"] == str(default), name


@pytest.mark.parametrize("place", ["README.md", "mappings/**/*.md", "docker/*", ".ci/*", "Makefile", "broker/**/*.py"])
def test_no_variable_is_told_that_nobody_reads(place) -> None:
    files = [file for file in ROOT.glob(place) if file.is_file()]
    assert files
    told = {name for file in files for name in re.findall(r"SWB_[A-Z_]+[A-Z]", file.read_text(encoding="utf-8"))}
    assert told <= set(told_settings()) | NOT_SETTINGS


@pytest.mark.proof
def test_every_setting_has_an_effect() -> None:
    code = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "broker").rglob("*.py"))
    assert [
        name for name in Settings.model_fields if not re.search(rf"(settings|self|given|chosen)\.{name}\b", code)
    ] == []


def test_the_window_to_add_and_the_rows_to_write_can_be_read(tmp_path) -> None:
    (tmp_path / "ec-vue").mkdir()
    (tmp_path / "ec-vue" / "participant.toml").write_text(example("Add a window"), encoding="utf-8")
    (window,) = load_participants(tmp_path).values()
    assert ([rule.id for rule in window.accepts], [rule.id for rule in window.rules]) == (["EC-01"], ["EC-TARIFF"])
    mapping = tomllib.loads(example("Write a mapping"))
    keys = {key for row in mapping["fields"] + mapping["groups"][0]["fields"] for key in row}
    assert keys <= row_keys() | {"to"}


def example(title: str) -> str:
    """What is indented in a section of the README."""
    section = README.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return "\n".join(line[4:] for line in section.splitlines() if line.startswith("    "))


def test_verbs_are_those_there_are() -> None:
    verbs = set(cli.command.list_commands(click.Context(cli.command)))
    told = set(re.findall(r"\bswb ([a-z]+)\b", README + RECIPES))
    assert told == verbs


@pytest.mark.parametrize("text", [README, RECIPES], ids=["README", "mappings"])
def test_files_are_there(text) -> None:
    paths = set(re.findall(r"(?:tests|broker|mappings|docker|xsd)/[\w./*-]*[\w*]", text)) | set(
        re.findall(r"(?<!/)\btest_[\w*]+\.py", text)
    )
    links = set(re.findall(r"\]\(([\w./-]+)\)", text))
    homes = (ROOT, ROOT / "mappings", ROOT / "tests", ROOT / "tests" / "kafka")
    missing = [p for p in paths | links if not any(any(home.glob(p)) for home in homes)]
    assert missing == []


def first_column(table: str) -> set[str]:
    return set(re.findall(r"`([a-z_]+)`", " ".join(re.findall(r"^\| (.*?) \|", table, re.MULTILINE))))


def row_keys() -> set[str]:
    unwritten = {"name", "sources", "transforms", "when_text", "label_es"}
    return {f.name for f in fields(Row)} - unwritten | {"from", "transform", "statement", "points"}


def test_every_key_of_a_row_is_told() -> None:
    assert first_column(RECIPES.partition("| key of a row |")[2].partition("\n\n")[0]) == row_keys()


def test_every_key_of_a_document_type_is_told() -> None:
    assert first_column(RECIPES.partition("## document.toml")[2].partition("## ")[0]) == DOCUMENT_KEYS


def test_every_transform_is_told() -> None:
    told = set(re.findall(r"`([a-z0-9-]+)`", RECIPES.partition("| transform |")[2].partition("\n\n")[0]))
    assert TRANSFORMS.keys() | STRUCTURAL <= told
