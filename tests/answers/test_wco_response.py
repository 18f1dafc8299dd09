"""Responses in and out: all published notifications are read, what we write is valid, and a pointer leads both ways."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from broker.answers.wco_response import RES, holds_response, instant, read, read_part, split, write
from broker.content.payload_path import written
from broker.content.pointers import Doubt, Pointers
from broker.content.xml import MAX_SIBLINGS, parse
from broker.model.answers import Answer, AnswerError, AnswerStatus, Change, PointerStep, Remark, chain_of, chain_text
from broker.model.errors import Refused
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from random import Random

HOME = ROOT / "xsd" / "wco" / "3.6"
SCHEMA = etree.parse(HOME / "declaration.xsd").getroot()
POINTERS = Pointers(SCHEMA)
DEC = "urn:wco:datamodel:WCO:DEC-DMS:2"


# --- in ---------------------------------------------------------------------------------------------------------------


def test_every_published_notification_is_read(reference):
    codes, tolerated, read_files, others = Counter(), Counter(), 0, 0
    errors = changes = details = 0
    for file in sorted((reference / "samples" / "wco-dms").glob("*.xml")):
        content = file.read_bytes()
        if not holds_response(parse(content)[0]):
            others += 1
            with pytest.raises(Refused):
                read(content, "gb-cds", file.stem)
            continue
        (answer,) = read(content, "gb-cds", file.stem)
        read_files += 1
        codes[answer.function_code] += 1
        tolerated.update(answer.tolerated)
        errors, changes = errors + len(answer.errors), changes + len(answer.changes)
        details += len(answer.details)
        assert all((answer.answer_id, answer.mrn, answer.issued, answer.reference))
        assert answer.answer_id != answer.reference
    assert (read_files, others) == (31, 31)
    assert tolerated == {"answer.no-namespace": 29}
    assert codes == {"01": 3, "02": 2, "03": 3, "05": 1, "06": 2, "07": 2, "08": 2, "09": 3, "10": 1, "11": 2,
                     "13": 4, "14": 1, "15": 1, "16": 2, "9": 2}  # fmt: skip
    assert (errors, changes) == (8, 3)
    assert details == 133


def test_nothing_of_a_published_notification_is_left_behind(reference):
    """Every text of the Response is in some field of the Answer."""
    for file in sorted((reference / "samples" / "wco-dms").glob("*.xml")):
        root = parse(file.read_bytes())[0]
        if not holds_response(root):
            continue
        (answer,) = read(file.read_bytes(), "gb-cds", "r")
        told = repr(answer)
        response = next(e for e in root.iter("{*}Response"))
        for leaf in response.iter(etree.Element):
            text = " ".join((leaf.text or "").split())
            if text and etree.QName(leaf).localname != "DateTimeString":
                assert text in told or str(int(text)) in told, (file.name, text)


RESPONSE = "<Response><FunctionCode>{}</FunctionCode><FunctionalReferenceID>W{}</FunctionalReferenceID></Response>"


def test_several_responses_in_one_record_are_several_answers():
    answers = read(f"<MetaData>{RESPONSE.format('01', 1)}{RESPONSE.format('09', 2)}</MetaData>".encode(), "w", "r")
    assert [(a.function_code, a.position) for a in answers] == [("01", 1), ("09", 2)]


def test_a_bare_response_and_one_in_a_foreign_wrapper():
    (bare,) = read(f'<Response xmlns="{RES}"><FunctionCode>01</FunctionCode></Response>'.encode(), "w", "r7")
    assert (bare.tolerated, bare.answer_id) == ((), "r7#1")
    (wrapped,) = read(f"<a><b>{RESPONSE.format('01', 1)}</b></a>".encode(), "w", "r")
    assert wrapped.tolerated == ("answer.wrapper", "answer.no-namespace")


def test_an_answer_of_the_andean_hub_is_read():
    content = (
        "<Response><Function>11</Function><TypeCode>M-EX501</TypeCode><Status><NameCode>63</NameCode>"
        "<StatementDescription>Falta el permiso</StatementDescription></Status></Response>"
    )
    (answer,) = read(content.encode(), "w", "r")
    assert (answer.function_code, answer.statuses[0].code) == ("11", "63")
    assert dict(answer.details)["Status/StatementDescription"] == "Falta el permiso"
    assert "answer.function-name" in answer.tolerated


@pytest.mark.parametrize(
    ("declaration", "own", "reference", "answer_id"),
    [
        ("<FunctionalReferenceID>ours</FunctionalReferenceID><ID>MRN</ID>", "W1", "ours", "W1"),
        ("<FunctionalReferenceID>ours</FunctionalReferenceID>", "ours", "ours", "r#1"),
        ("<ID>MRN</ID>", "W1", "", "W1"),
        ("", "ours", "ours", "r#1"),
        ("", "", "", "r#1"),
    ],
)
def test_whose_reference_is_whose(declaration, own, reference, answer_id):
    own = f"<FunctionalReferenceID>{own}</FunctionalReferenceID>" if own else ""
    content = f"<Response><FunctionCode>01</FunctionCode>{own}<Declaration>{declaration}</Declaration></Response>"
    (answer,) = read(content.encode(), "w", "r")
    assert (answer.reference, answer.answer_id) == (reference, answer_id)


def test_the_digest_tells_content_from_form():
    one = read(b"<Response><FunctionCode>01</FunctionCode></Response>", "w", "a")[0]
    same = read(b"<Response >\n <!-- x --> <FunctionCode> 01\n</FunctionCode></Response>", "w", "b")[0]
    other = read(b"<Response><FunctionCode>03</FunctionCode></Response>", "w", "a")[0]
    assert one.digest == same.digest != other.digest


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20240410113950+01", "2024-04-10T10:39:50Z"),
        ("20240410113950-0530", "2024-04-10T17:09:50Z"),
        ("20240410113950+05:30", "2024-04-10T06:09:50Z"),
        ("20240410113950Z", "2024-04-10T11:39:50Z"),
        ("20240410113950", "2024-04-10T11:39:50Z"),
        ("202404101139", "2024-04-10T11:39:00Z"),
        ("20240410", "2024-04-10T00:00:00Z"),
    ],
)
def test_date_times(text, moment):
    assert instant(text) == moment


@pytest.mark.parametrize("text", ["Tue Mar 05 2024", "20241310", "2024041025", "", "20240230"])
def test_a_text_that_is_no_time_is_kept_and_named(text):
    with pytest.raises(ValueError):
        instant(text)
    if text:
        issued = f"<IssueDateTime><DateTimeString>{text}</DateTimeString></IssueDateTime>"
        (answer,) = read(f"<Response><FunctionCode>01</FunctionCode>{issued}</Response>".encode(), "w", "r")
        assert (answer.issued, answer.details[0][1]) == ("", text)
        assert "answer.time" in answer.tolerated


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "content.empty"),
        (b"rubbish", "content.not-xml"),
        (b"<Response><FunctionCode>01</FunctionCode>", "content.not-xml"),
        (b'{"verdict": "accepted"}', "content.not-xml"),
        (b"<Declaration/>", "answer.no-response"),
        (b"<Response><Status/></Response>", "answer.no-function"),
        (b"<Response><FunctionCode> </FunctionCode></Response>", "answer.no-function"),
        (b"<Response><FunctionCode>" + b"0" * 300 + b"</FunctionCode></Response>", "answer.too-long"),
        (
            b'<!DOCTYPE Response [<!ENTITY a "01">]><Response><FunctionCode>&a;</FunctionCode></Response>',
            "content.doctype",
        ),
    ],
)
def test_rubbish_is_refused_with_a_code(content, code):
    with pytest.raises(Refused) as refusal:
        read(content, "w", "r")
    assert refusal.value.findings[0].code == code


@pytest.mark.proof
def test_many_leaves_are_read_in_time():
    """As many siblings in one place as a document may have: linear, or this test never ends."""
    content = b"<Response><FunctionCode>01</FunctionCode>" + b"<x>1</x>" * (MAX_SIBLINGS - 2) + b"</Response>"
    (answer,) = read(content, "w", "r")
    assert len(answer.details) == MAX_SIBLINGS - 2


# --- out --------------------------------------------------------------------------------------------------------------

WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=8)
SENTENCES = st.lists(WORDS, min_size=1, max_size=8).map(" ".join)
FIRST, LAST = datetime(2001, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, int((LAST - FIRST).total_seconds())).map(
    lambda seconds: (FIRST + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
)
CODES = st.from_regex(r"[A-Z0-9]{1,3}", fullmatch=True)
STEPS = st.builds(PointerStep, CODES, st.none() | st.integers(1, 99999))
CHAINS = st.builds(
    lambda steps, tag: (*steps[:-1], *(replace(step, tag=tag) for step in steps[-1:])),
    st.lists(STEPS, max_size=4, unique_by=lambda step: step.section).map(tuple),
    st.just("") | CODES,
)
"""Each class once, and the element's id last: what comes behind belongs to another chain."""
NO_CHAIN_OR_ONE = st.just(()) | CHAINS
EMPTY = st.just("")
ANSWERS = st.builds(
    Answer,
    window=st.just("w"),
    answer_id=st.from_regex(r"W[0-9a-f]{1,30}", fullmatch=True),
    function_code=st.from_regex(r"[0-9]{1,2}", fullmatch=True),
    reference=st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
    mrn=EMPTY | st.from_regex(r"[0-9A-Z]{1,70}", fullmatch=True),
    issued=MOMENTS,
    errors=st.lists(st.builds(AnswerError, CODES, EMPTY | SENTENCES, NO_CHAIN_OR_ONE), max_size=3).map(tuple),
    statuses=st.lists(st.builds(AnswerStatus, CODES, MOMENTS, EMPTY | MOMENTS, NO_CHAIN_OR_ONE), max_size=2).map(tuple),
    remarks=st.lists(st.builds(Remark, CODES, SENTENCES, CODES, EMPTY | MOMENTS, CHAINS), max_size=2).map(tuple),
    changes=st.lists(st.builds(Change, CODES, CHAINS), max_size=2).map(tuple),
    version=EMPTY | st.from_regex(r"[0-9]{1,9}", fullmatch=True),
    accepted=EMPTY | MOMENTS,
    rejected=EMPTY | MOMENTS,
    cancelled=EMPTY | MOMENTS,
)


@pytest.fixture(scope="session")
def profile() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(HOME / "payload.xsd"))


@pytest.fixture(scope="session")
def published(reference) -> etree.XMLSchema:
    home = reference / "xsd" / "wco-hmrc-dms" / "wco" / "notification"
    return etree.XMLSchema(etree.parse(home / "WCO_RES_2_DMS.xsd"))


@settings(max_examples=40, deadline=None)
@given(answer=ANSWERS)
def test_what_is_written_is_valid_and_read_back_the_same(answer, profile, published):
    root = etree.fromstring(write([answer], "PE", "VUCE"))
    profile.assertValid(root)
    published.assertValid(etree.fromstring(etree.tostring(root.find("{*}Response"))))
    (back,) = read(etree.tostring(root), "w", "r")
    assert back == Answer(**{**{f: getattr(answer, f) for f in Answer.__slots__}, "digest": back.digest})


def test_two_responses_travel_in_one_record(profile):
    answers = [Answer("w", f"W{n}", f"0{n}", "a" * 32, issued="2026-01-01T00:00:00Z") for n in (1, 2)]
    content = write(answers)
    profile.assertValid(etree.fromstring(content))
    assert [a.answer_id for a in read(content, "w", "r")] == ["W1", "W2"]


# --- pointers ---------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(CHAINS)
def test_a_chain_survives_its_text(chain):
    assert chain_of(chain_text(chain)) == chain


@pytest.mark.parametrize("text", ["//", "42A//67A", "42A#x", "42A#1#2", "a:b:c"])
def test_a_text_that_is_no_chain(text):
    with pytest.raises(ValueError, match="pointer chain"):
        chain_of(text)


def some_declaration(random: Random, type_name: str, element: etree._Element, left: int = 4) -> etree._Element:
    """The element filled with any elements of the profile, up to three of a kind."""
    classes = POINTERS._classes
    for child in classes[type_name].children.values():
        for _ in range(random.choice((0, 0, 1, 3 if child.repeats else 1))):
            below = etree.SubElement(element, f"{{{DEC}}}{child.name}")
            if child.type in classes and left:
                some_declaration(random, child.type, below, left - 1)
    return element


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False))
def test_every_element_of_a_payload_is_found_again_by_its_chain(random):
    """There and back is the same element; the one element of the profile without an id leads to its class."""
    root = etree.SubElement(etree.Element("MetaData"), f"{{{DEC}}}Declaration")
    for element in some_declaration(random, "Declaration", root).iter(etree.Element):
        target = POINTERS.resolve(POINTERS.chain(written(element)), root)
        assert target is not None
        assert (target.is_exact, target.missing) == (True, "")
        without_id = element.tag.endswith("}IdentificationTypeCode") and element.getparent().tag.endswith(
            "}Classification"
        )
        assert target.element is (element.getparent() if without_id else element)


ITEM = "/MetaData/Declaration/GoodsShipment/GovernmentAgencyGoodsItem"
PATHS = {
    "/MetaData/Declaration": "42A",
    "/MetaData/Declaration/IssueDateTime/DateTimeString": "42A:D011",
    "/MetaData/Declaration/GoodsShipment": "42A/67A",
    f"{ITEM}/AdditionalDocument/ID": "42A/67A/68A#1/02A#1:D005",
    f"{ITEM}[3]/AdditionalDocument[2]": "42A/67A/68A#3/02A#2",
    f"{ITEM}[2]/Commodity/Classification[2]/ID": "42A/67A/68A#2/23A/21A#2:145",
    f"{ITEM}/Commodity/GoodsMeasure/GrossMassMeasure/@unitCode": "42A/67A/68A#1/23A/65A:126",
}


@pytest.mark.parametrize(("path", "chain"), PATHS.items())
def test_paths_as_chains(path, chain):
    assert chain_text(POINTERS.chain(path)) == chain


def declaration(xml: str) -> etree._Element:
    return etree.fromstring(f'<MetaData><Declaration xmlns="{DEC}">{xml}</Declaration></MetaData>')[0]


ITEMS = (
    "<GoodsShipment><GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric></GovernmentAgencyGoodsItem>"
    "<GovernmentAgencyGoodsItem><SequenceNumeric>2</SequenceNumeric><Commodity/></GovernmentAgencyGoodsItem></GoodsShipment>"
)


@pytest.mark.parametrize(
    ("chain", "path", "exact"),
    [
        ("42A/67A/68A#2:006", f"{ITEM}[2]/SequenceNumeric", True),
        (
            "42A/67A/68A#2/23A:137",
            f"{ITEM}[2]/Commodity/Description",
            True,
        ),
        ("42A/67A/68A#7/23A", f"{ITEM}[7]/Commodity", True),
        ("67A/68A#1", f"{ITEM}[1]", True),
        ("42A:023", "/MetaData/Declaration/AcceptanceDateTime", True),
        ("42A/67A/tk3#1:euF5", "/MetaData/Declaration/GoodsShipment", False),
        ("42A/67A:XXXX", "/MetaData/Declaration/GoodsShipment", False),
    ],
)
def test_where_a_chain_leads_even_when_nothing_stands_there(chain, path, exact):
    target = POINTERS.resolve(chain_of(chain), declaration(ITEMS))
    assert (target.path, target.is_exact) == (path, exact)


@pytest.mark.parametrize(
    ("chain", "number", "count", "path"),
    [
        ("42A/67A/68A#3/23A:137", 3, 2, f"{ITEM}[3]/Commodity/Description"),
        ("42A/67A/68A#0/23A:137", 0, 2, f"{ITEM}/Commodity/Description"),
        ("42A/67A/68A/23A:137", None, 2, f"{ITEM}/Commodity/Description"),
        ("42A/67A#2/68A#1", 2, 1, "/MetaData/Declaration/GoodsShipment[2]/GovernmentAgencyGoodsItem"),
        ("42A/67A/68A", None, 2, ITEM),
    ],
)
def test_an_occurrence_that_is_not_there_or_not_named_is_in_doubt(chain, number, count, path):
    """WCO 97A: SequenceNumeric says which; nothing is taken for it."""
    target = POINTERS.resolve(chain_of(chain), declaration(ITEMS))
    place = ITEM if "67A#2" not in chain else ITEM.rpartition("/")[0]
    assert (target.doubt, target.path) == (Doubt(place, number, count), path)


@pytest.mark.parametrize("chain", ["42A/67A/68A#2", "42A/67A/68A#1/02A#1:D005", "42A/67A/22B", "42A#1/67A#1/68A#1"])
def test_the_only_one_needs_no_number_and_what_is_absent_is_no_doubt(chain):
    assert POINTERS.resolve(chain_of(chain), declaration(ITEMS)).doubt is None


@pytest.mark.parametrize("chain", ["", "07B/53A#1", "kt3#2:ueF5"])
def test_a_chain_that_points_into_no_declaration(chain):
    assert POINTERS.resolve(chain_of(chain), declaration(ITEMS)) is None


def response(inner: str, below: str = "") -> bytes:
    space = 'xmlns="urn:wco:datamodel:WCO:RES-DMS:2"'
    inner = f"<FunctionCode>03</FunctionCode>{inner}<Declaration>{below}</Declaration>"
    return f"<Response {space}>{inner}</Response>".encode()


OURS = "f1c924c816df47359871696a0dab4610"


@pytest.mark.parametrize(
    ("own", "below", "reference", "answer_id"),
    [
        ("", OURS.upper(), OURS, "r#1"),
        ("W-1", "F1C924C8-16DF-4735-9871-696A0DAB4610", OURS, "W-1"),
        ("", "{F1C924C8-16DF-4735-9871-696A0DAB4610}", OURS, "r#1"),
        ("", f" {OURS} ", OURS, "r#1"),
        ("W-1", "LRN-7", "LRN-7", "W-1"),
    ],
)
def test_our_id_is_recognised_in_any_case_and_with_hyphens(own, below, reference, answer_id):
    """RFC 9562 section 4: hyphens and either case name the same 128 bits."""
    own = own and f"<FunctionalReferenceID>{own}</FunctionalReferenceID>"
    (answer,) = read(response(own, f"<FunctionalReferenceID>{below}</FunctionalReferenceID>"), "pe-vuce", "r")
    assert (answer.reference, answer.answer_id) == (reference, answer_id)


@pytest.mark.parametrize(
    ("own", "mrn", "reference", "answer_id"),
    [
        (OURS, "MRN-1", OURS, "r#1"),
        (OURS.upper(), "", OURS, "r#1"),
        ("W-1", "MRN-1", "", "W-1"),
        ("W-1", "", "W-1", "r#1"),
        ("", "", "", "r#1"),
    ],
)
def test_an_answer_s_own_reference_is_ours_where_it_has_our_form_or_can_mean_nothing_else(
    own, mrn, reference, answer_id
):
    own, mrn = own and f"<FunctionalReferenceID>{own}</FunctionalReferenceID>", mrn and f"<ID>{mrn}</ID>"
    (answer,) = read(response(own, mrn), "pe-vuce", "r")
    assert (answer.reference, answer.answer_id) == (reference, answer_id)


def pointed(*steps: str) -> str:
    written = []
    for step in steps:
        (one,) = chain_of(step)
        sequence = "" if one.sequence is None else f"<SequenceNumeric>{one.sequence}</SequenceNumeric>"
        tag = one.tag and f"<TagID>{one.tag}</TagID>"
        written.append(f"<Pointer>{sequence}<DocumentSectionCode>{one.section}</DocumentSectionCode>{tag}</Pointer>")
    return "".join(written)


@pytest.mark.parametrize(
    ("steps", "chains"),
    [
        (("42A", "67A", "68A#1", "23A:137", "42A", "67A", "68A#2", "23A:137"), 2),
        (("42A", "67A", "68A#1", "42A", "67A", "68A#2"), 2),
        (("67A", "68A#1", "02A#1:D005", "67A", "68A#2", "02A#1:D005", "67A", "68A#3"), 3),
        (("42A", "67A", "68A#1", "02A#1", "02A:D005"), 1),
        ((), 1),
    ],
)
@pytest.mark.parametrize("kind", ["Error", "Status", "AdditionalInformation", "Amendment"])
def test_every_chain_of_a_pointer_is_told(steps, chains, kind):
    """WCO 97A: a Response may point at several places with one error."""
    (answer,) = read(response(f"<{kind}>{pointed(*steps)}</{kind}>"), "pe-vuce", "r")
    said = {"Error": answer.errors, "Status": answer.statuses, "AdditionalInformation": answer.remarks,
            "Amendment": answer.changes}[kind]  # fmt: skip
    assert len(said) == chains
    assert "/".join(chain_text(one.pointer) for one in said) == "/".join(steps)


# --- several in one record --------------------------------------------------------------------------------------------


def several(root, count=3):
    one = (
        '<Response xmlns="urn:wco:datamodel:WCO:RES-DMS:2" xmlns:x="urn:x"><FunctionCode>01</FunctionCode><Error>'
        '<ValidationCode x:a="1">E{n}</ValidationCode></Error><Declaration><ID>M{n}</ID></Declaration></Response>'
    )
    return f"<{root}>{''.join(one.format(n=n) for n in range(count))}</{root}>".encode()


@pytest.mark.parametrize("root", ["MetaData", "Odd"])
def test_each_part_of_a_record_says_what_its_response_said_in_the_whole(root):
    content = several(root)
    whole = read(content, "pe-vuce", "r")
    parts = split(content, "pe-vuce", "r")
    assert tuple(answer for answer, _ in parts) == whole
    assert [read_part(part, "pe-vuce", "r", n) for n, (_, part) in enumerate(parts, 1)] == list(whole)
    assert [read_part(content, "pe-vuce", "r", n) for n in (1, 2, 3)] == list(whole), "so 0.1.0 sent them on"
    assert whole[1].answer_id == "r#2"


def test_a_record_of_one_response_is_its_own_part():
    content = several("MetaData", 1)
    ((answer, part),) = split(content, "pe-vuce", "r")
    assert part is content
    assert read_part(part, "pe-vuce", "r", 1) == answer
