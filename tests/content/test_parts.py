"""An envelope of several documents: each is a content of its own, with the envelope around it and its own lines."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from broker import catalogue as catalogues
from broker.content.detect import detect
from broker.content.parts import MAX_PARTS, PartReader, split
from broker.content.xml import line_of
from broker.model.errors import Refused
from tests.support.paths import ROOT

pytestmark = pytest.mark.proof

ENVIO = (ROOT / "mappings/documents/invoice/sii-dte-export-1.0/samples/credit-note-in-envio.xml").read_bytes()
FIRST, LAST = ENVIO.index(b"<DTE"), ENVIO.index(b"</DTE>") + len(b"</DTE>")
DTE = ENVIO[FIRST:LAST]
SII = "{http://www.sii.cl/SiiDte}"


@pytest.fixture(scope="module")
def catalogue():
    return catalogues.load()


def envio(*documents: bytes, between: bytes = b"\n") -> bytes:
    return ENVIO[:FIRST] + between.join(documents) + ENVIO[LAST:]


def numbered(number: int) -> bytes:
    return DTE.replace(b"<Folio>", b"<!-- " + b"\n" * number + b" --><Folio>%d" % number)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=2, max_size=12), st.sampled_from([b"", b"\n", b" \n\n", b"<!-- > -->\n"]))
def test_each_document_is_as_sent_and_on_the_line_where_it_was_sent(catalogue, numbers, between):
    whole = envio(*(numbered(n) for n in numbers), between=between)
    sent = etree.fromstring(whole).findall(f".//{SII}DTE")
    parts = split(whole, catalogue.envelopes)
    assert [p.number for p in parts] == list(range(1, len(numbers) + 1))
    read = PartReader(catalogue.envelopes)
    for one, original in zip(parts, sent, strict=True):
        document = detect(one.content, catalogue, one.skipped)
        assert etree.tostring(document.root, method="c14n", with_comments=False, with_tail=False) == etree.tostring(
            original, method="c14n", with_comments=False, with_tail=False
        )
        for ours, theirs in zip(document.root.iter(etree.Element), original.iter(etree.Element), strict=True):
            assert line_of(ours, document.line_offset) == theirs.sourceline
        assert read(whole, one.number) == one.content
    assert (read(whole, 0), read(whole, len(numbers) + 1)) == (None, None)


@pytest.mark.parametrize(
    "content",
    [
        ENVIO,
        b"",
        b"<a/>",
        b"<EnvioDTE",
        b'{"a": 1}',
        envio(DTE, DTE).replace(b"</SetDTE>", b"</SetDTF>"),
        envio(DTE, DTE).replace(b"<EnvioDTE", b"<!DOCTYPE EnvioDTE><EnvioDTE"),
        envio(DTE, DTE).replace(b"http://www.sii.cl/SiiDte", b"http://www.sii.cl/other"),
    ],
)
def test_what_is_no_envelope_of_several_stays_whole(catalogue, content):
    """One document, or none, or what cannot be read: the line says what is wrong with it."""
    assert split(content, catalogue.envelopes) == ()


def test_encodings_marks_and_blank_lines_before_the_declaration_are_kept(catalogue):
    text = envio(numbered(1), numbered(2)).decode("iso-8859-1")
    lines = [n for n, line in enumerate(text.split("\n"), 1) if "<Folio>" in line]
    for content, before in (
        (b"\xef\xbb\xbf" + text.replace("ISO-8859-1", "UTF-8").encode(), 0),
        (text.replace("ISO-8859-1", "UTF-16").encode("utf-16"), 0),
        (b"\n\n" + text.encode("iso-8859-1"), 2),
    ):
        documents = [detect(one.content, catalogue, one.skipped) for one in split(content, catalogue.envelopes)]
        folios = [(d.root.find(f".//{SII}Folio"), d.line_offset) for d in documents]
        assert [folio.text[0] for folio, _ in folios] == ["1", "2"]
        assert [line_of(folio, offset) for folio, offset in folios] == [line + before for line in lines]


def test_an_envelope_in_an_envelope_is_taken_apart(catalogue):
    body = envio(numbered(1), numbered(2))
    body = body[body.index(b"<EnvioDTE") :].decode("iso-8859-1").encode()
    soap = b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>' + body + b"</s:Body></s:Envelope>"
    kinds = [detect(one.content, catalogue, one.skipped).type.name for one in split(soap, catalogue.envelopes)]
    assert kinds == ["invoice/sii-dte-export-1.0"] * 2


def test_as_many_as_the_published_envelope_may_hold_and_no_more(catalogue):
    """SII: 2,000 documents of one sending; taking them apart takes less time than judging ten of them."""
    whole = envio(*[DTE] * MAX_PARTS)
    began = time.perf_counter()
    parts = split(whole, catalogue.envelopes)
    assert time.perf_counter() - began < 10
    assert len(parts) == MAX_PARTS == 2000
    assert detect(parts[-1].content, catalogue).type.name == "invoice/sii-dte-export-1.0"
    with pytest.raises(Refused) as refusal:
        split(envio(*[DTE] * (MAX_PARTS + 1)), catalogue.envelopes)
    assert [f.code for f in refusal.value.findings] == ["envelope.too-many"]


def test_a_cover_that_would_be_copied_without_measure_is_refused(catalogue):
    huge = envio(*[b"<DTE/>"] * 1000).replace(b"<SetDTE", b"<!--" + b"x" * 200_000 + b"--><SetDTE", 1)
    with pytest.raises(Refused):
        split(huge, catalogue.envelopes)
