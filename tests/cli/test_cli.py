"""The verbs together, as a person or a script meets them."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.cli_kit import objects


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


def test_settings_that_are_wrong_are_a_sentence(swb, notes, monkeypatch):
    monkeypatch.setenv("SWB_MAX_CONTENT_BYTES", "many")
    code, _, err = swb("translate", notes.good)
    assert code == 2
    assert "SWB_MAX_CONTENT_BYTES" in err
    assert "Traceback" not in err


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
