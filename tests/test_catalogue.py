"""Folders become a frozen catalogue; what is at fault is told with its file, or left out where that is asked for."""

import pytest

from broker import catalogue
from broker.model.errors import Misconfigured

NOTE = "mappings/documents/toy/note-1"


def test_a_folder_is_a_document_type(toy):
    loaded = catalogue.load(toy)
    (kind,) = loaded.document_types.values()
    assert (kind.name, kind.family, kind.root, kind.title) == ("toy/note-1", "toy", "{urn:toy}Note", "A note")
    assert loaded.roots == {"{urn:toy}Note": (kind,)}
    assert [rule.id for rule in kind.rules] == ["TOY-1"]


def test_a_new_version_extends_the_last_and_lists_what_changed(toy):
    folder = toy / "mappings/documents/toy/note-2"
    folder.mkdir()
    (folder / "document.toml").write_text('extends = "toy/note-1"\nname = "A newer note"\nroot = "{urn:toy}Note2"\n')
    new = catalogue.load(toy).document_types["toy/note-2"]
    assert (new.title, new.root, [rule.id for rule in new.rules]) == ("A newer note", "{urn:toy}Note2", ["TOY-1"])
    assert new.mapping.rows.base == "toy/note-1"


def test_a_part_at_fault_is_told_and_left_out_where_one_asks_for_the_rest(toy):
    file = toy / NOTE / "document.toml"
    file.write_text(file.read_text().replace("root =", "rout ="))
    with pytest.raises(Misconfigured, match=r"note-1/document\.toml.*rout"):
        catalogue.load(toy)
    heard = []
    assert catalogue.load(toy, heard=heard.append).document_types == {}
    assert "rout" in str(heard[0])


def test_a_digest_is_that_of_all_data_and_of_nothing_else(toy):
    before = catalogue.catalogue_digest(toy)
    (toy / "mappings/note.txt").write_text("for people")
    assert catalogue.catalogue_digest(toy) == before
    file = toy / NOTE / "rules.toml"
    file.write_text(file.read_text().replace("13", "14"))
    assert catalogue.catalogue_digest(toy) != before
