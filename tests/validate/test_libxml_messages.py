"""The words of libxml2 about a schema fault, as a code and a sentence that a person reads."""

import pytest
from lxml import etree

from broker.validate.libxml_messages import LibxmlMessage, attribute_named, listed, message_of, prefixed


def said(kind, message, value="v"):
    return message_of(f"SCHEMAV_{kind}", message, value, lambda name: name)


@pytest.mark.parametrize(
    ("kind", "message", "value", "code", "sentence"),
    [
        ("CVC_DATATYPE_VALID_1_2_1", "'x' is not a valid value of the atomic type 'xs:date'.", "x",
         "schema.type", "is not a date (CCYY-MM-DD)."),
        ("CVC_DATATYPE_VALID_1_2_1", "not a valid value of the atomic type 'Own'.", "x",
         "schema.type", "does not have a value of its type."),
        ("CVC_MAXLENGTH_VALID", "[facet 'maxLength'] The value has a length of '3'; this exceeds the maximum of '2'.",
         "abc", "schema.length", "has 3 characters: it is longer than 2."),
        ("CVC_FRACTIONDIGITS_VALID", "more fractional digits than are allowed ('0').", "1.5",
         "schema.length", "is not a whole number."),
        ("CVC_MININCLUSIVE_VALID", "less than the minimum allowed ('1').", "0", "schema.value", "is less than 1."),
        ("CVC_ENUMERATION_VALID", "is not an element of the set {'a', 'b'}.", "c",
         "schema.value", "is none of the values allowed: a, b."),
        ("CVC_PATTERN_VALID", "is not accepted by the pattern '[0-9]+'.", "x",
         "schema.value", "does not have the form required: [0-9]+."),
        ("CVC_PATTERN_VALID", "is not accepted by the pattern '[0-9]+'.", " 1",
         "schema.value", "has white space where none may be: at its ends, a tab or a line break."),
        ("CVC_PATTERN_VALID", "is not accepted by the pattern '[0-9]+'.", " ", "schema.value", "is empty."),
        ("CVC_COMPLEX_TYPE_2_3", "Character content other than whitespace is not allowed.", "x",
         "schema.unexpected", "has text where only elements may stand."),
    ],
)  # fmt: skip
def test_a_fault_has_a_code_and_a_sentence(kind, message, value, code, sentence):
    found = said(kind, message, value)
    assert (found.code, found.says) == (code, sentence)


def test_of_the_structure_it_is_known_what_was_expected():
    missing = said("ELEMENT_CONTENT", "Missing child element(s). Expected is one of ( {urn:a}B, C ).")
    assert missing == LibxmlMessage("schema.missing", "is not complete", ("{urn:a}B", "C"))
    stray = said("ELEMENT_CONTENT", "This element is not expected. Expected is ( B ).")
    assert (stray.code, stray.expected) == ("schema.unexpected", ("B",))


def test_a_remark_that_follows_from_another_error_is_none():
    assert said("CVC_COMPLEX_TYPE_4", "No precomputed value available, the value was either invalid.") is None


def test_the_attribute_is_named():
    assert attribute_named("Element 'a', attribute 'b': 'x' is not valid.") == "b"
    assert attribute_named("Element 'a': The attribute 'c' is required but missing.") == "c"
    assert attribute_named("Element 'a': wrong.") is None


def test_long_lists_are_cut_and_names_have_the_prefixes_of_their_place():
    assert listed(list("abcdefg")) == "a, b, c, d, e or 2 more"
    node = etree.fromstring("<p:a xmlns:p='urn:p'/>")
    assert [prefixed(node, n) for n in ("{urn:p}b", "b", "{urn:q}b")] == ["p:b", "b", "b"]
