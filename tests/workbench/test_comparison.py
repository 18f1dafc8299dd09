"""What a change of data does to documents, as a plan: exactly the planned elements, routes and verdicts."""

import json
import shutil
import subprocess

import pytest

from broker import catalogue
from broker.archive import Archive
from broker.workbench import other_data

NOTE = "<Note xmlns='urn:toy'><Number>{}</Number><Date>2026-05-04</Date><To>Ann</To><Line>Tea</Line></Note>"
MAPPING = "mappings/documents/toy/note-1/mapping.toml"
WINDOW = """
name = "X"
kind = "window"
economy = "PE"
profile = "our own"
accepts = [{ id = "X-1", family = "toy" }]
[answers]
accepted = [{ function = "01" }]
rejected = [{ function = "03" }]
[[rules]]
id = "X-TEA"
code = "X1"
each = "GoodsShipment/GovernmentAgencyGoodsItem/Commodity/Description"
test = ". = 'Tea'"
message.en = "Only tea."
"""


@pytest.fixture
def world(toy, tmp_path):
    """The toy with a window, and the same once more, to be changed: what is, and what was."""
    folder = toy / "mappings/participants/pe-x"
    folder.mkdir(parents=True)
    (folder / "participant.toml").write_text(WINDOW, encoding="utf-8")
    notes = tmp_path / "notes"
    notes.mkdir()
    for number in range(1, 6):
        (notes / f"{number}.xml").write_text(NOTE.format(number), encoding="utf-8")
    before = tmp_path / "before"
    shutil.copytree(toy, before)
    return toy, before, notes


def edit(root, file, old, new):
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def compare(swb, world, *more):
    _, before, notes = world
    code, out, err = swb("replay", notes, "--against", before, "--today", "2026-06-01", "-o", "json", *more)
    assert err == ""
    return code, json.loads(out)


def test_nothing_changes_where_nothing_was_changed(world, swb):
    code, found = compare(swb, world)
    assert (code, found["documents"], found["changed"]) == (0, 5, 0)
    assert [found[key] for key in ("elements", "outcomes", "findings", "routes", "verdicts", "examples")] == [[]] * 6


def test_a_row_changes_its_element_and_no_other(world, swb):
    edit(
        world[0],
        MAPPING,
        '{ to = "Commodity/Description", from = "." }',
        '{ to = "Commodity/Description", from = ".", transform = "upper" }',
    )
    code, found = compare(swb, world)
    (element,) = found["elements"]
    lines = (world[0] / MAPPING).read_text(encoding="utf-8").splitlines()
    line = next(n for n, text in enumerate(lines, 1) if "Commodity/Description" in text)
    assert element == {
        "document_type": "toy/note-1",
        "element": "GoodsShipment/GovernmentAgencyGoodsItem/Commodity/Description",
        "wco_id": "137",
        "documents": 5,
        "row": f"{MAPPING}:{line}",
    }
    assert (code, found["changed"], found["routes"]) == (1, 5, [])
    (verdict,) = found["verdicts"]
    assert verdict == {"window": "pe-x", "change": "accepted -> rejected (X-TEA)", "documents": 5}
    leaf = found["examples"][0]["elements"][0]
    assert (leaf["before"], leaf["now"]) == ("Tea", "TEA")


def test_a_rule_of_a_format_turns_an_outcome(world, swb):
    edit(world[0], "mappings/documents/toy/note-1/rules.toml", "'13'", "'3'")
    code, found = compare(swb, world)
    assert (code, found["changed"], found["elements"]) == (1, 1, [])
    assert found["outcomes"] == [{"change": "accepted -> refused", "documents": 1}]
    assert found["findings"] == [{"code": "TOY-1", "change": "new", "documents": 1}]
    assert found["routes"] == [{"window": "pe-x", "change": "X-1 -> not taken", "documents": 1}]


def test_what_if_a_window_took_less_or_demanded_more(world, swb):
    window = "mappings/participants/pe-x/participant.toml"
    edit(
        world[0],
        window,
        'family = "toy" }',
        "family = \"toy\", when = \"not(AdditionalDocument/ID = '1' or AdditionalDocument/ID = '2')\" }",
    )
    edit(world[0], window, ". = 'Tea'", ". = 'Coffee'")
    code, found = compare(swb, world)
    assert (code, found["elements"], found["outcomes"]) == (1, [], [])
    assert found["routes"] == [{"window": "pe-x", "change": "X-1 -> not taken", "documents": 2}]
    assert found["verdicts"] == [{"window": "pe-x", "change": "accepted -> rejected (X-TEA)", "documents": 3}]


def test_the_same_twice_is_equal_to_the_byte_and_reads_as_a_plan(world, swb):
    edit(world[0], MAPPING, 'from = "n:Number"', 'from = "n:To"')
    edit(world[0], MAPPING, '{ from = "n:To", why', '{ from = "n:Number", why')
    given = ("replay", world[2], "--against", world[1], "--today", "2026-06-01")
    first, second = swb(*given), swb(*given)
    assert first == second
    assert first[0] == 1
    assert first[1].splitlines()[0].startswith("5 of 5 documents change (against ")
    assert (
        "  AdditionalDocument/ID (D005): 5 documents of toy/note-1, row mappings/documents/toy/note-1/mapping.toml:"
        in first[1]
    )
    assert "  0 routes" in first[1].splitlines()
    assert swb(*given, "-o", "json") == swb(*given, "-o", "json")


def test_a_kept_catalogue_and_a_revision(world, tmp_path):
    root, before, _ = world
    store = tmp_path / "store"
    store.mkdir()
    archive = Archive(f"file://{store}", tmp_path / "unpacked")
    digest = archive.keep(before, catalogue.load(before))
    assert other_data.found(digest[:10], root, archive, tmp_path)[0] == digest[:12]
    git = ["git", "-C", str(root), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "as it was"]):
        subprocess.run([*git, *words], check=True)
    edit(root, MAPPING, "nobody asks", "nobody asks us")
    scratch = tmp_path / "scratch"
    name, folder = other_data.found("HEAD", root, archive, scratch)
    assert name.startswith("HEAD (")
    assert catalogue.catalogue_digest(folder) == digest


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--against", "no-such-thing"], "no data folder, no kept catalogue and no revision"),
        (["--against", ".", "--update", "--expect", "."], "stands by itself"),
        (["--today", "2026-06-01"], "goes with --against"),
    ],
)
def test_what_cannot_be_compared(world, swb, more, says):
    code, _, err = swb("replay", world[2], *more)
    assert code == 2
    assert says in err
