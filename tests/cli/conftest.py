"""Three documents of the toy format, for every verb."""

from dataclasses import dataclass
from pathlib import Path

import pytest

NOTE = '<Note xmlns="urn:toy"><Number>{}</Number><Date>2026-05-04</Date><Line>Tea</Line></Note>'


@dataclass
class Notes:
    """Two good documents and one that a rule refuses."""

    good: Path
    other: Path
    bad: Path


@pytest.fixture
def notes(toy, tmp_path):
    found = Notes(tmp_path / "good.xml", tmp_path / "other.xml", tmp_path / "bad.xml")
    for file, number in ((found.good, 1), (found.other, 2), (found.bad, 13)):
        file.write_text(NOTE.format(number), encoding="utf-8")
    return found
