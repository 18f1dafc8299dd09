"""Windows tried on their own samples, as ``swb check`` does."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from broker.answers import way_back
from broker.catalogue import load
from broker.paths import data_root
from broker.workbench.window_trial import trial

pytestmark = pytest.mark.proof

NOW = datetime(2026, 6, 1, tzinfo=UTC)
WINDOW = "sg-tradenet"


@pytest.fixture
def samples(tmp_path):
    """A copy of one window's samples."""
    mappings = data_root() / "mappings"
    (tmp_path / "documents").symlink_to(mappings / "documents")
    shutil.copytree(mappings / "participants", tmp_path / "participants")
    return tmp_path / "participants" / WINDOW / "samples"


@pytest.fixture
def tried(samples):
    catalogue = load()
    alone = replace(catalogue, participants={WINDOW: catalogue.participants[WINDOW]})
    mappings = samples.parents[2]
    home = way_back.load(data_root(), alone)
    return lambda: [f"{place.name}: {fault}" for place, fault in trial(mappings, home, NOW)]


def test_samples_do_what_their_names_say(tried):
    assert tried() == []


def test_a_rule_without_sample_and_a_sample_without_rule(samples, tried):
    (samples / "SG-TARIFF.toml").rename(samples / "SG-TARIF.toml")
    assert tried() == [
        "sg-tradenet: the rule SG-TARIFF has no sample: samples/SG-TARIFF.xml, .json or .toml",
        "SG-TARIF.toml: is named by no rule of sg-tradenet",
    ]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ('base = "participants/sg-tradenet/samples/SG-01.xml"', "must break SG-TARIFF alone, and breaks nothing"),
        ('base = "participants/pe-vuce/samples/PE-01.xml"', "does not reach sg-tradenet: SG-01: "),
        ('base = "participants/nobody/samples/SG-01.xml"', "cannot be made: "),
        ("base = ", "cannot be made: "),
    ],
)
def test_a_sample_that_breaks_no_rule(samples, tried, change, fault):
    (samples / "SG-TARIFF.toml").write_text(change, encoding="utf-8")
    (told,) = tried()
    assert told.startswith(f"SG-TARIFF.toml: {fault}")


def test_an_answer_that_would_point_elsewhere(samples, tried):
    with (samples / "SG-TARIFF.toml").open("a", encoding="utf-8") as file:
        file.write('points = "/Invoice/cbc:ID"\n')
    (told,) = tried()
    assert told.startswith("SG-TARIFF.toml: the answer must point at /Invoice/cbc:ID, and points at /Invoice/cac:")


@pytest.mark.parametrize(
    ("base", "fault"),
    [
        ("SG-01.xml", "must be taken by SG-04, is taken by SG-01"),
        ("SG-TARIFF.toml", "must be accepted as it stands, and breaks SG-TARIFF"),
    ],
)
def test_a_sample_that_another_rule_takes_or_the_profile_rejects(samples, tried, base, fault):
    (samples / "SG-04.toml").write_text(f'base = "participants/{WINDOW}/samples/{base}"', encoding="utf-8")
    assert f"SG-04.toml: {fault}" in tried()


def test_a_window_that_takes_over_another_is_tried_on_its_samples(samples):
    """Samples are taken over with the rules that name them; one that is named by no rule any more is let be."""
    catalogue, code = load(), "sg-second"
    base = catalogue.participants[WINDOW]
    second = replace(base, code=code, extends=WINDOW, rules=base.rules[1:])
    (samples.parents[1] / code).mkdir()
    both = replace(catalogue, participants={WINDOW: base, code: second})
    told = [
        f"{place.name}: {fault}" for place, fault in trial(samples.parents[2], way_back.load(data_root(), both), NOW)
    ]
    assert told == []
