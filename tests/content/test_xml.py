"""XML met with suspicion: encodings by any registered name, limits, and places in the sender's own bytes."""

import pytest

from broker.content import xml
from broker.content.xml import control_character, leaves, line_of, parse, pointer, pointers, shown, start_of
from broker.model.errors import Refused

TEXT = "<a>\n<b k='x'>Panela, ñandú</b></a>"


def labelled(label: str, written: str, text: str = TEXT) -> bytes:
    return f'<?xml version="1.0" encoding="{label}"?>{text}'.encode(written)


# https://www.iana.org/assignments/character-sets: names, and aliases, of what is taken
@pytest.mark.parametrize("label", ["ISO-8859-1", "latin1", "l1", "ISO_8859-1", "iso-ir-100", "IBM819", "CP819"])
def test_latin_1_by_all_its_names(label) -> None:
    root, _ = parse(labelled(label, "latin-1"))
    assert root[0].text == "Panela, ñandú"


@pytest.mark.parametrize("label", ["UTF-8", "utf-8", "UTF8"])
def test_utf_8_by_all_its_names(label) -> None:
    assert parse(labelled(label, "utf-8"))[0][0].text == "Panela, ñandú"


@pytest.mark.parametrize("label", ["windows-1252", "ISO-8859-15", "GB18030"])
def test_other_encodings_are_refused_by_name(label) -> None:
    with pytest.raises(Refused) as refused:
        parse(labelled(label, label, "<a>x</a>"))
    (finding,) = refused.value.findings
    assert finding.code == "content.encoding"
    assert label.casefold() in finding.message.casefold() or finding.message.startswith("The message cannot be read")


def test_a_label_of_utf_16_on_other_bytes_is_told_as_a_wrong_label() -> None:
    with pytest.raises(Refused) as refused:
        parse(labelled("UTF-16", "utf-8"))
    (finding,) = refused.value.findings
    assert (finding.code, finding.line) == ("content.encoding", 1)
    assert "label is wrong" in finding.message


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (labelled("ISO-8859-1", "cp1252", "<a>\n<b>“Hass” avocados</b></a>"), ("b", None)),
        (labelled("UTF-8", "utf-8", "<a>\n<b>\x93Hass\x94</b></a>"), ("b", None)),
        (labelled("UTF-8", "utf-8", "<a>\n<b>&#147;Hass&#148;</b></a>"), ("b", None)),
        (labelled("UTF-8", "utf-8", "<a>\n<b k='&#x80;1'/></a>"), ("b", "k")),
        (labelled("UTF-16", "utf-16", "<a>\n<b>\x93Hass\x94</b></a>"), ("b", None)),
    ],
    ids=["windows-1252 as latin 1", "utf-8", "decimal reference", "attribute", "utf-16"],
)
def test_c1_controls_are_found_where_they_stand(content, place) -> None:  # ISO/IEC 6429: 80 to 9F are no characters
    element, attribute, character = control_character(parse(content)[0])
    assert (element.tag, attribute) == place
    assert 0x80 <= ord(character) <= 0x9F


def test_letters_whose_bytes_look_like_controls_pass() -> None:
    root, _ = parse(labelled("UTF-8", "utf-8", "<a>É Ó “Hass” €</a>"))
    assert root.text == "É Ó “Hass” €"
    assert control_character(root) is None


def test_lines_before_the_declaration_are_counted() -> None:
    root, offset = parse(b"\r\n\n" + labelled("UTF-8", "utf-8"))
    assert (offset, line_of(root[0], offset)) == (2, 4)
    assert [start_of(c) for c in (b"<a/>", b"\n <a/>", b"\xef\xbb\xbf\n<a/>")] == [0, 2, 4]


def test_a_place_is_written_in_the_documents_own_prefixes() -> None:
    root, _ = parse(b'<a xmlns="urn:a" xmlns:p="urn:p"><b/><b p:k="1"><p:c/></b></a>')
    second = root[1]
    assert (pointer(second), pointer(second, "{urn:p}k"), pointer(second[0])) == (
        "/a/b[2]", "/a/b[2]/@p:k", "/a/b[2]/p:c",
    )  # fmt: skip
    assert pointers(root) == {element: pointer(element) for element in root.iter()}


def test_leaves_are_texts_and_attributes_that_have_a_value() -> None:
    root, _ = parse(b"<a k=''><b k='1'>x</b><c> </c></a>")
    assert [(e.tag, a) for e, a in leaves(root)] == [("b", None), ("b", "k")]


@pytest.mark.parametrize(
    ("limit", "sentence"), [("MAX_ELEMENTS", "has 4 elements; at most 2"), ("MAX_SIBLINGS", "a has 3 elements in it")]
)
def test_a_document_of_too_many_elements_is_refused(monkeypatch, limit, sentence) -> None:
    monkeypatch.setattr(xml, "MAX_SIBLINGS", 2)
    monkeypatch.setattr(xml, limit, 2)
    with pytest.raises(Refused) as refused:
        parse(b"<a><b/><b/><b/></a>")
    assert (refused.value.findings[0].code, sentence in refused.value.findings[0].message) == (
        "content.too-large",
        True,
    )


def test_a_value_is_shown_on_one_line_and_not_longer_than_a_person_reads() -> None:
    assert (shown(" a\n b "), shown(None), len(shown("x" * 500))) == ("a b", None, 121)
