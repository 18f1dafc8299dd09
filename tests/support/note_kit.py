"""One small format: a schema that has most kinds of fault, a good document, and what a validation finds in it."""
# ruff: noqa: E501 - documents stand in one line each

import pytest

from broker.content.xml import parse
from broker.model.documents import Document, DocumentType, Rule, Tolerance
from broker.model.errors import Refused
from broker.model.findings import Finding, Severity
from broker.model.ids import DocumentTypeName
from broker.validate import validate

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


class NoMapping:
    """Of a type that is judged and never translated."""

    def limits(self, _document):
        return ()


NO_MAPPING = NoMapping()


def document(schema, text, rules=(), tolerates=()) -> Document:
    root, offset = parse(text if isinstance(text, bytes) else text.encode())
    kind = DocumentType(
        DocumentTypeName("test/note-1"), "A note", "test", "{urn:note}Note", None, PREFIXES, schema, NO_MAPPING, tuple(rules), "",
        tolerates=tuple(tolerates),
    )  # fmt: skip
    return Document(kind, root, line_offset=offset)


def refused(schema, text, rules=(), tolerates=()) -> list[Finding]:
    with pytest.raises(Refused) as caught:
        validate(document(schema, text, rules, tolerates))
    return list(caught.value.findings)


def rule(each=".", test="true()", at=".", *, when="", severity=Severity.ERROR) -> Rule:
    return Rule("T-1", each, test, at, {"en": "Not so."}, severity, when)


IGNORE = Tolerance("test.stray", "Some send a stray element.", ignore="n:Stray")
TRIM = Tolerance("test.blank", "Some pad the number.", trim="n:Total/@currency | n:Scan")
