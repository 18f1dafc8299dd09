"""A document against its schema: every fault once, at its place, in words; the faults of libxml2 guarded; tolerances."""
# ruff: noqa: E501 - documents and replacements stand in one line each

import threading
from dataclasses import replace

import pytest
from lxml import etree

from broker.content.xml import parse
from broker.model.documents import Tolerance
from broker.model.errors import Misconfigured, Refused
from broker.model.findings import Finding, Severity
from broker.validate import Schema, validate
from tests.support.note_kit import GOOD, IGNORE, TRIM, document, refused


def test_a_valid_document_has_no_findings(schema):
    assert validate(document(schema, GOOD)) == ()


# old, new, code, pointer, line, value, words
FAULTS = [
    ("<n:Number>A-1</n:Number>", "", "schema.missing", "/n:Note/n:Number", 3, None,
     "n:Number is missing in n:Note; it must stand before n:Day."),
    ("<n:What>Tea</n:What>", "", "schema.missing", "/n:Note/n:Line[1]/n:What", 5, None, "n:What is missing in n:Line"),
    ("<n:Count>2</n:Count>", "", "schema.missing", "/n:Note/n:Line[2]/n:Count", 6, None, "n:Count is missing in n:Line."),
    ("<n:Number>A-1</n:Number>", "<n:Number>A-1</n:Number><n:Stray/>", "schema.unexpected", "/n:Note/n:Stray", 2, None,
     "n:Stray is not expected here; expected: n:Day, n:Moment, n:Clock, n:Year, n:Total or 1 more."),
    ("<n:What>Tea</n:What><n:Count>1</n:Count>", "<n:Count>1</n:Count><n:What>Tea</n:What>", "schema.unexpected",
     "/n:Note/n:Line[1]/n:Count", 5, "1", "n:Count is not expected here; expected: n:What."),
    ("A-1", "A-1234567", "schema.length", "/n:Note/n:Number", 2, "A-1234567", "has 9 characters: it is longer than 8."),
    ("10.50", "10.505", "schema.length", "/n:Note/n:Total", 4, "10.505", "has more than 2 digits after the point."),
    ("10.50", "10,50", "schema.type", "/n:Note/n:Total", 4, "10,50", "n:Total is not a decimal number."),
    ("10.50", "", "schema.type", "/n:Note/n:Total", 4, None, "n:Total is empty."),
    ("2026-05-04", "04/05/2026", "schema.type", "/n:Note/n:Day", 3, "04/05/2026", "is not a date (CCYY-MM-DD)."),
    ("2026-05-04", " 2026-02-30 ", "schema.type", "/n:Note/n:Day", 3, "2026-02-30", "is not a date"),
    ("<n:Count>1<", "<n:Count>0<", "schema.type", "/n:Note/n:Line[1]/n:Count", 5, "0", "is not a whole number from 1."),
    ("<n:Count>1<", "<n:Count>one<", "schema.type", "/n:Note/n:Line[1]/n:Count", 5, "one", "is not a whole number from 1."),
    ('currency="USD"', 'currency="US$"', "schema.value", "/n:Note/n:Total/@currency", 4, "US$",
     "currency of n:Total is none of the values allowed: PEN, USD."),
    (' currency="USD"', "", "schema.attribute", "/n:Note/n:Total/@currency", 4, None, "currency of n:Total is missing."),
    (' currency="USD"', ' currency="USD" rate="2"', "schema.attribute", "/n:Note/n:Total/@rate", 4, "2",
     "rate of n:Total is not allowed here."),
    ("<n:Line><n:What>Rice", "<n:Line>half<n:What>Rice", "schema.unexpected", "/n:Note/n:Line[2]", 6, "half",
     "has text where only elements may stand."),
    ("A-1", "<n:b>A</n:b>", "schema.unexpected", "/n:Note/n:Number", 2, None, "has elements where only text may stand."),
    ("aGVs bG8=", "aGVs-bG8=", "schema.type", "/n:Note/n:Scan", 7, "aGVs-bG8=", "n:Scan is not base64."),
    ("aGVs bG8=", "aGVsbG8é", "schema.type", "/n:Note/n:Scan", 7, "aGVsbG8é", "n:Scan is not base64."),
]  # fmt: skip


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: f"{case[0][:20]} - {case[1][:20]}")
def test_a_fault_is_told_once_at_its_place(schema, case):
    old, new, code, pointer, line, value, words = case
    assert old in GOOD
    (finding,) = refused(schema, GOOD.replace(old, new, 1))
    assert (finding.code, finding.pointer, finding.line, finding.value) == (code, pointer, line, value)
    assert words in finding.message
    assert finding.is_error


def test_all_faults_are_told_at_once(schema):
    text = GOOD
    for old, new in (
        ("A-1", "A-1234567"),
        ("2026-05-04", "soon"),
        ("10.50", "x"),
        ("<n:Count>1</n:Count>", ""),
        ("Rice", "Rice</n:What><n:What>Bran"),
    ):
        text = text.replace(old, new, 1)
    assert [(f.code, f.pointer) for f in refused(schema, text)] == [
        ("schema.length", "/n:Note/n:Number"),
        ("schema.type", "/n:Note/n:Day"),
        ("schema.type", "/n:Note/n:Total"),
        ("schema.missing", "/n:Note/n:Line[1]/n:Count"),
        ("schema.unexpected", "/n:Note/n:Line[2]/n:What[2]"),
    ]  # fmt: skip


def test_what_lies_behind_a_wrong_child_is_told_too(schema):
    text = (
        GOOD.replace("<n:Number>A-1</n:Number>", "<n:Stray/>")
        .replace("10.50", "x")
        .replace("<n:Count>2<", "<n:Count>y<")
    )
    assert [(f.code, f.pointer) for f in refused(schema, text)] == [
        ("schema.unexpected", "/n:Note/n:Stray"),
        ("schema.missing", "/n:Note/n:Number"),
        ("schema.type", "/n:Note/n:Total"),
        ("schema.type", "/n:Note/n:Line[2]/n:Count"),
    ]


@pytest.mark.parametrize("blank", [" ", "\n", "\t", " \r\n "])
@pytest.mark.parametrize(
    "element",
    ["<n:Day>{}2026-05-04{}</n:Day>", "<n:Moment>{}2026-05-04T01:02:03Z{}</n:Moment>", "<n:Clock>{}01:02:03{}</n:Clock>",
     "<n:Year>{}2026{}</n:Year>"],
)  # fmt: skip
def test_white_space_around_dates_is_valid_whatever_libxml2_says(schema, blank, element):
    text = GOOD.replace("<n:Day>2026-05-04</n:Day>", element.format(blank, blank))
    assert validate(document(schema, text)) == ()


def test_white_space_in_an_attribute_that_is_a_date(schema):
    assert validate(document(schema, GOOD.replace("<n:Line>", '<n:Line kept=" 2026-05-04 ">', 1))) == ()


def test_white_space_is_no_excuse_for_other_faults(schema):
    text = GOOD.replace("2026-05-04", " 2026-05-04 ").replace("10.50", "x")
    assert [f.pointer for f in refused(schema, text)] == ["/n:Note/n:Total"]


def test_many_padded_dates_are_all_forgiven(schema):
    lines = "".join(
        f'<n:Line kept=" 2026-05-04 "><n:What>{n}</n:What><n:Count>1</n:Count></n:Line>' for n in range(1200)
    )
    assert validate(document(schema, GOOD.replace("<n:Line>", lines + "<n:Line>", 1))) == ()


def test_lines_and_pointers_are_those_of_the_bytes_as_sent(schema):
    text = (
        b"\n\n"
        + GOOD.replace("xmlns:n=", "xmlns:note=")
        .replace("<n:", "<note:")
        .replace("</n:", "</note:")
        .replace("10.50", "x")
        .encode()
    )
    (finding,) = refused(schema, text)
    assert (finding.pointer, finding.line) == ("/note:Note/note:Total", 6)
    assert finding.message == "note:Total is not a decimal number."


def test_the_default_namespace_has_no_prefix(schema):
    text = GOOD.replace("xmlns:n=", "xmlns=").replace("<n:", "<").replace("</n:", "</").replace("<Count>2</Count>", "")
    (finding,) = refused(schema, text)
    assert (finding.pointer, finding.line) == ("/Note/Line[2]/Count", 6)


def test_a_document_inside_an_envelope(schema):
    root, _ = parse(f'<e:Env xmlns:e="urn:e"><e:Head/>\n{GOOD.replace("10.50", "x")}</e:Env>'.encode())
    inner = replace(document(schema, GOOD), root=root[1])
    with pytest.raises(Refused) as caught:
        validate(inner)
    (finding,) = caught.value.findings
    assert (finding.pointer, finding.line) == ("/e:Env/n:Note/n:Total", 5)


def test_long_values_are_cut_for_display_only(schema):
    (finding,) = refused(schema, GOOD.replace("A-1", "x" * 5000))
    assert len(finding.value) < 200
    assert "5000 characters" in finding.message
    assert len(finding.message) < 200


def test_an_unknown_type_in_xsi_does_not_stop_it(schema):
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="nobody"'
    findings = refused(schema, GOOD.replace("<n:Number>", f"<n:Number {xsi}>").replace("<n:Count>1</n:Count>", ""))
    assert [(f.code, f.pointer) for f in findings] == [
        ("schema.attribute", "/n:Note/n:Number/@xsi:type"),
        ("schema.missing", "/n:Note/n:Line[1]/n:Count"),
    ]


@pytest.mark.proof
def test_thousands_of_faults_end(schema):
    lines = "".join("<n:Line><n:Count>x</n:Count></n:Line>" for _ in range(1500))
    findings = refused(schema, GOOD.replace("<n:Line>", lines + "<n:Line>", 1))
    assert len(findings) > 400


def test_two_threads_do_not_mix_their_findings(schema):
    wrong: list[str] = []

    def work(old, new, pointer):
        for _ in range(60):
            found = [f.pointer for f in refused(schema, GOOD.replace(old, new, 1))]
            if found != [pointer]:
                wrong.append(str(found))

    cases = (("10.50", "x", "/n:Note/n:Total"), ("2026-05-04", "soon", "/n:Note/n:Day"))
    threads = [threading.Thread(target=work, args=case) for case in cases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_schema_that_is_none_is_the_fault_of_the_data(tmp_path):
    (tmp_path / "bad.xsd").write_text(
        "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element type='nobody' name='a'/></xs:schema>"
    )
    for name in ("bad.xsd", "absent.xsd"):
        with pytest.raises(Misconfigured, match=name):
            Schema(tmp_path / name).warm()


def test_a_tolerated_quirk_is_a_warning_at_its_place(schema):
    text = GOOD.replace("<n:Number>", "<n:Stray/>\n<n:Number>")
    (warning,) = validate(document(schema, text, tolerates=[IGNORE, TRIM]))
    assert warning == Finding("test.stray", IGNORE.why, Severity.WARNING, "/n:Note/n:Stray", 2)


def test_a_tolerance_hides_nothing_else(schema):
    text = GOOD.replace("<n:Number>", "<n:Stray/><n:Number>").replace("10.50", "x").replace("<n:Count>2</n:Count>", "")
    findings = refused(schema, text, tolerates=[IGNORE])
    assert [(f.code, f.is_error) for f in findings] == [
        ("test.stray", False),
        ("schema.type", True),
        ("schema.missing", True),
    ]


def test_a_tolerance_is_silent_where_there_is_nothing_to_tolerate(schema):
    assert validate(document(schema, GOOD, tolerates=[IGNORE, TRIM])) == ()


def test_a_tolerance_does_not_excuse_what_is_then_missing(schema):
    number = Tolerance("test.number", "Some send a number that is none.", ignore="n:Number[. = '0']")
    findings = refused(schema, GOOD.replace("A-1", "0").replace("10.50", "x"), tolerates=[number])
    assert [(f.code, f.pointer) for f in findings] == [
        ("test.number", "/n:Note/n:Number"),
        ("schema.missing", "/n:Note/n:Number"),
        ("schema.type", "/n:Note/n:Total"),
    ]


def test_an_attribute_can_be_ignored(schema):
    rate = Tolerance("test.rate", "Some tell the rate.", ignore="n:Total/@rate")
    text = GOOD.replace("currency=", 'rate="2" currency=')
    (warning,) = validate(document(schema, text, tolerates=[rate]))
    assert warning.pointer == "/n:Note/n:Total/@rate"


def test_the_document_itself_is_not_altered(schema):
    text = GOOD.replace("<n:Number>", "<n:Stray/><n:Number>").replace("2026-05-04", " 2026-05-04 ")
    given = document(schema, text, tolerates=[IGNORE])
    before = etree.tostring(given.root)
    validate(given)
    assert etree.tostring(given.root) == before
