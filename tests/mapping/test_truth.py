"""What every mapping is held to, whatever its rows say: no value that was not said, no source that gave nothing."""

from __future__ import annotations

import pytest

from broker.mapping import explain, translate
from broker.model.errors import Misconfigured, Refused
from tests.support.mapping_kit import document, texts
from tests.support.mapping_kit import mapping as toy

BASE = """
fields = [
  {to = "FunctionCode", id = "017", value = "9", why = "an original"},
"""
TYPED = (
    '{to = "TypeCode", from = "type", codes = "uncl-1001", default = "380", why = "an invoice without a type is one"}]'
)
MEASURED = """{to = "InvoiceAmount", from = "amount", unit = ["@currency", "currency"], unit_codes = "iso-4217",
    otherwise = "AdditionalInformation[total]/StatementDescription"},
    {to = "AdditionalInformation[total]/StatementCode", value = "TOTAL", why = "says what the text is"}]"""


def mapping(rows: str):
    """The rows of a toy document; here each table of them may go over several lines."""
    fields, tail = rows.split("\n[[", 1) if "\n[[" in rows else (rows, "")
    return toy(" ".join(fields.split("\n")) + (f"\n[[{tail}" if tail else ""), base=BASE)


def translated(content: str, rows: str):
    doc = document(content, mapping(rows))
    return translate(doc, "a" * 32)[0], explain(doc, "a" * 32)


def amounts(payload, name="InvoiceAmount") -> list[tuple[str, str]]:
    return [(e.text, e.get("currencyID") or e.get("unitCode")) for e in payload.root.iter(f"{{*}}{name}")]


def told(explanation, code) -> list[tuple[str, str]]:
    return [(f.pointer, str(f.severity.value)) for f in explanation.findings if f.code == code]


def test_a_default_is_for_what_is_absent() -> None:
    payload, explanation = translated("<a/>", TYPED)
    assert texts(payload, "TypeCode") == ["380"]
    assert explanation.findings == ()


@pytest.mark.parametrize("marker", ["", " ", "NULL"])
def test_a_marker_of_absence_is_absent(marker) -> None:
    payload, _ = translated(f"<a><type>{marker}</type></a>", TYPED)
    assert texts(payload, "TypeCode") == ["380"]


def test_a_default_is_never_for_what_is_not_understood() -> None:
    # the payload cannot be without its type: the document is refused, and told its own value
    with pytest.raises(Refused) as refused:
        translate(document("<a><type>99999</type></a>", mapping(TYPED)), "a" * 32)
    (finding,) = refused.value.findings
    assert (finding.code, finding.pointer, finding.value) == ("codes.unknown", "/a/type", "99999")


def test_where_the_payload_can_be_without_it_a_default_leaves_the_place_empty_and_tells() -> None:
    rows = TYPED.replace('"TypeCode"', '"AdditionalDocument[x]/TypeCode"')
    rows = rows[:-1] + ', {to = "AdditionalDocument[x]/ID", from = "id"}]'
    payload, explanation = translated("<a><type>99999</type><id>1</id></a>", rows)
    assert texts(payload, "AdditionalDocument/TypeCode") == []
    assert ("/a/type", "warning") in told(explanation, "codes.unknown")


def test_a_default_of_the_second_group_does_not_hear_of_the_first_ones_fault() -> None:
    rows = """]
[[groups]]
to = "AdditionalDocument"
each = "n"
fields = [{to = "ID", from = "id"},
          {to = "TypeCode", from = "type", codes = "uncl-1001", default = "916", why = "related document"}]
"""
    payload, _ = translated("<a><n><id>1</id><type>99999</type></n><n><id>2</id></n></a>", rows)
    assert texts(payload, "AdditionalDocument/TypeCode") == ["916"]


def test_no_other_row_speaks_for_a_value_that_is_not_understood() -> None:
    rows = """{to = "GoodsShipment/ExportCountry/ID", from = "country", codes = "iso-3166-1"},
    {to = "GoodsShipment/ExportCountry/ID", from = "seat", codes = "iso-3166-1"}]"""
    payload, explanation = translated("<a><country>ZZ</country><seat>PE</seat></a>", rows)
    assert texts(payload, "GoodsShipment/ExportCountry/ID") == []
    assert told(explanation, "codes.unknown") == [("/a/country", "warning")]
    payload, _ = translated("<a><seat>PE</seat></a>", rows)
    assert texts(payload, "GoodsShipment/ExportCountry/ID") == ["PE"]


def test_another_row_may_understand_the_same_value() -> None:
    rows = """{to = "TypeCode", from = "type", map = "sunat-type-to-uncl-1001"},
    {to = "TypeCode", from = "type", codes = "uncl-1001"}]"""
    payload, _ = translated("<a><type>851</type></a>", rows)
    assert texts(payload, "TypeCode") == ["851"]


def test_one_fault_is_told_once_with_every_place_it_leaves_empty() -> None:
    rows = ", ".join(
        f'{{to = "GoodsShipment/{place}", from = "country", codes = "iso-3166-1"}}'
        for place in ("Buyer/Address/CountryCode", "Destination/CountryCode", "Importer/Address/CountryCode")
    )
    _, explanation = translated("<a><country>ZZ</country></a>", rows + "]")
    (finding,) = explanation.findings
    assert "Buyer/Address/CountryCode" in finding.message
    assert "Importer/Address/CountryCode" in finding.message


def test_an_amount_has_its_own_currency_before_the_document_s() -> None:
    payload, _ = translated('<a><amount currency="USD">5.00</amount><currency>EUR</currency></a>', MEASURED)
    assert amounts(payload) == [("5.00", "USD")]
    payload, _ = translated("<a><amount>5.00</amount><currency>EUR</currency></a>", MEASURED)
    assert amounts(payload) == [("5.00", "EUR")]


def test_a_currency_that_is_not_understood_gives_place_to_no_other_and_goes_with_its_amount() -> None:
    payload, explanation = translated('<a><amount currency="XXZ">5.00</amount><currency>EUR</currency></a>', MEASURED)
    assert amounts(payload) == []
    assert texts(payload, "AdditionalInformation/StatementDescription") == ["5.00 XXZ"]
    assert told(explanation, "mapping.moved") == [("/a/amount/@currency", "warning"), ("/a/amount", "warning")]
    states = {loss.path: loss.state for loss in explanation.loss}
    assert states["/a/amount/@currency"] == "folded"
    assert states["/a/currency"] == "unmapped"


def test_an_amount_that_does_not_fit_takes_its_currency_along() -> None:
    payload, _ = translated('<a><amount currency="USD">5.00001</amount></a>', MEASURED)
    assert texts(payload, "AdditionalInformation/StatementDescription") == ["5.00001 USD"]


def test_without_another_place_number_and_unit_are_both_told() -> None:
    rows = '{to = "InvoiceAmount", from = "amount", unit = "@currency", unit_codes = "iso-4217"}]'
    _, explanation = translated('<a><amount currency="XXZ">5.00</amount></a>', rows)
    assert {f.pointer for f in explanation.findings} == {"/a/amount", "/a/amount/@currency"}
    _, explanation = translated('<a><amount currency="USD">5.00001</amount></a>', rows)
    assert {f.pointer for f in explanation.findings} == {"/a/amount", "/a/amount/@currency"}


def test_the_usual_unit_is_for_a_number_that_has_none() -> None:
    rows = """{to = "InvoiceAmount", from = "amount", unit = "@currency", unit_codes = "iso-4217", unit_default = "PEN",
    why = "the money of the country"}]"""
    assert amounts(translated("<a><amount>5.00</amount></a>", rows)[0]) == [("5.00", "PEN")]
    assert amounts(translated('<a><amount currency="XXZ">5.00</amount></a>', rows)[0]) == []


SUMMED = """{to = "InvoiceAmount", from = "part", transform = "sum", unit = ["@currency", "currency"],
    unit_codes = "iso-4217"}]"""


def test_what_is_added_has_one_currency() -> None:
    payload, explanation = translated(
        '<a><part currency="EUR">0.1</part><part>0.2</part><currency>EUR</currency></a>', SUMMED
    )
    assert amounts(payload) == [("0.3", "EUR")]
    assert {loss.path: loss.state for loss in explanation.loss}["/a/part[2]"] == "carried"


def test_two_currencies_are_no_sum_and_both_amounts_are_told() -> None:
    payload, explanation = translated('<a><part currency="EUR">1</part><part currency="USD">2</part></a>', SUMMED)
    assert amounts(payload) == []
    assert told(explanation, "value.units-differ") == [("/a/part[2]/@currency", "warning")]
    assert set(told(explanation, "mapping.incomplete")) == {("/a/part[1]", "warning"), ("/a/part[2]", "warning")}


ONE = '{to = "GoodsShipment/Destination/CountryCode", from = "to/country", codes = "iso-3166-1"}]'


def test_of_several_values_the_first_is_carried_and_each_other_is_told() -> None:
    content = "<a><to><country>PE</country></to><to><country>CL</country></to><to><country>PE</country></to></a>"
    payload, explanation = translated(content, ONE)
    assert texts(payload, "GoodsShipment/Destination/CountryCode") == ["PE"]
    assert told(explanation, "mapping.several") == [("/a/to[2]/country", "warning")]


def test_a_drop_around_them_does_not_hide_the_others() -> None:
    rows = ONE + '\n[[drops]]\nfrom = "to"\nwhy = "the rest of it"\n'
    _, explanation = translated("<a><to><country>PE</country></to><to><country>CL</country></to></a>", rows)
    assert told(explanation, "mapping.several") == [("/a/to[2]/country", "warning")]


def test_a_drop_of_the_very_place_is_the_reason_for_the_others() -> None:
    rows = ONE + '\n[[drops]]\nfrom = "to/country"\nwhy = "the first is where the ship goes; the others come later"\n'
    _, explanation = translated("<a><to><country>PE</country></to><to><country>CL</country></to></a>", rows)
    assert explanation.findings == ()
    assert [loss.why for loss in explanation.loss if loss.state == "dropped"] == [
        "the first is where the ship goes; the others come later"
    ]


def test_a_row_may_refuse_a_choice() -> None:
    rows = mapping(ONE.replace("codes", 'several = "refuse", codes'))
    content = "<a><to><country>PE</country></to><to><country>CL</country></to></a>"
    with pytest.raises(Refused) as refused:
        translate(document(content, rows), "a" * 32)
    assert [(f.code, f.pointer) for f in refused.value.findings if f.is_error] == [
        ("value.ambiguous", "/a/to[2]/country")
    ]


def test_a_row_says_nothing_else_of_several_values() -> None:
    with pytest.raises(Misconfigured, match="several"):
        mapping(ONE.replace("codes", 'several = "first", codes')).warm()


def test_what_another_row_carries_is_not_told_as_left_out() -> None:
    rows = (
        ONE[:-1]
        + """]
[[groups]]
to = "AdditionalInformation"
each = "to"
fields = [{to = "StatementDescription", from = "country"}]
"""
    )
    _, explanation = translated("<a><to><country>PE</country></to><to><country>CL</country></to></a>", rows)
    assert explanation.findings == ()


def test_a_row_may_have_them_told_though_a_statement_carries_them() -> None:
    rows = (
        ONE.replace("codes", 'several = "tell", codes')[:-1]
        + """]
[[groups]]
to = "AdditionalInformation"
each = "to"
fields = [{to = "StatementDescription", from = "country"}]
"""
    )
    _, explanation = translated("<a><to><country>PE</country></to><to><country>CL</country></to></a>", rows)
    assert told(explanation, "mapping.several") == [("/a/to[2]/country", "warning")]


PREDICATES = """{to = "InvoiceAmount", from = ["t[@c=/money]", "t[@c='']", "t"], unit = ["@c", "money"]},
    {to = "TotalGrossMassMeasure", from = "w[k='net'|'NET']/v", transform = "sum", unit = "@u"},
    {to = "TotalPackageQuantity", from = "n[@k!='x']"}]"""


def test_predicates_compare_with_several_texts_with_none_and_with_another_place() -> None:
    content = """<a><money>EUR</money><t c="USD">1</t><t c="EUR">2</t>
    <w><k>net</k><v u="KGM">1.5</v></w><w><k>gross</k><v u="KGM">9</v></w><w><k> NET </k><v u="KGM">2</v></w>
    <n k="x">7</n><n>8</n></a>"""
    payload, explanation = translated(content, PREDICATES)
    assert amounts(payload) == [("2", "EUR")]
    assert amounts(payload, "TotalGrossMassMeasure") == [("3.5", "KGM")]
    assert texts(payload, "TotalPackageQuantity") == ["8"]
    (origin,) = [o for o in explanation.lineage if o.target.endswith("InvoiceAmount")]
    assert "/a/money" in {source.path for source in origin.deciders}
    (mass,) = [o for o in explanation.lineage if o.target.endswith("TotalGrossMassMeasure")]
    assert [source.path for source in mass.sources] == ["/a/w[1]/v", "/a/w[3]/v"]
    assert {"/a/w[1]/k", "/a/w[3]/k"} <= {source.path for source in mass.deciders}


def test_a_unit_is_the_last_word_of_a_text() -> None:
    rows = """{to = "AdditionalInformation[p]/StatementDescription", from = "price", unit = ["@c", "money"]},
    {to = "AdditionalInformation[q]/StatementDescription", from = ["why", "much"], join = " | ",
     unit = ["much/@c", "money"]}]"""
    content = '<a><price c="USD">5</price><why>freight</why><much>7</much><money>EUR</money></a>'
    payload, explanation = translated(content, rows)
    assert texts(payload, "AdditionalInformation/StatementDescription") == ["5 USD", "freight | 7 | EUR"]
    assert {loss.path: loss.state for loss in explanation.loss} == dict.fromkeys(
        ("/a/price", "/a/price/@c", "/a/why", "/a/much", "/a/money"), "folded"
    )
    payload, _ = translated("<a><money>EUR</money></a>", rows)
    assert texts(payload, "AdditionalInformation/StatementDescription") == []


def test_what_only_decides_is_marked_so_and_is_not_called_carried() -> None:
    rows = '{to = "Exporter/Name", from = "name", when = "kind = \'seller\'"}]'
    _, explanation = translated("<a><kind>seller</kind><name>X</name></a>", rows)
    (origin,) = [o for o in explanation.lineage if o.target.endswith("Exporter/Name")]
    assert [s.path for s in origin.sources] == ["/a/name"]
    assert [s.path for s in origin.deciders] == ["/a/kind"]
    assert {loss.path: loss.state for loss in explanation.loss} == {"/a/kind": "decided", "/a/name": "carried"}


def test_of_several_elements_that_could_decide_those_nobody_reads_are_told() -> None:
    rows = '{to = "Exporter/Name", from = "name", when = "kind = \'seller\'"}]'
    _, explanation = translated("<a><kind>seller</kind><kind>other</kind><name>X</name></a>", rows)
    assert told(explanation, "mapping.unmapped") == [("/a/kind[2]", "warning")]


def test_a_value_that_a_condition_keeps_out_is_told_though_the_condition_read_it() -> None:
    rows = '{to = "Exporter/Name", from = "name", when = "name != \'-\'"}]'
    _, explanation = translated("<a><name>-</name></a>", rows)
    assert told(explanation, "mapping.unmapped") == [("/a/name", "warning")]


def test_more_items_than_a_declaration_takes_is_one_finding() -> None:
    # WCO Data Model 3.6: GovernmentAgencyGoodsItem 0..999
    rows = mapping("""]
[[groups]]
to = "GoodsShipment/GovernmentAgencyGoodsItem"
each = "line"
fields = [{to = "SequenceNumeric", transform = "position"}, {to = "Commodity/Description", from = "name"}]
""")
    with pytest.raises(Refused) as refused:
        translate(document(f"<a>{'<line><name>X</name><code>Y</code></line>' * 1002}</a>", rows), "a" * 32)
    (finding,) = refused.value.findings
    assert (finding.code, finding.pointer) == ("mapping.too-many", "/a/line[1000]")
    assert "1,002" in finding.message
    assert "999" in finding.message
