"""``swb decide`` as people and programs call it."""

import json

import pytest

from broker.catalogue import payload_pointers
from broker.model.answers import chain_text
from broker.paths import data_root
from broker.workbench.samples import read_sample

MAPPINGS = data_root() / "mappings"
KEYS = {"rule", "code", "severity", "message", "messages", "text"}
KEYS |= {"pointer", "line", "label", "value", "payload_pointer"}


@pytest.fixture
def document(tmp_path):
    def write(window, name):
        (source,) = (MAPPINGS / "participants" / window / "samples").glob(f"{name}.*")
        file = tmp_path / f"{name}.xml"
        file.write_bytes(read_sample(source, MAPPINGS).content)
        return str(file)

    return write


def lines(out):
    return [json.loads(line) for line in out.splitlines()]


def test_every_window_that_takes_a_document_is_asked(swb, document):
    file = document("sg-tradenet", "SG-01")
    code, out, _ = swb("decide", file, "-o", "json")
    assert code == 0
    assert [(one["file"], one["window"], one["verdict"], one["findings"]) for one in lines(out)] == [
        (file, "pe-vuce", "accepted", []),
        (file, "sg-tradenet", "accepted", []),
    ]


def test_a_rejection_says_rule_code_sentence_and_the_place_in_both_documents(swb, document):
    code, out, _ = swb("decide", document("sg-tradenet", "SG-TARIFF"), "--window", "sg-tradenet", "-o", "json")
    assert code == 1
    (one,) = lines(out)
    assert (one["window"], one["verdict"]) == ("sg-tradenet", "rejected")
    (finding,) = one["findings"]
    assert set(finding) == KEYS
    assert (finding["rule"], finding["code"], finding["value"]) == ("SG-TARIFF", "E2001", "1801.00.00.10")
    place = "/Invoice/cac:InvoiceLine[2]/cac:Item/cac:CommodityClassification/cbc:ItemClassificationCode"
    assert finding["pointer"] == place
    item = "/MetaData/Declaration/GoodsShipment/GovernmentAgencyGoodsItem[2]"
    chain = payload_pointers().chain(f"{item}/Commodity/Classification/ID")
    assert finding["payload_pointer"] == chain_text(chain)
    assert finding["line"] == 66


def test_a_missing_value_is_named_where_it_should_stand(swb, document):
    _, out, _ = swb("decide", document("us-ace", "US-SPS-SPECIES"), "--window", "us-ace", "-o", "json")
    (finding,) = lines(out)[0]["findings"]
    assert finding["pointer"].endswith("/ram:IncludedSPSTradeLineItem[2]/ram:ScientificName")
    assert (finding["label"], finding["value"]) == ("ram:ScientificName", None)


def test_not_routed_and_refused_are_verdicts_too(swb, document, tmp_path):
    junk = tmp_path / "junk.xml"
    junk.write_text("<a/>", encoding="utf-8")
    code, out, _ = swb("decide", document("pe-vuce", "PE-02"), str(junk), "--window", "us-ace", "-o", "json")
    assert code == 1
    assert [(one["window"], one["verdict"]) for one in lines(out)] == [("us-ace", "not_routed"), (None, "refused")]
    assert "found PE" in lines(out)[0]["findings"][0]["message"]


def test_for_people_it_is_text_with_a_sum(swb, document):
    code, out, _ = swb("decide", document("pe-vuce", "PE-02"), document("pe-vuce", "PE-NET-GROSS"))
    assert code == 1
    assert "The net weight is more than the gross weight. Found" in out
    assert out.splitlines()[-1] == "1 accepted, 1 rejected"


def test_a_window_that_is_none_is_told(swb, document):
    code, _, err = swb("decide", document("pe-vuce", "PE-02"), "--window", "nope")
    assert code == 2
    assert "no window nope; there are asean-sw, au-ics" in err
