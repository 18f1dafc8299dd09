"""One name for a state of data, whatever order it was written in."""

import hashlib

from broker.registry.digests import digest, of_bytes, of_files, of_value, with_imports


def test_order_does_not_count_and_content_does():
    assert digest({"a": "1", "b": "2"}) == digest({"b": "2", "a": "1"}) != digest({"a": "2", "b": "1"})
    assert of_value({"x": [1, 2], "y": {}}) == of_value({"y": {}, "x": [1, 2]}) != of_value({"x": [2, 1], "y": {}})
    assert of_bytes(b"abc") == hashlib.sha256(b"abc").hexdigest()


def test_files_count_under_their_names_and_what_is_not_there_does_not(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("x")
    before = of_files([one, two], tmp_path)
    assert before == of_files([one], tmp_path)
    one.rename(two)
    assert of_files([one, two], tmp_path) != before


def test_a_schema_is_decided_by_all_it_takes_in_and_by_the_rules_beside_each(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "a.xsd").write_text(
        '<include schemaLocation="in/b.xsd"/><import schemaLocation="http://x.test/y.xsd"/>'
    )
    (tmp_path / "in/b.xsd").write_text("<import schemaLocation='../a.xsd'/>")
    assert {f.relative_to(tmp_path).as_posix() for f in with_imports(tmp_path / "a.xsd")} == {
        "a.xsd", "a.rules.toml", "in/b.xsd", "in/b.rules.toml",
    }  # fmt: skip
