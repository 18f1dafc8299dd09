"""The implementation report: every row with its element, source and example, as Markdown."""

from broker import catalogue
from broker.mapping.lineage.report import markdown
from broker.workbench import evidence


def test_a_report_says_of_each_row_what_an_official_signs(toy):
    loaded = catalogue.load()
    found = evidence.report_of(loaded.document_types["toy/note-1"], loaded)
    text = markdown(found)
    assert text.startswith("# A note\n")
    assert "AdditionalDocument/ID" in text
    assert "D005" in text
    assert "nobody asks" in text
    assert "Number 13 is unlucky." in text
    assert found.record.startswith("toy/note-1@1+")
    assert found.digest in text
