"""A window's decision on hand-written payloads: where it points, what it answers, what a fault script does to it."""

from datetime import UTC, datetime

import pytest
from lxml import etree

from broker.model.documents import Payload, Rule
from broker.model.errors import Misconfigured
from broker.model.findings import Severity
from broker.model.outcomes import Catalogue
from broker.model.participants import Answering, AnswerStep, Participant
from broker.windows.decide import Window
from broker.windows.faults import Faults, play, read_faults
from broker.windows.respond import WindowReply, derived, opens_in, respond

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
TEXT = """
<MetaData xmlns="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2">
  <Declaration xmlns="urn:wco:datamodel:WCO:DEC-DMS:2" xmlns:ds="urn:wco:datamodel:WCO:Declaration_DS:DMS:2">
    <FunctionalReferenceID>0123456789abcdef0123456789abcdef</FunctionalReferenceID>
    <IssueDateTime><ds:DateTimeString formatCode="102">20260309</ds:DateTimeString></IssueDateTime>
    <InvoiceAmount currencyID="USD">12.50</InvoiceAmount>
    <Exporter><Name>Exporter</Name></Exporter>
    <GoodsShipment>
      <GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric>
        <AdditionalDocument><ID>A</ID><TypeCode>864</TypeCode></AdditionalDocument>
        <Commodity><Classification><ID>080610</ID></Classification></Commodity></GovernmentAgencyGoodsItem>
      <GovernmentAgencyGoodsItem><SequenceNumeric>2</SequenceNumeric>
        <AdditionalDocument><TypeCode>864</TypeCode></AdditionalDocument>
        <Commodity><Description>Wood</Description></Commodity></GovernmentAgencyGoodsItem>
    </GoodsShipment>
  </Declaration>
</MetaData>
"""
ITEM = "/MetaData/Declaration/GoodsShipment/GovernmentAgencyGoodsItem[2]"


def payload() -> Payload:
    root = etree.fromstring(TEXT.strip())
    return Payload(TEXT.encode(), root[0])


def rule(test: str, **given) -> Rule:
    return Rule(
        **({"id": "ZZ-1", "each": ".", "at": ".", "message": {"en": "No."}, "code": "Z1"} | {"test": test} | given)
    )


def window(*rules: Rule, **answers) -> Window:
    steps = {"accepted": (AnswerStep("02"), AnswerStep("01", "39")), "rejected": (AnswerStep("03", "41"),)}
    participant = Participant(
        "zz-window",
        "A window",
        "window",
        "ZZ",
        rules=rules,
        answers=Answering(reference="ZZ-####", **(steps | answers)),
    )
    return Window(participant, Catalogue({}, (), {"zz-window": participant}, {}, None))


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


class Chains:
    """Stands in for broker.content.pointers: the chain is the path itself."""

    def chain(self, path):
        return (path,)


def answers(*rules: Rule, **given):
    asked = window(*rules, **given)
    return respond(asked.decide(payload(), NOW), payload(), asked.participant, Chains(), NOW)


def test_an_acceptance_takes_the_windows_steps_and_only_the_last_is_the_verdict():
    received, accepted = answers()
    assert [a.function_code for a in (received, accepted)] == ["02", "01"]
    assert [a.accepted for a in (received, accepted)] == ["", "2026-03-10T12:00:00Z"]
    assert [s.code for s in accepted.statuses] == ["39"]
    assert received.answer_id != accepted.answer_id
    assert {a.reference for a in (received, accepted)} == {"0123456789abcdef0123456789abcdef"}
    assert received.mrn == accepted.mrn
    assert received.mrn.startswith("ZZ-")
    assert received.mrn[3:].isdigit()


def test_a_rejection_carries_every_objection_with_its_code_and_pointer():
    (rejected,) = answers(rule("false()", code="Z9", at="Exporter/ID"), rule("false()", id="ZZ-2"))
    assert rejected.rejected
    assert not rejected.accepted
    assert [(e.code, e.text, e.pointer) for e in rejected.errors] == [
        ("Z9", "No.", ("/MetaData/Declaration/Exporter/ID",)),
        ("Z1", "No.", ("/MetaData/Declaration",)),
    ]


def test_what_a_window_answers_to_the_same_delivery_is_the_same_every_time():
    assert answers() == answers()


def test_a_step_may_name_nothing_but_the_windows_own_number():
    (step,) = answers(accepted=(AnswerStep("01", by="mrn"),))
    assert step.reference == ""
    assert step.mrn


@pytest.mark.parametrize(
    ("opening", "seconds"),
    [
        ("", 0),
        ("00:00-24:00+08:00", 0),
        ("07:00-19:00-05:00", 0),  # 12:00Z is 07:00 there
        ("08:30-17:00-05:00", 90 * 60),
        ("07:00-19:00+08:00", 11 * 3600),  # 20:00 there
        ("08:00-12:00+00:00", 20 * 3600),
    ],
)
def test_a_window_answers_when_it_is_open(opening, seconds):
    assert opens_in(opening, NOW) == seconds


MESSAGES = [derived("message", str(n)) for n in range(2000)]
REPLIES = (WindowReply("a", b"k", b"<first/>", 1.0), WindowReply("b", b"k", b"<second/>", 2.0))


def test_without_faults_nothing_changes():
    assert play(Faults(), MESSAGES[0], REPLIES) == REPLIES


def test_each_fault_does_what_it_says():
    assert play(Faults(fail=1), MESSAGES[0], REPLIES) == ()
    assert [r.delay for r in play(Faults(delay=5), MESSAGES[0], REPLIES)] == [6.0, 7.0]
    assert [r.delay for r in play(Faults(late=1, late_by=60), MESSAGES[0], REPLIES)] == [61.0, 62.0]
    assert [r.id for r in play(Faults(disorder=1), MESSAGES[0], REPLIES)] == ["b", "a"]
    assert sorted(r.id for r in play(Faults(twice=1), MESSAGES[0], REPLIES)) == ["a", "a", "b", "b"]
    rubbish = play(Faults(rubbish=1), MESSAGES[0], REPLIES)
    assert len(rubbish) == 3
    assert len({r.id for r in rubbish}) == 3
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(next(r.content for r in rubbish if r.id not in {"a", "b"}))


@pytest.mark.proof
@pytest.mark.parametrize("name", ["fail", "late", "twice", "disorder", "rubbish"])
def test_a_share_hits_about_that_share_of_messages_and_always_the_same(name):
    faults = Faults(**{name: 0.25})
    hit = [m for m in MESSAGES if play(faults, m, REPLIES) != REPLIES]
    assert 0.2 < len(hit) / len(MESSAGES) < 0.3
    assert hit == [m for m in MESSAGES if play(faults, m, REPLIES) != REPLIES]


def test_a_fault_script_is_read_and_nonsense_in_it_is_told():
    assert read_faults("") == {}
    assert read_faults('{"pe-vuce": {"twice": 0.5, "delay": 2}}') == {"pe-vuce": Faults(twice=0.5, delay=2)}
    for text, complaint in [
        ("{", "not JSON"),
        ("[]", "must be an object"),
        ('{"pe-vuce": {"thrice": 1}}', "known are"),
        ('{"pe-vuce": {"twice": 2}}', "a share from 0 to 1"),
        ('{"pe-vuce": {"delay": -1}}', "seconds, 0 or more"),
        ('{"pe-vuce": {"delay": true}}', "seconds, 0 or more"),
    ]:
        with pytest.raises(Misconfigured, match=complaint):
            read_faults(text)
