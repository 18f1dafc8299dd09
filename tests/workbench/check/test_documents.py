"""One document type against its own schema, the payload's and the lists: each fault with its row and line."""

import pytest

from broker.workbench.check import documents
from tests.support.check_kit import change, scope_of

NOTE = "mappings/documents/toy/note-1"


def faults(root):
    scope = scope_of(root)
    return [fault for kind in scope.document_types() for fault in documents.faults(kind, scope)]


def test_good_data_has_none(toy):
    assert faults(toy) == []
    (kind,) = scope_of(toy).document_types()
    assert documents.count_rows(kind) == 6


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence", "line"),
    [
        ("mapping.toml", 'from = "n:Number", required', 'from = "n:Numero", required', "has no Numero there", 6),
        ("mapping.toml", '{ from = "n:To"', '{ from = "n:Cc"', "has no Cc there", 8),
        ("rules.toml", "n:Number != '13'", "n:Numero != '13'", "the schema has no n:Numero there", 2),
        ("rules.toml", "es =", "de =", "message.es is missing", 2),
        ("document.toml", "{urn:toy}Note", "{urn:toy}Notes", "declares no root element", 2),
    ],
)
def test_a_fault_is_told_at_its_line(toy, file, old, new, sentence, line):  # noqa: PLR0917
    change(toy, f"{NOTE}/{file}", old, new)
    found = faults(toy)
    assert any(sentence in f.sentence and f.where == f"{NOTE}/{file}" and f.line == line for f in found), found


def test_two_types_that_nothing_tells_apart_are_told(toy):
    other = toy / "mappings/documents/toy/note-2"
    other.mkdir()
    (other / "document.toml").write_text('extends = "toy/note-1"\nname = "Another"\n')
    (fault,) = documents.faults_of_all(scope_of(toy))
    assert "no `when` tells them apart" in fault.sentence
