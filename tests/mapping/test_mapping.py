"""A mapping is its rows, compiled once; its id says exactly which."""

from __future__ import annotations

import tomllib
from datetime import date

from lxml import etree

from broker.mapping import RowMapping, read_rows
from tests.support.mapping_kit import BASE, CODES, DECLARATION, document, mapping


def test_the_documents_date_picks_the_edition() -> None:
    rows = mapping('{to = "Exporter/Name", from = "b"}]\n', base='date = "d"\n' + BASE)
    _, run = rows.run(document("<a><b>x</b><d>2019-05-01T10:00:00Z</d></a>", rows).root, "a" * 32)
    assert run.on == date(2019, 5, 1)


def test_a_pinned_edition_holds_whatever_the_date() -> None:
    row = '{to = "Exporter/Address/CountryCode", from = "c", codes = "incoterms"}]'
    rows = tomllib.loads('date = "d"\n' + BASE + row)
    pinned = {**CODES, "incoterms": CODES["incoterms"].pin("2010")}
    kind = RowMapping("toy/toy-1", lambda: read_rows(rows, {}, "toy"), lambda: DECLARATION, pinned, frozenset())
    text, run = kind.run(etree.fromstring("<a><d>2024-05-01</d><c>DPU</c></a>"), "a" * 32)
    assert "DPU" not in text
    assert [issue.code for issue in run.issues] == ["codes.expired"]


def test_the_id_of_a_mapping_is_that_of_its_rows() -> None:
    one, same, other = (mapping(f'{{to = "Exporter/Name", from = "{name}"}}]') for name in "bbc")
    assert one.id == same.id != other.id
    assert one.id == f"toy/toy-1@1+{one.sha256}"
    assert one.version == "1"


def test_more_of_a_class_than_a_declaration_takes_is_one_finding_at_the_first_too_many() -> None:
    rows = mapping("""]
    [[groups]]
    to = "GoodsShipment/GovernmentAgencyGoodsItem"
    each = "n"
    fields = [{to = "SequenceNumeric", transform = "position"}, {to = "Commodity/Description", from = "."}]""")
    assert rows.limits(document("<a><n>x</n></a>", rows)) == ()
    (finding,) = rows.limits(document(f"<a>{'<n>x</n>' * 1001}</a>", rows))
    assert (finding.code, finding.pointer) == ("mapping.too-many", "/a/n[1000]")
