"""The mapping engine on small documents: each row key, the walk, the loss report, the way back, the mistakes."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from broker.catalogue import PAYLOAD_SCHEMA, data_root
from broker.content.xml import parse
from broker.mapping import RowMapping, explain, merge, read_rows, translate
from broker.mapping.compiler.target import read_target
from broker.model.documents import Document, DocumentType
from broker.model.errors import Misconfigured, Refused
from broker.model.ids import DocumentTypeName
from broker.registry.codelists import load_code_lists

if TYPE_CHECKING:
    from broker.mapping import Explanation
    from broker.model.documents import Payload

ROOT = data_root()
DECLARATION = read_target(ROOT / "xsd" / PAYLOAD_SCHEMA, "Declaration")
CODES = load_code_lists(ROOT / "mappings" / "codelists")
BASE = """
fields = [
  {to = "FunctionCode", id = "017", value = "9", why = "an original"},
  {to = "TypeCode", id = "D013", value = "380", why = "an invoice"},
"""


def mapping(rows: str, *, base: str = BASE) -> RowMapping:
    data = tomllib.loads(base + rows)
    return RowMapping(
        "toy/toy-1", lambda: read_rows(data, {"p": "urn:p"}, "toy"), lambda: DECLARATION, CODES, frozenset({"NULL"})
    )


def document(xml: str, rows: RowMapping) -> Document:
    root, offset = parse(xml.encode())
    kind = DocumentType(
        DocumentTypeName("toy/toy-1"), "Toy", "toy", str(root.tag), None, {"p": "urn:p"}, None, rows, (), "", ""
    )
    return Document(kind, root, (), offset)


def translated(xml: str, rows: str) -> tuple[Payload, Explanation]:
    doc = document(xml, mapping(rows))
    payload, findings = translate(doc, "a" * 32)
    explanation = explain(doc, "a" * 32)
    assert explanation.content == payload.content
    assert explanation.findings == findings
    counts = explanation.counts
    assert counts["leaves"] == sum(counts[state] for state in ("carried", "folded", "decided", "dropped", "unmapped"))
    return payload, explanation


def texts(payload: Payload, path: str) -> list[str]:
    steps = "/".join(f"*[local-name()='{step}']" for step in path.split("/"))
    return [e.text for e in payload.root.xpath(steps)]


def test_a_row_carries_a_value_and_its_lineage_names_path_line_and_value() -> None:
    payload, explanation = translated(
        "<a>\n  <b>x &amp; y</b>\n</a>", '{to = "Exporter/Name", id = "R031", from = "b"}]'
    )
    assert texts(payload, "Exporter/Name") == ["x & y"]
    (origin,) = [o for o in explanation.lineage if o.target.endswith("Exporter/Name")]
    assert [(s.path, s.line, s.value) for s in origin.sources] == [("/a/b", 2, "x & y")]
    assert (origin.wco_id, origin.row) == ("R031", "Exporter/Name")


def test_the_first_present_source_wins_and_the_other_is_told() -> None:
    rows = '{to = "Exporter/Name", from = ["b", "c"]}]'
    payload, explanation = translated("<a><b>1</b><c>2</c></a>", rows)
    assert texts(payload, "Exporter/Name") == ["1"]
    assert [(f.code, f.pointer) for f in explanation.findings] == [("mapping.unmapped", "/a/c")]
    payload, explanation = translated("<a><b>NULL</b><c>2</c></a>", rows)
    assert texts(payload, "Exporter/Name") == ["2"]
    assert [(loss.path, loss.state) for loss in explanation.loss] == [("/a/b", "dropped"), ("/a/c", "carried")]


def test_what_does_not_fit_is_never_cut() -> None:
    long = "x" * 71
    payload, explanation = translated(f"<a><b>{long}</b></a>", '{to = "Exporter/Name", from = "b"}]')
    assert texts(payload, "Exporter/Name") == []
    assert [(f.code, f.severity) for f in explanation.findings] == [("value.too-long", "warning")]
    assert [loss.state for loss in explanation.loss] == ["unmapped"]


def test_what_does_not_fit_goes_where_the_row_says_otherwise() -> None:
    rows = """{to = "Exporter/Name", from = "b", otherwise = "AdditionalInformation[name]/StatementDescription"},
    {to = "AdditionalInformation[name]/StatementCode", value = "NAME", why = "says what the text is"}]"""
    payload, explanation = translated(f"<a><b>{'x' * 71}</b></a>", rows)
    assert texts(payload, "AdditionalInformation/StatementDescription") == ["x" * 71]
    assert texts(payload, "AdditionalInformation/StatementCode") == ["NAME"]
    assert [f.code for f in explanation.findings] == ["mapping.moved"]
    assert [loss.state for loss in explanation.loss] == ["carried"]
    payload, _ = translated("<a><b>short</b></a>", rows)
    assert texts(payload, "AdditionalInformation/StatementCode") == []


def test_a_long_text_folds_over_several_statements() -> None:
    text = " ".join(["word"] * 300)
    rows = '{to = "AdditionalInformation[t]/StatementDescription", from = "b", transform = "fold"}]'
    payload, explanation = translated(f"<a><b>{text}</b></a>", rows)
    pieces = texts(payload, "AdditionalInformation/StatementDescription")
    assert " ".join(pieces) == text
    assert all(len(piece) <= 512 for piece in pieces)
    assert explanation.counts["carried"] == 1


def test_a_missing_required_value_refuses_and_points_at_the_place() -> None:
    rows = mapping('{to = "Exporter/Name", from = "p:b/p:c", required = true}]')
    with pytest.raises(Refused) as refused:
        translate(document('<a xmlns:p="urn:p">\n<p:b/></a>', rows), "a" * 32)
    (finding,) = refused.value.findings
    assert (finding.code, finding.pointer, finding.line) == ("mapping.required", "/a/p:b/p:c", 2)


def test_units_travel_with_their_value() -> None:
    rows = '{to = "InvoiceAmount", id = "109", from = "b", unit = "@cur"}]'
    payload, explanation = translated('<a><b cur="PEN">1.50</b></a>', rows)
    (amount,) = payload.root.iter("{*}InvoiceAmount")
    assert (amount.text, amount.get("currencyID")) == ("1.50", "PEN")
    assert {o.target.rpartition("/")[2]: o.sources[0].path for o in explanation.lineage if "Amount" in o.target} == {
        "InvoiceAmount": "/a/b",
        "@currencyID": "/a/b/@cur",
    }
    payload, explanation = translated("<a><b>1.50</b></a>", rows)
    assert not list(payload.root.iter("{*}InvoiceAmount"))
    assert [(f.code, f.pointer) for f in explanation.findings] == [("mapping.incomplete", "/a/b")]


GROUP = """]
[[groups]]
to = "AdditionalInformation"
each = "n"
when = "@k = 'x'"
fields = [{to = "StatementDescription", from = "."}, {to = "StatementCode", from = "@k"}]
"""


def test_a_group_repeats_and_takes_only_what_its_condition_lets() -> None:
    payload, explanation = translated('<a><n k="x">1</n><n k="y">2</n><n k="x">3</n></a>', GROUP)
    assert texts(payload, "AdditionalInformation/StatementDescription") == ["1", "3"]
    assert {loss.path: loss.state for loss in explanation.loss} == {
        "/a/n[1]": "carried",
        "/a/n[1]/@k": "carried",
        "/a/n[2]": "unmapped",
        "/a/n[2]/@k": "unmapped",
        "/a/n[3]": "carried",
        "/a/n[3]/@k": "carried",
    }
    assert explanation.locate("AdditionalInformation[2]")[0].path == "/a/n[3]"


def test_predicates_tell_equal_names_apart() -> None:
    rows = """{to = "Exporter/ID", from = "i[@s='6']"}, {to = "Submitter/ID", from = "i[s/t='7']/v"},
    {to = "Declarant/ID", from = "i[3]"}]"""
    payload, _ = translated('<a><i s="6">A</i><i><s><t>7</t></s><v>B</v></i><i>C</i></a>', rows)
    assert texts(payload, "Exporter/ID") + texts(payload, "Submitter/ID") + texts(payload, "Declarant/ID") == list(
        "ABC"
    )


def test_drops_need_no_finding_and_keep_their_reason() -> None:
    rows = """]
    drops = [{from = "b", why = "not for customs"}, {from = "//@id", why = "a mark"}]"""
    _, explanation = translated('<a id="1"><b><c>1</c><d>2</d></b></a>', rows)
    assert explanation.findings == ()
    assert {loss.why for loss in explanation.loss} == {"not for customs", "a mark"}
    assert explanation.counts["dropped"] == 3


def test_alternatives_of_a_step_share_their_rows() -> None:
    rows = """{to = "Exporter/Name", from = "(f|g)/n"}, {to = "Submitter/Name", from = "g/m"}]
    drops = [{from = "f/m", why = "only the other form means it"}]"""
    for form, expected in (("f", []), ("g", ["2"])):
        payload, _ = translated(f"<a><{form}><n>1</n><m>2</m></{form}></a>", rows)
        assert texts(payload, "Exporter/Name") == ["1"]
        assert texts(payload, "Submitter/Name") == expected


def test_an_incomplete_class_is_left_out_and_told() -> None:
    rows = """{to = "Amendment[d]/Pointer/TagID", from = "b"}, {to = "Amendment[d]/ChangeReasonCode", from = "c"}]
    [[groups]]
    to = "Amendment[d]/Pointer"
    each = "p"
    fields = [{to = "TagID", from = "t"}]"""
    payload, explanation = translated("<a><b>C</b><p><t>D</t></p></a>", rows)
    assert texts(payload, "Amendment") == []
    lost = [(f.code, f.pointer) for f in explanation.findings]
    assert lost == [("mapping.incomplete", "/a/b"), ("mapping.incomplete", "/a/p/t")]


def test_sums_counts_and_positions_are_exact() -> None:
    rows = """{to = "InvoiceAmount", from = "l/v", transform = "sum", unit = "cur"},
    {to = "GoodsItemQuantity", from = "l", transform = "count"}]
    [[groups]]
    to = "GoodsShipment/GovernmentAgencyGoodsItem"
    each = "l"
    fields = [{to = "SequenceNumeric", transform = "position"}, {to = "Commodity/Description", from = "d"}]
    drops = [{from = "v", why = "summed"}]"""
    items = "".join(f"<l><v>{v}</v><d>{v}</d></l>" for v in ("0.1", "0.2", "10000000000.03"))
    payload, _ = translated(f"<a>{items}<cur>PEN</cur></a>", rows)
    assert texts(payload, "InvoiceAmount") == ["10000000000.33"]
    assert texts(payload, "GoodsItemQuantity") == ["3"]
    assert texts(payload, "GoodsShipment/GovernmentAgencyGoodsItem/SequenceNumeric") == ["1", "2", "3"]


def test_a_place_that_is_not_there_leads_to_where_it_would_be() -> None:
    rows = """]
    [[groups]]
    to = "GoodsShipment/GovernmentAgencyGoodsItem"
    each = "l"
    fields = [{to = "SequenceNumeric", transform = "position"}, {to = "Commodity/Description", from = "d"},
              {to = "Commodity/Classification/ID", from = "hs", label = "tariff code"}]"""
    _, explanation = translated("<a>\n<l><d>1</d></l>\n<l><d>2</d></l></a>", rows)
    (source,) = explanation.locate(
        "/MetaData/Declaration/GoodsShipment/GovernmentAgencyGoodsItem[2]/Commodity/Classification/ID"
    )
    assert (source.path, source.line, source.label) == ("/a/l[2]/hs", 3, "tariff code")


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ('{to = "Exporter/Nome", from = "b"}]', "Exporter has no element Nome"),
        ('{to = "Exporter/Name", id = "R032", from = "b"}]', "the WCO id of Name is R031, not R032"),
        ('{to = "Exporter", from = "b"}]', "Exporter is a class, not a value"),
        ('{to = "Exporter/Name", from = "q:b"}]', "prefix 'q'"),
        ('{to = "Exporter/Name", from = "b["}]', "expected more"),
        ('{to = "Exporter/Name"}]', "say where the value comes from"),
        ('{to = "Exporter/Name", value = "x"}]', "a constant needs its reason"),
        ('{to = "Exporter/Name", from = "b", typo = 1}]', "unknown key typo; known are codes, default"),
        ('{to = "Exporter/Name", from = "../b"}]', "climbs out of the document"),
        ('{to = "Exporter/Name", from = "b", transform = "magic"}]', "no transform 'magic'"),
        ('{to = "Exporter/Name", from = "b", codes = "nowhere"}]', "no code list 'nowhere'"),
        ('{to = "IssueDateTime", from = "b", unit = "@u"}]', "not measured in anything"),
        (']\ndrops = [{from = "b"}]', "nothing is left out without a reason"),
        (']\n[[groups]]\nto = "Exporter"\nfields = []', "`each` is missing"),
    ],
)
def test_mistakes_are_told_with_file_row_and_a_sentence(rows: str, sentence: str) -> None:
    with pytest.raises(Misconfigured) as wrong:
        mapping(rows).warm()
    assert sentence in str(wrong.value)


def test_a_new_version_lists_only_what_changed() -> None:
    base = tomllib.loads(BASE + '{to = "Exporter/Name", from = "b"}]')
    changed = tomllib.loads(
        'version = "2"\nfields = [{to = "Exporter/Name", from = "c"}, {to = "Exporter/ID", from = "b"}]'
    )
    rows = read_rows(merge(base, changed), {}, "toy")
    assert rows.version == "2"
    assert {row.to: [p.text for p in row.sources] for row in rows.body.rows if row.sources} == {
        "Exporter/Name": ["c"],
        "Exporter/ID": ["b"],
    }


def test_hostile_text_cannot_leave_its_element() -> None:
    rows = """{to = "Exporter/Name", from = "b"}, {to = "Exporter/ID", from = "c"},
    {to = "Exporter/ID/@schemeID", from = "c/@s"}]"""
    payload, explanation = translated(
        "<a><b>&lt;/Name&gt;&lt;?swb 0 ?&gt;]]&gt;</b><c s='&quot;&gt;&lt;x'>1</c></a>", rows
    )
    assert texts(payload, "Exporter/Name") == ["</Name><?swb 0 ?>]]>"]
    assert etree.fromstring(payload.content) is not None
    assert explanation.counts["carried"] == 3


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
