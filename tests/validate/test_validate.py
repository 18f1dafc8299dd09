"""Validation: every fault once, at its place, in words; the faults of libxml2 guarded; rules and tolerances as data."""
# ruff: noqa: E501 - documents and replacements stand in one line each

import threading
from dataclasses import replace

import pytest
from lxml import etree

from broker.content.xml import parse
from broker.model.documents import Document, DocumentType, Payload, Rule, Tolerance
from broker.model.errors import Misconfigured, Refused
from broker.model.findings import Finding, Severity
from broker.model.ids import DocumentTypeName
from broker.registry.rules import rules_of, tolerances_of
from broker.toml_table import Table
from broker.validate import Schema, check, validate, validate_payload
from broker.validate.declared import is_base64
from tests.support.paths import ROOT

NOTE = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:note" targetNamespace="urn:note"
    elementFormDefault="qualified">
  <xs:element name="Note" type="Note"/>
  <xs:complexType name="Note"><xs:sequence>
    <xs:element name="Number" type="Number"/>
    <xs:element name="Day" type="xs:date" minOccurs="0"/>
    <xs:element name="Moment" type="xs:dateTime" minOccurs="0"/>
    <xs:element name="Clock" type="xs:time" minOccurs="0"/>
    <xs:element name="Year" type="xs:gYear" minOccurs="0"/>
    <xs:element name="Total" type="Total" minOccurs="0"/>
    <xs:element name="Line" type="Line" minOccurs="1" maxOccurs="unbounded"/>
    <xs:element name="Scan" type="Scan" minOccurs="0" maxOccurs="unbounded"/>
    <xs:any namespace="##other" processContents="lax" minOccurs="0"/>
  </xs:sequence></xs:complexType>
  <xs:simpleType name="Number"><xs:restriction base="xs:token"><xs:maxLength value="8"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="Price"><xs:restriction base="xs:decimal"><xs:fractionDigits value="2"/></xs:restriction></xs:simpleType>
  <xs:complexType name="Total"><xs:simpleContent><xs:extension base="Price">
    <xs:attribute name="currency" type="Currency" use="required"/>
  </xs:extension></xs:simpleContent></xs:complexType>
  <xs:simpleType name="Currency"><xs:restriction base="xs:token">
    <xs:enumeration value="PEN"/><xs:enumeration value="USD"/></xs:restriction></xs:simpleType>
  <xs:complexType name="Line"><xs:sequence>
    <xs:element name="What" type="xs:string"/>
    <xs:element name="Count" type="xs:positiveInteger"/>
  </xs:sequence><xs:attribute name="kept" type="xs:date"/></xs:complexType>
  <xs:complexType name="Scan"><xs:simpleContent><xs:extension base="Content">
    <xs:attribute name="mime" type="xs:string"/>
  </xs:extension></xs:simpleContent></xs:complexType>
  <xs:simpleType name="Content"><xs:restriction base="xs:base64Binary"/></xs:simpleType>
</xs:schema>"""
GOOD = """<n:Note xmlns:n="urn:note">
 <n:Number>A-1</n:Number>
 <n:Day>2026-05-04</n:Day>
 <n:Total currency="USD">10.50</n:Total>
 <n:Line><n:What>Tea</n:What><n:Count>1</n:Count></n:Line>
 <n:Line><n:What>Rice</n:What><n:Count>2</n:Count></n:Line>
 <n:Scan>aGVs bG8=</n:Scan>
</n:Note>"""
PREFIXES = {"n": "urn:note"}


@pytest.fixture(scope="session")
def schema(tmp_path_factory) -> Schema:
    file = tmp_path_factory.mktemp("note") / "note.xsd"
    file.write_text(NOTE)
    return Schema(file)


def document(schema, text, rules=(), tolerates=()) -> Document:
    root, offset = parse(text if isinstance(text, bytes) else text.encode())
    kind = DocumentType(
        DocumentTypeName("test/note-1"), "A note", "test", "{urn:note}Note", None, PREFIXES, schema, None, tuple(rules), "",
        tolerates=tuple(tolerates),
    )  # fmt: skip
    return Document(kind, root, line_offset=offset)


def refused(schema, text, rules=(), tolerates=()) -> list[Finding]:
    with pytest.raises(Refused) as caught:
        validate(document(schema, text, rules, tolerates))
    return list(caught.value.findings)


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


@pytest.mark.parametrize("text", ["", "aGVsbG8=", " aGVs\n bG8= ", "AAAA", "/+8="])
def test_base64(text):
    assert is_base64(text)


@pytest.mark.parametrize(
    "text", ["aGVsbG8", "aGVs.bG8=", "=aGVsbG8", "aGVsbG8=x", "a", "aGVs\u00a0bG8=", "aGVs:bG8=", "====", "aGVs_bG8="]
)
def test_no_base64(text):
    assert not is_base64(text)


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


def test_without_the_second_opinion_the_place_is_the_same(schema, monkeypatch):
    monkeypatch.setattr("broker.validate.missing_child.MissingChildFinder._about", lambda *_: 1 / 0)
    (finding,) = refused(schema, GOOD.replace("<n:What>Tea</n:What>", ""))
    assert (finding.code, finding.pointer, finding.line) == ("schema.missing", "/n:Note/n:Line[1]/n:What", 5)
    (finding,) = refused(
        schema,
        GOOD.replace("<n:Number>A-1", "<n:Stray>A-1").replace("A-1</n:Number>", "A-1</n:Stray><n:Number>1</n:Number>"),
    )
    assert (finding.code, finding.pointer, finding.line) == ("schema.unexpected", "/n:Note/n:Stray", 2)


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


# --- rules ------------------------------------------------------------------------------------------------------------


def rule(each=".", test="true()", at=".", *, when="", severity=Severity.ERROR) -> Rule:
    return Rule("T-1", each, test, at, {"en": "Not so."}, severity, when)


@pytest.mark.parametrize(
    ("given", "places"),
    [
        (rule(test="n:Number = 'A-1'"), []),
        (rule(test="n:Number = 'B'", at="n:Number"), [("/n:Note/n:Number", 2, "A-1")]),
        (rule("n:Line", "n:Count > 1", "n:Count"), [("/n:Note/n:Line[1]/n:Count", 5, "1")]),
        (rule("n:Line", "n:Count > 9"), [("/n:Note/n:Line[1]", 5, None), ("/n:Note/n:Line[2]", 6, None)]),
        (rule("n:Line", "n:Count > 1", when="n:What = 'Rice'"), []),
        (rule("n:Line", "false()", "n:Note/n:Deep/@x", when="n:What = 'Rice'"), [("/n:Note/n:Line[2]", 6, None)]),
        (rule(test="n:Total/@currency = 'PEN'", at="n:Total/@currency"), [("/n:Note/n:Total/@currency", 4, "USD")]),
        (rule(test="false()", at="n:Total/@rate"), [("/n:Note/n:Total", 4, "10.50")]),
        (rule("//@*", ". = 'PEN'"), [("/n:Note/n:Total/@currency", 4, "USD")]),
        (rule("n:Line[n:Count = 5]", "false()"), []),
        (rule(when="n:Year", test="false()"), []),
    ],
)
def test_rules(schema, given, places):
    text = document(schema, GOOD, [given])
    if not places:
        assert validate(text) == ()
        return
    with pytest.raises(Refused) as caught:
        validate(text)
    assert [(f.pointer, f.line, f.value) for f in caught.value.findings] == places
    assert {(f.code, f.message) for f in caught.value.findings} == {("T-1", "Not so.")}


def test_a_rule_that_warns_does_not_refuse(schema):
    (warning,) = validate(document(schema, GOOD, [rule(test="false()", severity=Severity.WARNING)]))
    assert (warning.code, warning.severity) == ("T-1", Severity.WARNING)


def test_schema_and_rules_are_told_together(schema):
    findings = refused(schema, GOOD.replace("10.50", "x"), [rule("n:Line", "n:Count > 1", "n:Count")])
    assert [f.code for f in findings] == ["schema.type", "T-1"]


@pytest.mark.parametrize(
    "wrong", [rule(test="n:Number ="), rule("q:Line", "true()"), rule(test="nosuch(1)"), rule(test="true()", at="((")]
)
def test_a_rule_that_is_no_xpath_is_found_before_it_is_used(wrong):
    with pytest.raises(Misconfigured, match="T-1"):
        check([wrong], PREFIXES)
    check([rule()], PREFIXES, [IGNORE, TRIM])
    with pytest.raises(Misconfigured, match=r"test\.q"):
        check([], PREFIXES, [Tolerance("test.q", "why", ignore="q:Stray")])


def test_rules_and_tolerances_are_read_from_toml():
    table = Table({"rules": [{"id": "A", "test": "x", "message": {"en": "No."}}]}, "rules.toml")
    assert rules_of(table) == (Rule("A", ".", "x", ".", {"en": "No."}),)
    with pytest.raises(Misconfigured, match="tst"):
        rules_of(Table({"rules": [{"id": "A", "test": "x", "tst": "y", "message": {"en": "No."}}]}, "rules.toml"))
    table = Table({"tolerates": [{"id": "q", "why": "w", "ignore": "x"}]}, "document.toml")
    assert tolerances_of(table) == (Tolerance("q", "w", "x"),)
    for wrong in (
        {"id": "q", "why": "w"},
        {"id": "q", "why": "w", "ignore": "x", "trim": "y"},
        {"id": "q", "ignore": "x"},
    ):
        with pytest.raises(Misconfigured, match=r"document\.toml"):
            tolerances_of(Table({"tolerates": [wrong]}, "document.toml"))


# --- tolerances -------------------------------------------------------------------------------------------------------

IGNORE = Tolerance("test.stray", "Some send a stray element.", ignore="n:Stray")
TRIM = Tolerance("test.blank", "Some pad the number.", trim="n:Total/@currency | n:Scan")


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


# --- the payload ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def wco() -> Schema:
    return Schema(ROOT / "xsd" / "wco" / "3.6" / "payload.xsd")


DEC = "urn:wco:datamodel:WCO:DEC-DMS:2"
DECLARATION = f"""<md:MetaData xmlns:md="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2">
<md:WCODataModelVersionCode>3.6</md:WCODataModelVersionCode><md:WCOTypeName>DEC</md:WCOTypeName>
<Declaration xmlns="{DEC}" xmlns:ds="urn:wco:datamodel:WCO:Declaration_DS:DMS:2"><FunctionCode>9</FunctionCode>
<FunctionalReferenceID>x</FunctionalReferenceID>
<IssueDateTime><ds:DateTimeString formatCode="102">20260417</ds:DateTimeString></IssueDateTime><TypeCode>861</TypeCode>
<GoodsItemQuantity>1</GoodsItemQuantity><Exporter><Name>Agro Valle Nuevo SAC</Name></Exporter><GoodsShipment>
<GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric>
<Commodity><Description>Tea</Description></Commodity></GovernmentAgencyGoodsItem></GoodsShipment></Declaration></md:MetaData>"""


def payload_findings(wco, schema, text) -> list[str]:
    class Catalogue:
        payload_schema = wco

    root = etree.fromstring(text)
    payload = Payload(text.encode(), root.find(f"{{{DEC}}}Declaration"))
    findings = ()
    try:
        validate_payload(payload, document(schema, GOOD), Catalogue())
    except Refused as refusal:
        findings = refusal.findings
    assert {(f.code, f.pointer, f.line) for f in findings} <= {("payload.invalid", "/n:Note", 1)}
    return [f.message for f in findings]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("", "", ""),
        ("<Description>Tea</Description>", "", "/Commodity/Description: Description is missing in Commodity."),
        ('formatCode="102"', 'formatCode="304"', "WCO-DATE"),
        (">20260417<", ">20260417093000Z<", "WCO-DATE"),
        ("<GoodsItemQuantity>1<", "<GoodsItemQuantity>2<", "WCO-ITEMS"),
        ("<Exporter><Name>Agro Valle Nuevo SAC</Name></Exporter>", "<Exporter/>", "WCO-EMPTY"),
        ("<TypeCode>861<", "<TypeCode>INV<", "WCO-CANCEL"),
        ("<md:WCOTypeName>DEC<", "<md:WCOTypeName>RES<", "WCO-TYPE"),
    ],
)
def test_the_payload_is_held_against_schema_and_rules(wco, schema, old, new, told):
    messages = payload_findings(wco, schema, DECLARATION.replace(old, new, 1) if old else DECLARATION)
    assert bool(messages) is bool(told)
    assert any(told in m for m in messages) or not told


def test_an_original_without_goods_is_refused(wco, schema):
    start, end = DECLARATION.index("<GoodsShipment>"), DECLARATION.index("</Declaration>")
    text = DECLARATION[:start] + DECLARATION[end:]
    assert any("WCO-ORIGINAL" in m for m in payload_findings(wco, schema, text))
    assert payload_findings(wco, schema, text.replace("<FunctionCode>9<", "<FunctionCode>13<")) == []


def test_the_rules_of_the_payload_are_xpath(wco):
    check(wco.rules, wco.namespaces)
    assert len({r.id for r in wco.rules}) == len(wco.rules) == 6
