"""A value of the document and the value of the payload that it became know each other, also where both are hidden."""

import pytest

from broker import catalogue as catalogues
from broker.console.mask import DOT
from broker.console.side_by_side import side_by_side, source_alone, text_of
from broker.line.process import explain
from broker.model.documents import Message
from broker.paths import data_root
from broker.workbench.samples import read_sample

MAPPINGS = data_root() / "mappings"


def sides(name, findings=(), *, reveal=True):
    content = read_sample(MAPPINGS / name, MAPPINGS).content
    found = explain(Message("a" * 32, content), catalogues.load())
    return content, found, side_by_side(content, found, findings, catalogues.payload_pointers(), reveal=reveal)


def text(lines):
    return "\n".join("".join(piece.text for piece in line.pieces) for line in lines)


def keyed(lines):
    found = {}
    for line in lines:
        for piece in line.pieces:
            for key in piece.keys:
                found.setdefault(key, []).append((line.number, piece.text))
    return found


INVOICE = "participants/sg-tradenet/samples/SG-01.xml"


def test_the_document_is_shown_as_it_was_sent():
    content, _, shown = sides(INVOICE)
    assert text(shown.source) == content.decode().replace("\r", "")


@pytest.mark.parametrize("name", [INVOICE, "participants/pe-vuce/samples/PE-01.xml"])
def test_every_source_of_lineage_is_lit_where_it_stands(name):
    content, found, shown = sides(name)
    source, payload = keyed(shown.source), keyed(shown.payload)
    lines = content.decode().split("\n")
    tied = set(source) & set(payload)
    assert len(tied) > 20
    for key in tied:
        for number, value in source[key]:
            assert value in lines[number - 1]
    exact = {
        o.sources[0].value: o.value
        for o in found.lineage
        if len(o.sources) == 1 and not o.transform and o.sources[0].value
    }
    pairs = {(s[0][1], p[0][1]) for key in tied for s, p in [(source[key], payload[key])]}
    assert {(value.strip(), made) for value, made in exact.items() if value.strip() == made} <= {
        (a, b) for a, b in pairs
    } | {(a, a) for a, _ in pairs}


def test_hidden_values_stay_tied_and_are_not_seen():
    _, found, shown = sides(INVOICE, reveal=False)
    everything = text(shown.source) + text(shown.payload) + str(shown.losses)
    values = {o.value for o in found.lineage if len(o.value) > 6}
    assert values
    assert not [value for value in values if value in everything]
    open_keys = keyed(sides(INVOICE)[2].payload)
    assert keyed(shown.payload).keys() == open_keys.keys()
    assert all(set(value) <= {DOT, " "} for places in keyed(shown.payload).values() for _, value in places)


def test_a_windows_pointer_is_a_line_on_both_sides():
    finding = ("sg-tradenet", {"code": "SG77", "pointer": "42A/67A/68A#1/23A:137"})
    content, _, shown = sides(INVOICE, [finding])
    (pointed,) = shown.pointed
    assert "Item" in pointed.path
    assert (
        "<cbc:Name>Green coffee beans, washed arabica</cbc:Name>"
        in content.decode().split("\n")[pointed.source_line - 1]
    )
    assert "Description" in text([shown.payload[pointed.payload_line - 1]])
    assert shown.source[pointed.source_line - 1].marks == ["SG77"]
    assert [line.number for line in shown.payload if line.marks] == [pointed.payload_line]


def test_a_refused_document_has_its_findings_at_their_lines():
    shown = source_alone(b"<a>\n<b>x</b>\n</a>", [("", {"code": "xsd", "pointer": "/a/b", "line": 2})], reveal=False)
    assert text(shown.source) == f"<a>\n<b>{DOT}</b>\n</a>"
    assert [line.marks for line in shown.source] == [[], ["xsd"], []]


@pytest.mark.parametrize(
    ("content", "expected"),
    [("<a>ñ</a>".encode(), "<a>ñ</a>"), ('<?xml version="1.0" encoding="ISO-8859-1"?><a>ñ</a>'.encode("latin-1"), "ñ"),
     ("<a>ñ</a>".encode("utf-16"), "ñ"), (b"\xff\x00\xfe", "\x00"), (b"<?xml encoding='nonsense'?>", "nonsense")],
)  # fmt: skip
def test_characters_are_read_as_far_as_the_encoding_is_known(content, expected):
    assert expected in text_of(content)


def test_a_line_that_holds_a_whole_document_is_cut_into_values():
    content, _, _ = sides(INVOICE)
    flat = b"".join(line.strip() + b" " for line in content.splitlines())
    found = explain(Message("a" * 32, flat), catalogues.load())
    shown = side_by_side(flat, found, (), catalogues.payload_pointers(), reveal=True)
    (line,) = [line for line in shown.source if len(line.pieces) > 20]
    assert "".join(piece.text for piece in line.pieces) == flat.decode().split("\n")[line.number - 1].rstrip("\r")
    assert ("Green coffee beans, washed arabica",) in {(piece.text,) for piece in line.pieces if piece.keys}
