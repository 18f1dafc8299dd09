"""Encodings go by any name that IANA registered for them; a wrong label is told as what it is."""

import pytest

from broker.content.xml import control_character, parse
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
