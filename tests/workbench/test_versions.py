"""A version of a mapping names one state of all that makes its payloads."""

import json

import pytest

from broker import catalogue
from broker.workbench import versions

MAPPING = "mappings/documents/toy/note-1/mapping.toml"


def edit(root, file, old, new):
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def digest(root):
    (document_type,) = catalogue.load(root).document_types.values()
    return document_type.mapping.sha256


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (MAPPING, 'transform = "date"', 'transform = "datetime"'),
        ("mappings/documents/toy/note-1/rules.toml", "'13'", "'14'"),
        ("mappings/documents/toy/note-1/document.toml", "name", 'absent = ["-"]\nname'),
        ("mappings/codelists/colours/1.csv", "red", "crimson"),
        ("mappings/codelists/colours/list.toml", '"1"', '"1"\nvalid_from = 2020-01-01'),
        ("xsd/toy/note.xsd", "xs:date", "xs:string"),
        ("xsd/wco/3.6/declaration.xsd", "</xs:schema>", "<!-- another --></xs:schema>"),
    ],
)
def test_everything_that_makes_a_payload_is_in_its_digest(coloured, file, old, new):
    before = digest(coloured)
    edit(coloured, file, old, new)
    assert digest(coloured) != before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (MAPPING, 'version = "1"', '# a remark\nversion = "1"'),
        ("mappings/documents/toy/note-1/document.toml", "A note", "Another title"),
        ("mappings/documents/toy/note-1/samples/first.xml", "Tea", "Coffee"),
    ],
)
def test_what_makes_no_payload_is_not(coloured, file, old, new):
    before = digest(coloured)
    edit(coloured, file, old, new)
    assert digest(coloured) == before


def test_a_list_that_no_row_asks_is_in_the_decisions_alone(toy):
    add_colours(toy)
    before = digest(toy), catalogue.decisions_digest(toy)
    edit(toy, "mappings/codelists/colours/1.csv", "red", "crimson")
    assert digest(toy) == before[0]
    assert catalogue.decisions_digest(toy) != before[1]


@pytest.fixture
def coloured(toy):
    """The toy, one row of which asks a code list."""
    add_colours(toy)
    edit(toy, MAPPING, 'from = "n:Number"', 'codes = "colours", from = "n:Number"')
    return toy


def add_colours(root):
    folder = root / "mappings/codelists/colours"
    folder.mkdir(parents=True)
    text = 'title = "Colours"\nagency = "ours"\n[[editions]]\nversion = "1"\nsource = "ours"\n'
    (folder / "list.toml").write_text(text, encoding="utf-8")
    (folder / "1.csv").write_text("code,name\nR,red\n", encoding="utf-8")


def test_a_changed_mapping_needs_a_new_version(toy, swb):
    assert swb("check", "--lock")[0] == 0
    (line,) = (toy / "mappings" / versions.NAME).read_text(encoding="utf-8").splitlines()[1:]
    assert line == f"toy/note-1 1 {digest(toy)}"
    edit(toy, MAPPING, 'transform = "date"', 'transform = "date", label = "day"')
    code, out, _ = swb("check", "-o", "json")
    (fault,) = json.loads(out)["faults"]
    assert (code, fault["where"], fault["line"]) == (1, MAPPING, 1)
    assert 'has changed since its version "1" was locked' in fault["message"]
    assert swb("check", "--lock")[0] == 1, "the lock takes no new meaning for an old version"
    edit(toy, MAPPING, 'version = "1"', 'version = "2"')
    code, out, _ = swb("check")
    assert (code, "toy/note-1 has version 2 now" in out) == (1, True)
    assert swb("check", "--lock")[0] == 0
    assert swb("check")[0] == 0


def test_the_next_version_can_be_given_at_once(toy, swb):
    swb("check", "--lock")
    edit(toy, MAPPING, 'transform = "date"', 'transform = "date", label = "day"')
    assert swb("check", "--lock", "--raise")[0] == 0
    assert 'version = "2"' in (toy / MAPPING).read_text(encoding="utf-8")
    edit(toy, MAPPING, 'version = "2"', 'version = "spring"')
    swb("check", "--lock")
    edit(toy, MAPPING, 'label = "day"', 'label = "date"')
    code, _, err = swb("check", "--lock", "--raise")
    assert (code, "its version is no whole number" in err) == (2, True)


@pytest.mark.parametrize("line", ["toy/note-1 1 abc", f"toy/note-1 1 {'0' * 64}\ntoy/note-1 1 {'0' * 64}"])
def test_a_lock_that_cannot_be_read(toy, swb, line):
    (toy / "mappings" / versions.NAME).write_text(f"# head\n{line}\n", encoding="utf-8")
    code, out, _ = swb("check")
    assert code == 1
    assert "mappings/versions.lock: line " in out


def test_a_type_that_is_gone(toy, swb):
    (toy / "mappings" / versions.NAME).write_text(f"toy/note-0 1 {'0' * 64}\n", encoding="utf-8")
    _, out, _ = swb("check")
    assert "toy/note-0 is no document type any more" in out
