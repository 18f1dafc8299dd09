"""Samples: each becomes what its name says, and every rule has one."""

import pytest

from broker.workbench.check import samples
from tests.support.check_kit import change, scope_of, told

SAMPLES = "mappings/documents/toy/note-1/samples"


def faults(root):
    return told(samples.faults(scope_of(root), lambda _: None))


def test_good_samples_have_none(toy):
    assert faults(toy) == []
    assert [file.name for file in samples.files(toy)] == ["first.xml", "refused-TOY-1.toml"]


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("first.xml", "<Number>1<", "<Number>13<", "must be accepted, is refused: TOY-1 /Note/Number"),
        ("refused-TOY-1.toml", '"13"', '"14"', "must be refused, is accepted"),
        ("refused-TOY-1.toml", "'Number'", "'Date'", "is told: schema.type"),
        ("refused-TOY-1.toml", "'Number'", "'None'", "cannot be made"),
    ],
)
def test_a_sample_that_is_not_as_its_name_says_is_told(toy, file, old, new, sentence):
    change(toy, f"{SAMPLES}/{file}", old, new)
    assert any(sentence in one for one in faults(toy))


def test_a_rule_and_an_expectation_without_a_sample_are_told(toy):
    (toy / SAMPLES / "refused-TOY-1.toml").rename(toy / SAMPLES / "gone.payload.xml")
    first, second = faults(toy)
    assert "the rule TOY-1 has no sample" in first
    assert "there is no sample of this name" in second


def test_a_name_may_say_more_than_its_rule():
    assert samples.names("COD-07-without-date", "COD-07")
    assert not samples.names("COD-070", "COD-07")
