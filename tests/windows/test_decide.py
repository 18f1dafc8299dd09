"""A window's decision on hand-written payloads: which rules it asks, and where a finding points."""

import pytest

from broker.model.documents import Rule
from broker.model.errors import Misconfigured
from broker.model.findings import Severity
from tests.support.payload_kit import ITEM, NOW, payload, rule, window


def findings(*rules: Rule):
    return window(*rules).decide(payload(), NOW).findings


EACH_ITEM = "GoodsShipment/GovernmentAgencyGoodsItem"


@pytest.mark.parametrize(
    ("asked", "element", "value"),
    [
        (rule("Exporter/ID", at="Exporter/ID"), "/MetaData/Declaration/Exporter/ID", None),
        (rule("InvoiceAmount > 100", at="InvoiceAmount"), "/MetaData/Declaration/InvoiceAmount", "12.50"),
        (
            rule("InvoiceAmount/@currencyID = 'PEN'", at="InvoiceAmount/@currencyID"),
            "/MetaData/Declaration/InvoiceAmount/@currencyID",
            "USD",
        ),
        (
            rule("Commodity/Classification/ID", each=EACH_ITEM, at="Commodity/Classification/ID"),
            f"{ITEM}/Commodity/Classification/ID",
            None,
        ),
        (
            rule("AdditionalDocument[TypeCode='864']/ID", each=EACH_ITEM, at="AdditionalDocument[TypeCode='864']/ID"),
            f"{ITEM}/AdditionalDocument/ID",
            None,
        ),
        (
            rule(
                "AdditionalInformation[StatementCode='SEAL']",
                each=f"{EACH_ITEM}[2]",
                at="AdditionalInformation[StatementCode='SEAL']/StatementDescription",
            ),
            f"{ITEM}/AdditionalInformation[StatementCode='SEAL']/StatementDescription",
            None,
        ),
        (
            rule("false()", each=f"{EACH_ITEM}/Commodity/Description"),
            f"{ITEM}/Commodity/Description",
            "Wood",
        ),
        (
            rule("days($today) <= days(IssueDateTime/DateTimeString)", at="IssueDateTime/DateTimeString"),
            "/MetaData/Declaration/IssueDateTime/DateTimeString",
            "20260309",
        ),
        (
            rule(
                "matches(Commodity/Classification/ID, '[0-9]{10}')",
                each=f"{EACH_ITEM}[1]",
                at="Commodity/Classification/ID",
            ),
            "/MetaData/Declaration/GoodsShipment/GovernmentAgencyGoodsItem[1]/Commodity/Classification/ID",
            "080610",
        ),
    ],
    ids=lambda value: value.test if isinstance(value, Rule) else "",
)
def test_a_finding_points_at_the_element_even_when_it_is_absent(asked, element, value):
    (finding,) = findings(asked)
    assert (finding.payload_pointer, finding.value) == (element, value)


def test_a_rule_is_asked_only_where_its_condition_holds():
    asked = rule("false()", each=EACH_ITEM, when="Commodity/Description")
    assert [f.payload_pointer for f in findings(asked)] == [ITEM]


def test_a_warning_alone_does_not_reject():
    asked = rule("false()", severity=Severity.WARNING)
    decision = window(asked).decide(payload(), NOW)
    assert decision.verdict == "accepted"
    assert len(decision.findings) == 1


def test_a_rule_that_cannot_be_evaluated_is_our_fault_and_says_which():
    with pytest.raises(Misconfigured, match="ZZ-1"):
        findings(rule("no-such-function(.)"))
