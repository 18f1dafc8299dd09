"""``swb report``: the table an official can sign, stored beside its mapping and held against it."""


def test_a_report_is_written_and_found_to_be_out_of_date(swb, toy):
    assert swb("report", "--check", "toy/note-1")[0] == 1
    assert swb("report", "--write", "toy/note-1")[0] == 0
    assert swb("report", "--check", "toy/note-1")[0] == 0
    file = toy / "mappings/documents/toy/note-1/report.md"
    assert "D005" in file.read_text()
    file.write_text(file.read_text().replace("D005", "D006"))
    code, _, err = swb("report", "--check", "toy/note-1")
    assert (code, "report.md is out of date" in err) == (1, True)


def test_it_is_a_page_or_the_code_where_that_is_asked_for(swb, toy):
    assert swb("report", "--html", "toy/note-1")[1].startswith("<!doctype html>")
    assert "def translate(" in swb("report", "--code", "toy/note-1")[1]
    assert swb("report")[0] == 2
