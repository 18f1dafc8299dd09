"""Participants: what they accept can be met, what they demand can be asked."""

import pytest

from broker.workbench.check import participants
from tests.support.check_kit import scope_of, told

WINDOW = """name = "X"
kind = "window"
economy = "PE"
profile = "our own"
accepts = [{ id = "X-1", family = "toy" }]
[answers]
accepted = [{ function = "01" }]
rejected = [{ function = "02" }]
states = { 01 = "accepted", 02 = "rejected" }
[[rules]]
id = "X-R"
code = "R1"
test = "Exporter/Name"
message.en = "A name."
"""


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("", "", ""),
        ('family = "toy"', 'family = "notes"', "there is no family notes; there are toy"),
        ('family = "toy"', 'types = ["toy/note-9"]', "there is no document type toy/note-9"),
        (', family = "toy"', "", "says neither family nor types"),
        ("Exporter/Name", "Exporter/Nome", "test: the payload has no Nome there"),
        ("Exporter/Name", "in-list('none', Exporter/Name)", "there is no code list 'none'"),
        ("[answers]", "[answers]\ndelay = -1", "delay must not be less than 0"),
    ],
)
def test_what_cannot_be_met_or_asked_is_told(toy, old, new, sentence):
    file = toy / "mappings/participants/pe-x/participant.toml"
    file.parent.mkdir(parents=True)
    file.write_text(WINDOW.replace(old, new, 1) if old else WINDOW)
    found = told(participants.faults(scope_of(toy)))
    assert any(sentence in one for one in found) if sentence else found == []
