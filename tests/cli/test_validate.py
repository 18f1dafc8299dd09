"""``swb validate`` judges the document alone."""

from tests.support.cli_kit import objects


def test_validate_judges_the_document_alone(swb, notes):
    code, out, _ = swb("validate", notes.good, notes.bad)
    assert code == 1
    assert f"valid {notes.good} (toy/note-1)" in out
    assert f"refused {notes.bad}" in out
    assert "1 valid, 1 refused" in out
    code, out, _ = swb("validate", notes.good, "-o", "json")
    assert (code, objects(out)[0]["outcome"]) == (0, "valid")
