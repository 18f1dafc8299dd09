"""A mapping that extends another lists only what changed."""

from __future__ import annotations

import tomllib

import pytest

from broker.mapping import merge, read_rows
from broker.mapping.language.merge import read_mapping
from broker.model.errors import Misconfigured
from tests.support.mapping_kit import BASE


def test_a_new_version_lists_only_what_changed() -> None:
    base = tomllib.loads(BASE + '{to = "Exporter/Name", from = "b"}]')
    changed = tomllib.loads(
        'version = "2"\nfields = [{to = "Exporter/Name", from = "c"}, {to = "Exporter/ID", from = "b"}]'
    )
    rows = read_rows(merge(base, changed), {}, "toy")
    assert rows.version == "2"
    assert {row.to: [p.text for p in row.sources] for row in rows.body.rows if row.sources} == {
        "Exporter/Name": ["c"],
        "Exporter/ID": ["b"],
    }


def test_a_row_is_removed_and_a_group_met_by_what_it_repeats_for() -> None:
    base = {"fields": [{"to": "A", "from": "a"}], "groups": [{"to": "G", "each": "g", "fields": []}]}
    changes = {
        "fields": [{"to": "A", "remove": True}],
        "groups": [{"to": "G", "each": "g", "fields": [{"to": "B", "from": "b"}]}, {"to": "G", "each": "h"}],
    }
    merged = merge(base, changes)
    assert merged["fields"] == []
    assert [(g["each"], [row["to"] for row in g.get("fields", [])]) for g in merged["groups"]] == [
        ("g", ["B"]), ("h", []),
    ]  # fmt: skip


def test_a_file_whose_lists_are_none_is_told_with_its_place(tmp_path) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text('fields = "x"\n')
    with pytest.raises(Misconfigured, match=r"mapping\.toml.*fields"):
        read_mapping(file)
