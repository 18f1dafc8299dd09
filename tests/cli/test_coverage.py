"""``swb coverage``: what samples exercise of a mapping."""

from tests.support.cli_kit import objects


def test_rows_and_drops_without_a_sample_are_named(swb, toy):
    code, out, _ = swb("coverage", "toy/note-1", "--source", "-o", "json")
    (found,) = objects(out)
    assert code == 0
    assert found == {
        "document_type": "toy/note-1", "rows": 7, "rows_without_sample": [], "drops": 2,
        "drops_without_sample": ["drop n:To", "drop n:Line/@kind"], "mandatory_without_row": [],
        "source_unmentioned": [],
    }  # fmt: skip


def test_a_row_without_a_sample_is_no_success(swb, toy):
    file = toy / "mappings/documents/toy/note-1/mapping.toml"
    file.write_text(file.read_text().replace("fields = [", 'fields = [{ to = "Exporter/Name", from = "n:To" },', 1))
    code, out, _ = swb("coverage", "toy/note-1")
    assert code == 1
    assert "row without sample: Exporter/Name" in out
