"""What CONTRIBUTING.md says is where it says."""

import re

import pytest

from tests.support.paths import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
QUESTIONS = re.findall(r"^\| ([^|]+\?) \| `([^`]+)` \| `([^`]+)` \|$", TEXT, re.MULTILINE)


def test_there_are_ten_questions_at_least():
    assert len(QUESTIONS) >= 10


@pytest.mark.parametrize(("question", "file", "word"), QUESTIONS)
def test_a_question_is_answered_by_its_file(question, file, word):
    assert word in (ROOT / file).read_text(encoding="utf-8"), question


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:broker|mappings|xsd)/[\w/.-]+)`", TEXT))))
def test_what_is_named_is_there(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([\w./-]+)\)", TEXT))))
def test_links_lead_somewhere(link):
    assert (ROOT / link).is_file()
