"""A document is known by the root of its tree, tests first; what is unknown says what it might have been."""

import pytest
from lxml import etree

from broker.content.detect import detect, recognise
from broker.model.documents import DocumentType, Envelope
from broker.model.errors import Refused
from broker.model.outcomes import Catalogue


def kind(name, root, when=None):
    test = etree.XPath(when) if when else None
    return DocumentType(name, name, "toy", root, test, {}, None, None, (), "")


PLAIN, TESTED, JSON = kind("toy/plain", "{urn:t}Doc"), kind("toy/new", "{urn:t}Doc", "@v = '2'"), kind("toy/j", "json")
ENVELOPE = Envelope("wrapping", "Env", "Body/*", "element", {}, "a wrapping")
CATALOGUE = Catalogue({}, (ENVELOPE,), {}, {}, None, {"{urn:t}Doc": (PLAIN, TESTED), "json": (JSON,)})


def refusal(content):
    with pytest.raises(Refused) as refused:
        detect(content, CATALOGUE)
    (finding,) = refused.value.findings
    return finding


def test_a_type_whose_test_holds_comes_before_one_without():
    assert detect(b'<Doc xmlns="urn:t" v="2"/>', CATALOGUE).type is TESTED
    assert detect(b'<Doc xmlns="urn:t" v="1"/>', CATALOGUE).type is PLAIN
    assert recognise(etree.fromstring("<Doc/>"), CATALOGUE) is None


def test_an_envelope_is_taken_off_and_kept_in_mind():
    found = detect(b'<Env>\n<Body>\n<Doc xmlns="urn:t"/></Body></Env>', CATALOGUE)
    assert (found.type, [e.envelope.name for e in found.envelopes]) == (PLAIN, ["wrapping"])
    assert found.root.sourceline == 3


def test_json_is_a_document_of_its_own_root():
    assert detect(b'{"a": 1}', CATALOGUE).type is JSON
    assert (refusal(b'{"a": }').code, refusal(b'{"a": }').line) == ("content.not-json", 1)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<Doc/>", "its namespace is missing; Doc is known as {urn:t}Doc"),
        (b'<Doc xmlns="urn:u"/>', "Doc is known in other namespaces: {urn:t}Doc"),
        (b"<Other/>", "no document type has this root"),
        (b"<Env><Body><Other/></Body></Env>", "inside wrapping; no document type has this root"),
    ],
)
def test_what_is_unknown_says_what_it_might_have_been(content, sentence):
    finding = refusal(content)
    assert finding.code == "type.unknown"
    assert sentence in finding.message
