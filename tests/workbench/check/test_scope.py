"""What a check looks at: everything, or what some changed files can have broken."""

from tests.support.check_kit import scope_of

NOTE = "mappings/documents/toy/note-1"


def test_without_changed_files_everything_is_looked_at(toy):
    scope = scope_of(toy)
    assert [t.name for t in scope.document_types()] == ["toy/note-1"]
    assert [f.name for f in scope.files("xsd/toy/*.xsd")] == ["note.xsd"]
    assert scope.takes_sample(toy / NOTE / "samples/first.xml")


def test_a_type_is_looked_at_where_its_folder_its_schema_or_the_payload_s_has_changed(toy):
    for file, is_looked_at in ((f"{NOTE}/rules.toml", True), ("xsd/toy/note.xsd", True), ("mappings/x.toml", False)):
        assert bool(list(scope_of(toy, [toy / file]).document_types())) is is_looked_at


def test_of_changed_samples_only_these_and_what_is_made_of_them(toy):
    scope = scope_of(toy, [toy / NOTE / "samples/first.xml"])
    (toy / NOTE / "samples/second.xml").write_text("<x/>")
    taken = [f.name for f in sorted((toy / NOTE / "samples").iterdir()) if scope.takes_sample(f)]
    assert taken == ["first.xml", "refused-TOY-1.toml"]
