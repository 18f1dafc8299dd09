"""The verbs on an envelope of several documents: each document is told by itself."""

import json

import pytest

from broker import catalogue
from broker.paths import data_root
from broker.relay import ids
from broker.workbench import replay

ENVIO = data_root() / "mappings/documents/invoice/sii-dte-export-1.0/samples/credit-note-in-envio.xml"


@pytest.fixture
def two(tmp_path):
    """An EnvioDTE of two documents, the second of which names a type of document that there is not."""
    content = ENVIO.read_bytes()
    first, last = content.index(b"<DTE"), content.index(b"</DTE>") + len(b"</DTE>")
    document = content[first:last]
    bad = document.replace(b"<TipoDTE>112<", b"<TipoDTE>999<")
    assert bad != document
    file = tmp_path / "two.xml"
    file.write_bytes(content[:last] + b"\n" + bad + content[last:])
    return file


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


def test_each_document_is_judged_by_itself_and_on_its_own_line(swb, two):
    code, out, _ = swb("validate", "-o", "json", str(two))
    first, second = objects(out)
    assert code == 1
    assert [(o["file"], o["outcome"]) for o in (first, second)] == [(f"{two}#1", "valid"), (f"{two}#2", "refused")]
    lines = two.read_text("iso-8859-1").splitlines()
    assert {lines[f["line"] - 1].count("999") for f in second["findings"] if f["severity"] == "error"} == {1}


def test_payloads_are_written_one_a_document(swb, two, tmp_path):
    assert swb("translate", str(two))[0] == 2
    code, _, _ = swb("translate", "--out", str(tmp_path / "out"), "--message-id", "batch-7", str(two))
    assert code == 1
    (payload,) = (tmp_path / "out").iterdir()
    assert payload.name == "two#1.payload.xml"
    assert "<FunctionalReferenceID>batch-7.1<" in payload.read_text()


def test_a_place_is_sought_in_the_document_that_is_named(swb, two):
    assert swb("locate", str(two), "42A/67A/68A#1/23A:137")[0] == 2
    code, out, _ = swb("locate", "--part", "1", str(two), "42A/67A/68A#1/23A:137")
    assert (code, "NmbItem" in out) == (0, True)
    assert swb("locate", "--part", "3", str(two), "42A/67A/68A#1/23A:137")[0] == 2


def test_a_replayed_envelope_has_the_ids_that_the_broker_gives_its_documents(swb, two, tmp_path):
    record = {
        "participant": "cl-sicex",
        "ce_id": "E-1",
        "content": two.read_text("iso-8859-1").replace("ISO-8859-1", "UTF-8"),
    }
    export = tmp_path / "export.ndjson"
    export.write_text(json.dumps(record))
    code, out, _ = swb("replay", "-o", "json", str(export))
    assert code == 0
    expected = [ids.message_id("cl-sicex", f"E-1#{n}") for n in (1, 2)]
    assert [o["message"]["id"] for o in objects(out)] == expected
    assert [o["outcome"] for o in objects(out)] == ["accepted", "refused"]


def test_an_envelope_of_too_many_is_refused_whole(swb, two, monkeypatch):
    monkeypatch.setattr("broker.content.parts.MAX_PARTS", 1)
    code, out, _ = swb("validate", "-o", "json", str(two))
    (told,) = objects(out)
    assert (code, [f["code"] for f in told["findings"]]) == (1, ["envelope.too-many"])


def test_items_without_a_sender_keep_the_id_that_was_given(two):
    (item,) = replay.items([two])
    names = [(one.name, one.message.id) for one in replay.apart(item, catalogue.load().envelopes)]
    assert names == [("two#1", "0" * 32), ("two#2", "0" * 32)]
