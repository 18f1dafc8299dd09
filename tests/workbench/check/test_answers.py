"""How answers are told: without a form there is none; every sentence in every language that is spoken."""

import shutil

from broker.catalogue import data_root
from broker.workbench.check import answers
from tests.support.check_kit import change, scope_of, told


def test_without_windows_nothing_is_missing(toy):
    assert told(answers.faults(scope_of(toy))) == []


def test_a_sentence_that_lacks_a_language_is_told_at_its_line(toy):
    for name in ("responses", "statuses", "relations.toml", "writeoff.toml"):
        source, target = data_root() / "mappings" / name, toy / "mappings" / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    file = toy / "mappings/responses/sentences.toml"
    first = next(line for line in file.read_text().splitlines() if line.startswith("es = "))
    change(toy, "mappings/responses/sentences.toml", f"{first}\n", "")
    faults = [one for one in answers.faults(scope_of(toy)) if one.where.endswith("sentences.toml")]
    assert faults
    assert all("has no sentence in es" in one.sentence and one.line for one in faults)
