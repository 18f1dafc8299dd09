"""Samples, and variants told as a base and what is changed in it."""

import pytest

from broker.model.errors import Misconfigured
from broker.workbench.samples import is_expectation, read_sample, sample_files

BASE = "<a xmlns:p='urn:p'><b k='1'>x</b><p:c>y</p:c></a>"


@pytest.fixture
def mappings(tmp_path):
    folder = tmp_path / "f/samples"
    folder.mkdir(parents=True)
    (folder / "base.xml").write_text(BASE)
    return tmp_path


def made(mappings, change, more=""):
    file = mappings / "f/samples/variant.toml"
    file.write_text(f'base = "f/samples/base.xml"\nchange = [{change}]\n{more}')
    return read_sample(file, mappings)


@pytest.mark.parametrize(
    ("change", "expected", "points"),
    [
        ('{ path = "/a/b", value = "z" }', '<b k="1">z</b>', "/a/b"),
        ('{ path = "/a/b/@k", value = "2" }', '<b k="2">x</b>', "/a/b/@k"),
        ('{ path = "//p:c", delete = true }', '<b k="1">x</b></a>', "/a/p:c"),
        ('{ path = "/a/b", repeat = 2 }', '<b k="1">x</b><b k="1">x</b>', "/a/b"),
        ('{ path = "/a/b", insert = "<p:d/>" }', "<p:d/>", "/a/b"),
    ],
)
def test_a_variant_is_its_base_with_a_change(mappings, change, expected, points):
    sample = made(mappings, change)
    assert (expected in sample.content.decode().replace(' xmlns:p="urn:p"/', "/"), sample.points) == (True, points)


def test_a_change_that_changes_nothing_is_told(mappings):
    with pytest.raises(Misconfigured, match="finds nothing in the base"):
        made(mappings, '{ path = "/a/none", value = "z" }')


def test_expectations_are_no_samples(mappings):
    for name in ("base.payload.xml", "base.findings.json", "notes.txt"):
        (mappings / "f/samples" / name).write_text("")
    assert [file.name for file in sample_files(mappings)] == ["base.xml"]
    assert is_expectation(mappings / "base.findings.json")
