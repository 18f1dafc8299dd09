"""A place of a payload as a chain of class ids and back (WCO DM 3.6, class 97A), on a schema of three classes."""

import pytest
from lxml import etree

from broker.content.pointers import Pointers
from broker.model.answers import chain_of, chain_text

SCHEMA = etree.fromstring("""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:i="urn:swb:wco-ids">
  <xs:element name="Declaration" type="D"/>
  <xs:complexType name="D" i:class="42A"><xs:sequence>
    <xs:element name="ID" type="T" i:id="D014"/><xs:element name="Item" type="I" maxOccurs="99"/>
    <xs:element name="Agent" type="A"/></xs:sequence></xs:complexType>
  <xs:complexType name="I" i:class="68A"><xs:sequence><xs:element name="ID" type="T" i:id="006"/>
    </xs:sequence></xs:complexType>
  <xs:complexType name="A" i:class="05A"><xs:sequence><xs:element name="Name" type="T" i:id="R003"/>
    </xs:sequence></xs:complexType></xs:schema>""")
PAYLOAD = etree.fromstring("<Declaration><ID>x</ID><Item><ID>1</ID></Item><Item><ID>2</ID></Item></Declaration>")
POINTERS = Pointers(SCHEMA)


@pytest.mark.parametrize(
    ("path", "chain"),
    [
        ("/MetaData/Declaration/ID", "42A:D014"),
        ("/MetaData/Declaration/Item[2]/ID", "42A/68A#2:006"),
        ("/MetaData/Declaration/Item/ID/@scheme", "42A/68A#1:006"),
        ("/MetaData/Declaration/Agent/Name", "42A/05A:R003"),
        ("/MetaData/Declaration/Nothing", "42A"),
    ],
)
def test_a_path_has_a_chain_whether_something_stands_there_or_not(path, chain):
    assert chain_text(POINTERS.chain(path)) == chain


def test_a_chain_leads_to_its_element_and_says_what_is_missing():
    there = POINTERS.resolve(chain_of("42A/68A#2:006"), PAYLOAD)
    assert (there.path, there.is_exact, there.doubt) == ("/Declaration/Item[2]/ID", True, None)
    absent = POINTERS.resolve(chain_of("42A/05A:R003"), PAYLOAD)
    assert (absent.path, absent.missing, absent.doubt) == ("/Declaration/Agent/Name", "/Agent/Name", None)


def test_an_occurrence_that_nobody_named_or_that_is_not_there_is_a_doubt():
    unnamed = POINTERS.resolve(chain_of("42A/68A"), PAYLOAD).doubt
    assert (unnamed.place, unnamed.number, unnamed.count) == ("/Declaration/Item", None, 2)
    third = POINTERS.resolve(chain_of("42A/68A#3"), PAYLOAD).doubt
    assert (third.number, third.count) == (3, 2)


def test_a_chain_that_is_known_in_part_leads_as_far_as_it_goes():
    found = POINTERS.resolve(chain_of("42A/99Z"), PAYLOAD)
    assert (found.path, found.is_exact) == ("/Declaration", False)
    assert POINTERS.resolve(chain_of("99Z"), PAYLOAD) is None
