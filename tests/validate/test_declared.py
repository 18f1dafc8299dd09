"""What a schema's files declare: types down to the built-in one, elements that hold base64 (XSD part 2, 3.2.16)."""

import pytest

from broker.validate.declared import closure, declared, is_base64
from tests.support.note_kit import NOTE


@pytest.mark.parametrize("text", ["", "aGVsbG8=", " aGVs\n bG8= ", "AAAA", "/+8="])
def test_base64(text):
    assert is_base64(text)


@pytest.mark.parametrize(
    "text", ["aGVsbG8", "aGVs.bG8=", "=aGVsbG8", "aGVsbG8=x", "a", "aGVs\u00a0bG8=", "aGVs:bG8=", "====", "aGVs_bG8="]
)
def test_no_base64(text):
    assert not is_base64(text)


def test_a_type_is_followed_to_the_built_in_one(tmp_path):
    file = tmp_path / "note.xsd"
    file.write_text(NOTE)
    found = declared(file)
    assert [found.built_in(f"{{urn:note}}{name}") for name in ("Total", "Number", "Scan")] == [
        "decimal", "token", "base64Binary",
    ]  # fmt: skip
    assert found.binary == {"{urn:note}Scan"}


def test_a_schema_comes_with_all_it_takes_in_each_once(tmp_path):
    xs = "xmlns:xs='http://www.w3.org/2001/XMLSchema'"
    for name, other in (("a", "b"), ("b", "a")):
        text = f"<xs:schema {xs} id='{name}'><xs:include schemaLocation='{other}.xsd'/></xs:schema>"
        (tmp_path / f"{name}.xsd").write_text(text)
    assert [schema.get("id") for schema in closure(tmp_path / "a.xsd")] == ["a", "b"]
