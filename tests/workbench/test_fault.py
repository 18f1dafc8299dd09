"""A fault of the data: what is told of it, and where in a file it stands."""

import pytest

from broker.workbench.fault import DataFault, below, line_of, of_error, placed


@pytest.fixture
def root(tmp_path):
    (tmp_path / "rows.toml").write_text(
        'x = 1\n{ to = "A", from = "a" },\n{ to = "A",\n  from = "b" },\n{ to = "C", from = "b" }\n'
    )
    return tmp_path


@pytest.mark.parametrize(
    ("text", "where", "line", "sentence"),
    [
        ("rows.toml: row A: wrong", "rows.toml", None, "row A: wrong"),
        ("rows.toml: line 3, wrong", "rows.toml", 3, "wrong"),
        ("rows.toml: not TOML (at line 4, column 2)", "rows.toml", 4, "not TOML (at line 4, column 2)"),
        ("gone.toml: wrong", "other.toml", None, "gone.toml: wrong"),
        ("", "other.toml", None, "ValueError"),
    ],
)
def test_an_error_names_its_file_and_line(root, text, where, line, sentence):
    fault = of_error(ValueError(text), root / "other.toml", root)
    assert (fault.where, fault.line, fault.sentence) == (where, line, sentence)


def test_of_equal_lines_the_one_whose_entry_says_most_is_meant(root):
    assert placed(DataFault("rows.toml", "wrong"), root, 'to = "A"', '"b"').place == "rows.toml:3"
    assert placed(DataFault("rows.toml", "wrong", 9), root, 'to = "A"').line == 9
    assert line_of("a\nb", ["c"]) is None


def test_a_sentence_names_its_row_once():
    assert DataFault("f", "wrong", row="A").told == "A: wrong"
    assert DataFault("f", "A is wrong", row="A").told == "A is wrong"


def test_a_file_elsewhere_keeps_its_whole_name(root, tmp_path_factory):
    assert below(root / "a/b", root) == "a/b"
    other = tmp_path_factory.mktemp("other")
    assert below(other, root) == other.as_posix()
