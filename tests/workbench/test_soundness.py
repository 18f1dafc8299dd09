"""A worker with broken data takes no lane: it leaves with 2 and a sentence before it speaks to Kafka."""

import pytest

from broker import catalogue
from broker.model.errors import Misconfigured
from broker.workbench import check
from broker.workbench.soundness import ensure_sound

MAPPING = "mappings/documents/toy/note-1/mapping.toml"


def edit(root, old, new):
    path = root / MAPPING
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_sound_catalogue_is_looked_at_once(toy, tmp_path, monkeypatch):
    assert ensure_sound(toy, tmp_path / "notes") == catalogue.catalogue_digest(toy)
    monkeypatch.setattr(check, "check", None)
    assert ensure_sound(toy, tmp_path / "notes") == catalogue.catalogue_digest(toy)


def test_a_broken_one_is_told_every_time(toy, tmp_path):
    edit(toy, "n:Number", "n:Numbre")
    edit(toy, 'transform = "date"', 'transform = "dait"')
    edit(toy, 'value = "9"', 'valeu = "9"')
    for _ in range(2):
        with pytest.raises(Misconfigured, match="no lane is taken") as told:
            ensure_sound(toy, tmp_path / "notes")
        assert f"{MAPPING}:" in str(told.value)
        assert "no Numbre there" in str(told.value)
        assert "no transform 'dait'" in str(told.value)
        assert "say where the value comes from" in str(told.value)
    assert not (tmp_path / "notes").exists()


def test_a_worker_leaves_with_2_before_it_joins(toy, swb, monkeypatch, tmp_path):
    monkeypatch.setenv("SWB_CACHE", str(tmp_path / "cache"))
    edit(toy, "n:Number", "n:Numbre")
    code, _, err = swb("worker", "--bootstrap", "127.0.0.1:1")
    assert code == 2
    assert "the data in " in err
    assert "no Numbre there" in err
