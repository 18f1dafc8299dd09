"""``swb locate``: a pointer is read as people write it and as an answer of a window writes it."""

import json

import pytest

from broker.paths import data_root

FILE = data_root() / "mappings/documents/invoice/ubl-2.1/samples/peppol-be-nl.xml"
NAME = "/Invoice/cac:InvoiceLine[1]/cac:Item/cbc:Name"


@pytest.mark.parametrize("pointer", ["42A/67A/68A#1/23A/137", "42A/67A/68A#1/23A:137", "42A 67A 68A#1 23A 137"])
def test_a_chain_may_be_written_in_any_of_its_ways(swb, pointer):
    code, out, err = swb("locate", FILE, pointer, "-o", "json")
    assert (code, err) == (0, "")
    assert json.loads(out)["path"] == NAME


def test_an_ordinal_leads_to_the_element_that_it_counts(swb):
    _, out, _ = swb("locate", FILE, "42A/67A/68A#1:006", "-o", "json")
    assert json.loads(out.splitlines()[0])["path"] == "/Invoice/cac:InvoiceLine[1]"


def test_a_chain_that_is_known_in_part_says_so(swb):
    code, out, err = swb("locate", FILE, "42A/67A/99Z#1")
    assert code == 0
    assert out.startswith("/Invoice")
    assert "/MetaData/Declaration/GoodsShipment is as far as it leads" in err


@pytest.mark.parametrize("pointer", ["", "///[", "a b", "/", "42", "/MetaData[", "42A/"])
def test_what_is_no_pointer_is_no_question(swb, notes, pointer):
    code, out, err = swb("locate", notes.good, pointer)
    assert (code, out) == (2, "")
    assert "neither a path nor a chain" in err
