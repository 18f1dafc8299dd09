"""JSON as a tree and back: keys, members, kinds of values, lines, pointers (RFC 8259, RFC 6901)."""

import pytest

from broker.content.json_tree import (
    BadJson,
    at_path,
    is_json,
    json_pointer,
    key_of,
    looks_like_json,
    name_of,
    parse_json,
    unsalt,
    value_of,
)

TEXT = b'{"a": [{"b": 1.50}, null],\n "@id": "x", "c/d": {"~": true}, "": []}'


def test_a_tree_says_what_the_text_said():
    root = parse_json(TEXT)
    assert value_of(root) == {"a": [{"b": 1.5}, None], "@id": "x", "c/d": {"~": True}, "": []}
    assert is_json(root)
    assert root.find("a/_/b").text == "1.50"
    assert root.find("_x0040_id").sourceline == 2


@pytest.mark.parametrize("key", ["a", "@id", "", "_", "1st", "a b", "_x0040_", "ñ", "a.b-c"])
def test_a_key_is_a_name_and_the_name_is_the_key(key):
    assert key_of(name_of(key)) == key


def test_places_are_pointers():
    root = parse_json(TEXT)
    assert json_pointer(root.find("a/_/b")) == "/a/0/b"
    assert json_pointer(root.find(name_of("c/d"))[0]) == "/c~1d/~0"
    assert at_path(root, ["a", 0, "b"]).text == "1.50"
    assert at_path(root, ["a", 7, "b"]).tag == "a"


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        (b'{"a": 1,\n "a": 2}', 2, "the key 'a' stands twice"),
        (b'{"a": 1,\n}', 2, "a key is missing after the comma"),
        (b"[1 2]", 1, "a comma is missing"),
        (b'{"a" 1}', 1, "a colon is missing"),
        (b"{} x", 1, "more follows"),
        (b"[01]", 1, "a comma is missing"),
        (b'{"a": "\xff"}', 1, "JSON is UTF-8"),
        (b"[" * 300, 1, "nested deeper than 200"),
        (b"[" + b"9" * 101 + b"]", 1, "more than 100 signs"),
        (b'["\\u0001"]', 1, "a control character"),
        (b'{"a": ', 1, "it ends too early"),
    ],
)
def test_what_is_no_json_is_told_with_its_line(text, line, sentence):
    with pytest.raises(BadJson) as bad:
        parse_json(text)
    assert (bad.value.line, sentence in str(bad.value)) == (line, True)


def test_json_is_known_by_its_first_sign():
    assert [looks_like_json(t) for t in (b"\xef\xbb\xbf {", b"\n[", b"<a/>", b"")] == [True, True, False, False]


def test_salt_is_taken_off_every_value():
    salt = "0e1d2c3b-4a59-4687-9876-543210fedcba"
    root = parse_json(f'{{"a": "{salt}:string:x:y", "b": "{salt}:number:7", "c": "{salt}:null:null"}}'.encode())
    unsalt(root)
    assert value_of(root) == {"a": "x:y", "b": 7, "c": None}
