"""The one reader of data files: strict, and every complaint says file, place and, where there is one, the line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from broker.catalogue import data_root
from broker.model.errors import Misconfigured
from broker.toml_table import Table, read_toml

if TYPE_CHECKING:
    from pathlib import Path

ROOT = data_root()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data.toml"


def test_what_is_no_toml_is_told_with_file_and_line(file: Path) -> None:
    file.write_text('name = "a"\nfields = [\n  { to = "x" "y" },\n]\n', encoding="utf-8")
    with pytest.raises(Misconfigured, match=rf"^{re.escape(str(file))}: line 3: not TOML: "):
        read_toml(file)


def test_a_file_that_is_not_there_or_not_utf_8_is_told_by_name(file: Path) -> None:
    with pytest.raises(Misconfigured, match=r"data\.toml: the file is missing$"):
        read_toml(file)
    file.write_bytes(b'name = "\xe9"\n')
    with pytest.raises(Misconfigured, match=r"data\.toml: not UTF-8: "):
        read_toml(file)


def test_a_key_that_nobody_reads_is_told_with_those_that_may_stand_there(file: Path) -> None:
    file.write_text('name = "a"\ninner = [{ id = "1" }, { id = "2", tpyo = true }]\n', encoding="utf-8")
    table = Table.read(file)
    assert table.text("name") == "a"
    first, second = table.tables("inner")
    assert (first.text("id"), second.text("id"), second.flag("typo", default=False)) == ("1", "2", False)
    first.end()
    with pytest.raises(Misconfigured, match=r"data\.toml: inner\[2\]: unknown key tpyo; known are id, typo$"):
        second.end()


@pytest.mark.parametrize("ask", ["text", "texts", "flag", "whole", "day", "decimal", "table", "tables", "names"])
def test_a_value_of_another_kind_is_told_with_its_place(ask: str) -> None:
    value = "no" if ask in {"flag", "whole", "day", "table", "tables", "names"} else 7
    table = Table({"key": value}, "data.toml: rows[3]")
    with pytest.raises(Misconfigured, match=r"^data\.toml: rows\[3\]: key"):
        table.flag("key", default=True) if ask == "flag" else getattr(table, ask)("key")


def test_nothing_else_reads_toml() -> None:
    """A second reader would be a second way to be lenient."""
    readers = {
        str(module.relative_to(ROOT))
        for module in (ROOT / "broker").rglob("*.py")
        if re.search(r"^\s*(?:import|from) (?:tomllib|tomli|tomlkit|toml)\b", module.read_text("utf-8"), re.MULTILINE)
    }
    assert readers == {"broker/toml_table.py"}
