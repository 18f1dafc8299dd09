"""Long lists as patterns: the verdict is that of the list, for every code and for every text beside it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from broker.validate.enumerations import pattern, rewritten, with_patterns
from broker.validate.xsd import Schema
from tests.support.paths import ROOT

CODES = st.lists(st.text("AB.[]-^1", min_size=1, max_size=4), min_size=1, max_size=30)


@given(codes=CODES, other=st.text("AB.[]-^1", max_size=5))
def test_a_pattern_takes_its_codes_and_nothing_else(codes, other):
    written = pattern(codes).replace("-", r"\-") if "\\-" not in pattern(codes) else pattern(codes)
    for text in [*codes, other]:
        assert bool(re.fullmatch(written, text)) == (text in codes)


def test_a_schema_of_long_lists_judges_each_of_its_codes_as_written():
    schema = b"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="c"><xs:simpleType>
      <xs:restriction base="xs:token">%s</xs:restriction></xs:simpleType></xs:element></xs:schema>"""
    codes = [f"{a}{b}" for a in "ABCDEFGH." for b in "XYZ-^|"]
    source = schema % "".join(f'<xs:enumeration value="{code}"/>' for code in codes).encode()
    as_written = etree.XMLSchema(etree.fromstring(source))
    quick = etree.XMLSchema(etree.fromstring(rewritten(source)))
    for text in [*codes, *(code[0] for code in codes), *(code + "X" for code in codes), "", "AA", " AX "]:
        root = etree.Element("c")
        root.text = text
        assert quick.validate(root) == as_written.validate(root), text


@pytest.mark.proof
@pytest.mark.parametrize("file", sorted((ROOT / "xsd").rglob("*.xsd")), ids=lambda f: str(f.relative_to(ROOT / "xsd")))
def test_every_schema_of_ours_can_be_rewritten(file):
    try:
        etree.XMLSchema(etree.parse(file))
    except etree.XMLSchemaParseError:
        pytest.skip("a part that is no schema by itself")
    quick = with_patterns(file)
    assert quick is None or isinstance(quick, etree.XMLSchema)


def test_a_tolerated_element_is_put_back_where_it_was():
    root = etree.fromstring(b"<a><b/><c>x</c><d/></a>")
    before = etree.tostring(root)
    schema = Schema(ROOT / "xsd" / "wco" / "3.6" / "payload.xsd")
    assert not schema._holds_without(root, [root[1], root[0]])
    assert etree.tostring(root) == before
