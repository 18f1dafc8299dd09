"""``swb translate``: a payload and nothing else, one for each document."""

import pytest
from lxml import etree

from tests.support.cli_kit import objects


def test_a_payload_goes_to_standard_output_and_nothing_else(swb, notes):
    code, out, _ = swb("translate", notes.good)
    root = etree.fromstring(out.encode())
    assert code == 0
    assert etree.QName(root).localname == "MetaData"
    assert root.findtext(".//{*}FunctionalReferenceID") == "0" * 32


def test_standard_input_and_a_message_id(swb, notes):
    code, out, _ = swb("translate", "-", "--message-id", "f" * 32, stdin=notes.good.read_bytes())
    assert code == 0
    assert etree.fromstring(out.encode()).findtext(".//{*}FunctionalReferenceID") == "f" * 32


@pytest.mark.parametrize("given", ["", "f" * 36, "a b", "<x/>"])
def test_a_message_id_that_no_payload_could_carry(swb, notes, given):
    code, out, err = swb("translate", notes.good, "--message-id", given)
    assert (code, out) == (2, "")
    assert "at most 35" in err


def test_a_refused_document_is_told_on_standard_error(swb, notes):
    code, out, err = swb("translate", notes.bad)
    assert (code, out) == (1, "")
    assert "refused" in err
    assert "TOY-1" in err
    assert "line" in err


def test_one_payload_per_file(swb, notes, tmp_path):
    code, out, err = swb("translate", notes.good, notes.other, notes.bad, "--out", tmp_path / "out")
    assert (code, out) == (1, "")
    assert {f.name for f in (tmp_path / "out").iterdir()} == {"good.payload.xml", "other.payload.xml"}
    assert "2 accepted, 1 refused" in err
    _, alone, _ = swb("translate", notes.good)
    assert (tmp_path / "out" / "good.payload.xml").read_text(encoding="utf-8") == alone.removesuffix("\n")


def test_two_files_are_never_written_over_each_other(swb, notes, tmp_path):
    twin = tmp_path / "elsewhere" / notes.good.name
    twin.parent.mkdir()
    twin.write_bytes(notes.good.read_bytes())
    code, _, err = swb("translate", notes.good, twin, "--out", tmp_path / "out")
    assert code == 2
    assert "both be written to" in err


def test_several_files_need_a_place_to_go(swb, notes):
    code, out, err = swb("translate", notes.good, notes.other)
    assert (code, out) == (2, "")
    assert "--out" in err


def test_json_tells_one_object_a_file(swb, notes):
    code, out, _ = swb("translate", notes.good, notes.bad, "-o", "json")
    accepted, refused = objects(out)
    assert code == 1
    assert set(accepted) == {"file", "outcome", "document_type", "message", "findings", "payload"}
    assert (accepted["outcome"], accepted["document_type"]) == ("accepted", "toy/note-1")
    assert accepted["message"]["id"] == "0" * 32
    assert accepted["payload"].startswith("<")
    assert (refused["outcome"], refused["payload"]) == ("refused", None)
    assert any(f["code"] == "TOY-1" and f["severity"] == "error" for f in refused["findings"])
    assert all(
        set(f) == {"code", "severity", "pointer", "line", "value", "message"} and f["message"]
        for f in refused["findings"]
    )


def test_a_document_above_the_limit_is_refused(swb, notes, monkeypatch):
    monkeypatch.setenv("SWB_MAX_CONTENT_BYTES", "50")
    code, out, _ = swb("translate", notes.good, "-o", "json")
    assert code == 1
    assert [f["code"] for f in objects(out)[0]["findings"]] == ["content.too-large"]


def test_a_place_where_nothing_can_be_written(swb, notes, tmp_path):
    taken = tmp_path / "taken"
    taken.touch()
    code, out, err = swb("translate", notes.good, "--out", taken / "below")
    assert (code, out) == (2, "")
    assert err == f"Error: {taken / 'below'}: Not a directory\n"
