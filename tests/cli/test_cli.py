"""The verbs on the line, as a person or a script meets them."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from lxml import etree

from broker import catalogue

SAMPLES = catalogue.data_root() / "mappings/documents/origin/aladi-cod-1.8/samples"
NOTE = '<Note xmlns="urn:toy"><Number>{}</Number><Date>2026-05-04</Date><Line>Tea</Line></Note>'


@dataclass
class Notes:
    """Two good documents and one that a rule refuses."""

    good: Path
    other: Path
    bad: Path


@pytest.fixture
def notes(toy, tmp_path):
    found = Notes(tmp_path / "good.xml", tmp_path / "other.xml", tmp_path / "bad.xml")
    for file, number in ((found.good, 1), (found.other, 2), (found.bad, 13)):
        file.write_text(NOTE.format(number), encoding="utf-8")
    return found


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.proof
def test_help_names_every_verb_and_is_quick(swb):
    code, out, _ = swb("--help")
    assert code == 0
    for verb in ("translate", "validate", "route", "participants", "check", "replay", "kafka"):
        assert f"\n  {verb} " in out
    swb_file = Path(sys.executable).with_name("swb")
    best = min(_seconds([swb_file, "--help"]) for _ in range(3))
    assert best < 1.0, "a verb's imports have found their way into the start"


def _seconds(command):
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def test_an_unknown_verb_is_told_without_a_traceback(swb):
    code, _, err = swb("translat")
    assert code == 2
    assert "No such command 'translat'" in err


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


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "content.empty"),
        (b"{}", "type.unknown"),
        (b'{"a": ', "content.not-json"),
        (b"\x00\xff\x00", "content.not-xml"),
        (b"<Invoice", "content.not-xml"),
        (b"<x/>", "type.unknown"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "content.doctype"),
    ],
)
def test_bad_input_is_a_finding(swb, toy, content, code):
    for verb in ("translate", "validate", "route"):
        left, out, _ = swb(verb, "-", "-o", "json", stdin=content)
        [told] = objects(out)
        assert left == 1
        assert told["outcome"] == "refused"
        assert [f["code"] for f in told["findings"]] == [code]


def test_a_file_that_is_not_there(swb, tmp_path):
    for verb in ("translate", "validate", "route", "replay"):
        code, out, err = swb(verb, tmp_path / "none.xml")
        assert (code, out) == (2, "")
        assert "does not exist" in err


def test_validate_judges_the_document_alone(swb, notes):
    code, out, _ = swb("validate", notes.good, notes.bad)
    assert code == 1
    assert f"valid {notes.good} (toy/note-1)" in out
    assert f"refused {notes.bad}" in out
    assert "1 valid, 1 refused" in out
    code, out, _ = swb("validate", notes.good, "-o", "json")
    assert (code, objects(out)[0]["outcome"]) == (0, "valid")


def test_route_tells_the_rule_and_the_reasons(swb):
    sample = SAMPLES / "a35-complete.xml"
    code, out, _ = swb("route", sample, "-o", "json")
    [told] = objects(out)
    assert code == 0
    assert told["windows"] == [r["participant"] for r in told["routings"] if r["accepted"]]
    assert told["windows"]
    assert all(r["rule"] for r in told["routings"] if r["accepted"])
    assert all(r["reason"] and r["rule"] is None for r in told["routings"] if not r["accepted"])
    windows = {p.code for p in catalogue.load().windows()}
    assert {r["participant"] for r in told["routings"]} == windows
    code, out, _ = swb("route", sample)
    assert code == 0
    assert all(f"{window}: " in out for window in windows)


def test_a_document_that_no_window_takes_is_not_routed(swb, notes):
    code, out, _ = swb("route", notes.good)
    assert code == 1
    assert f"not_routed {notes.good}" in out


def test_participants_and_their_topics(swb):
    code, out, _ = swb("participants", "-o", "json")
    found = {p["code"]: p for p in json.loads(out)}
    assert code == 0
    assert found["pe-vuce"]["kind"] == "window"
    assert found["pe-vuce"]["topics"] == {"outbox": "swb.pe-vuce.outbox", "inbox": "swb.pe-vuce.inbox"}
    assert all(set(p) == {"code", "name", "kind", "economy", "identifiers", "topics"} for p in found.values())
    assert [i["scheme"] for i in found["pe-vuce"]["identifiers"]] == ["ruc"]
    _, text, _ = swb("participants")
    assert len(text.splitlines()) == len(found)


def test_settings_that_are_wrong_are_a_sentence(swb, notes, monkeypatch):
    monkeypatch.setenv("SWB_MAX_CONTENT_BYTES", "many")
    code, _, err = swb("translate", notes.good)
    assert code == 2
    assert "SWB_MAX_CONTENT_BYTES" in err
    assert "Traceback" not in err


def test_a_document_above_the_limit_is_refused(swb, notes, monkeypatch):
    monkeypatch.setenv("SWB_MAX_CONTENT_BYTES", "50")
    code, out, _ = swb("translate", notes.good, "-o", "json")
    assert code == 1
    assert [f["code"] for f in objects(out)[0]["findings"]] == ["content.too-large"]


def test_a_finding_looks_the_same_in_every_verb(swb, notes):
    told = {}
    for verb in ("translate", "validate", "route", "explain", "replay"):
        _, out, _ = swb(verb, notes.bad, "-o", "json")
        told[verb] = objects(out)[0]["findings"]
    assert told["translate"], "the document is refused"
    assert all(findings == told["translate"] for findings in told.values())


def test_a_refused_document_is_an_object_of_its_own_where_json_was_asked_for(swb, notes):
    for code, out, err in (
        swb("explain", notes.bad, "-o", "json"),
        swb("locate", notes.bad, "/MetaData/Declaration/ID", "-o", "json"),
    ):
        assert (code, err) == (1, "")
        (one,) = objects(out)
        assert (one["file"], one["outcome"]) == (str(notes.bad), "refused")


@pytest.mark.parametrize("pointer", ["", "///[", "a b", "/", "42", "/MetaData[", "42A/"])
def test_what_is_no_pointer_is_no_question(swb, notes, pointer):
    code, out, err = swb("locate", notes.good, pointer)
    assert (code, out) == (2, "")
    assert "neither a path nor a chain" in err


@pytest.mark.proof
def test_a_reader_that_has_seen_enough(notes):
    swb_file = Path(sys.executable).with_name("swb")
    names = [str(notes.good)] * 3000  # refused one by one: the toy is no format that came with the package
    running = subprocess.Popen([swb_file, "validate", *names], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stdout
    assert running.stdout.readline()
    running.stdout.close()
    assert running.wait(30) == 2
    assert running.stderr
    assert running.stderr.read() == b""
    running.stderr.close()


def test_a_folder_without_data_is_not_called_well(swb, tmp_path):
    code, out, err = swb("check", "--root", tmp_path)
    assert (code, out) == (2, "")
    assert "holds no mappings" in err


def test_a_place_where_nothing_can_be_written(swb, notes, tmp_path):
    taken = tmp_path / "taken"
    taken.touch()
    code, out, err = swb("translate", notes.good, "--out", taken / "below")
    assert (code, out) == (2, "")
    assert err == f"Error: {taken / 'below'}: Not a directory\n"


@pytest.mark.proof
def test_a_worker_that_waits_for_kafka_leaves_when_asked():
    swb_file = Path(sys.executable).with_name("swb")
    running = subprocess.Popen([swb_file, "worker", "--bootstrap", "127.0.0.1:1"], stderr=subprocess.PIPE, text=True)
    assert running.stderr
    assert "worker.starting" in running.stderr.readline()
    running.send_signal(signal.SIGTERM)
    assert running.wait(20) == 0
    assert "Traceback" not in running.stderr.read()
    running.stderr.close()


@pytest.mark.parametrize("arguments", [("nobody",), ("--faults", '{"nobody": {"twice": 1}}'), ("pe-sunat",)])
def test_a_window_that_there_is_not(swb, arguments):
    code, out, err = swb("windows", *arguments)
    assert (code, out) == (2, "")
    assert "not among the windows asean-sw" in err
