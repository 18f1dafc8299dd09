"""The payload's schema as the compiler needs it: order, limits, ids, units."""

import pytest

from broker.mapping.compiler.target import Simple, read_target
from broker.mapping.runtime.transforms import Unfit
from broker.model.errors import Misconfigured
from tests.support.mapping_kit import DECLARATION

AMOUNT = Simple("a", "decimal", total_digits=16, fraction_digits=3, minimum="0")
CODE = Simple("c", "token", max_length=3, patterns=(r"\d+", "[A-Z]+"))


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        (AMOUNT, "0012.500", ""), (AMOUNT, "1.2345", "value.too-precise"), (AMOUNT, "9" * 17, "value.too-long"),
        (AMOUNT, "-1", "value.not-allowed"), (AMOUNT, "1e3", "value.decimal"),
        (CODE, "12", ""), (CODE, "AB", ""), (CODE, "ABCD", "value.too-long"), (CODE, "a", "value.pattern"),
        (CODE, "٣", "value.pattern"), (Simple("v", "token", values=frozenset("ab")), "c", "value.not-allowed"),
    ],
)  # fmt: skip
def test_a_text_is_held_against_the_facets(kind, text, code):
    check = kind.checker()
    if not code:
        assert check(text) is None
        return
    with pytest.raises(Unfit) as unfit:
        check(text)
    assert unfit.value.code == code


def test_a_report_writes_a_limit_as_wco_does():
    assert [kind.limit() for kind in (AMOUNT, CODE, Simple("x", "token"), Simple("i", "integer"))] == [
        "n..16,3", "an..3", "an", "n",
    ]  # fmt: skip


def test_elements_have_their_place_id_and_unit():
    """WCO DM 3.6: 109 is the invoice amount, R031 the exporter's name."""
    amount, name = DECLARATION.child("InvoiceAmount"), DECLARATION.child("Exporter").child("Name")
    assert (amount.wco_id, amount.unit_attribute().name, amount.is_leaf) == ("109", "currencyID", True)
    assert (name.wco_id, name.unit_attribute(), name.type.content.max_length) == ("R031", None, 70)
    assert DECLARATION.child("IssueDateTime").is_date_time
    assert DECLARATION.child("GoodsShipment").child("GovernmentAgencyGoodsItem").repeats


def test_an_element_that_there_is_not_is_told(tmp_path):
    file = tmp_path / "x.xsd"
    file.write_text('<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>')
    with pytest.raises(Misconfigured, match=r"x\.xsd: no element Declaration"):
        read_target(file, "Declaration")
