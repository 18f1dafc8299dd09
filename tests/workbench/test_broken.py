"""``swb check`` on catalogues broken on purpose: none passes, and each fault has file and sentence."""

import functools
import os
import re
import shutil
import tomllib

import pytest

from broker.paths import data_root
from broker.workbench.check import check
from tests.workbench.broken import BROKEN, DELETE

pytestmark = pytest.mark.proof

CASES = [(file, *case) for file, cases in BROKEN.items() for case in cases if case[2]]
TRIED = CASES if os.environ.get("SWB_PROOF") == "full" else CASES[::8]
"""Each takes seconds, since all data is looked at: every eighth, or all of them with ``SWB_PROOF=full``."""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The product's own data, to be broken and mended in place."""
    root = tmp_path_factory.mktemp("data")
    for folder in ("mappings", "xsd"):
        shutil.copytree(data_root() / folder, root / folder)
    return root


@pytest.fixture(autouse=True)
def read_once(monkeypatch):
    """The same text gives the same table: what did not change is not read again for every case."""
    monkeypatch.setattr(tomllib, "loads", _loads)


_loads = functools.cache(tomllib.loads)


def test_there_are_enough():
    assert len(CASES) >= 150
    assert len(CASES) == len(set(CASES))


@pytest.mark.parametrize(("file", "old", "new", "word"), TRIED, ids=lambda text: text[-40:].strip() or "new")
def test_a_broken_catalogue_is_told(data, file, old, new, word):
    path = data / file
    before = path.read_bytes() if path.is_file() else None
    try:
        if before is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(new, encoding="utf-8")
        elif new == DELETE:
            path.unlink()
        else:
            text = before.decode("utf-8")
            assert old in text, "the case is out of date"
            path.write_text(text.replace(old, new, 1), encoding="utf-8")
        found = check(data, changed=[path], with_samples=False).faults
        if not fitting(found, word):
            found = check(data, changed=[path]).faults
        assert all((data / fault.where).parent.is_dir() for fault in found), [fault.where for fault in found]
    finally:
        if before is not None:
            path.write_bytes(before)
        else:
            path.unlink()
            if not any(path.parent.iterdir()):
                path.parent.rmdir()
    told = fitting(found, word)
    assert told, [f"{f.place}: {f.told[:300]}" for f in found]
    assert any(f.where.startswith(_split(word)[1] or file) for f in told), [f.place for f in told]
    assert [f for f in found if len(f.sentence) < 9 or str(data) in f.sentence] == []


def fitting(found, word):
    """The faults that say it."""
    said, _ = _split(word)
    return [fault for fault in found if said in fault.sentence or said in fault.where]


def _split(word):
    """What is said, and of which file, where that is another."""
    said, *where = re.split(r" @(?=mappings|xsd)", word)
    return said, "".join(where)


def test_what_is_mended_is_well(data):
    assert check(data, changed=[data / "mappings/participants/pe-vuce/participant.toml"]).faults == ()
