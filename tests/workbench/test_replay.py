"""``swb replay``: what went through once goes through again, and what differs is shown."""

import base64
import json

import pytest
from lxml import etree

from broker.relay import ids

NOTE = '<Note xmlns="urn:toy"><Number>{}</Number><Date>2026-05-04</Date><Line>Tea</Line></Note>'


@pytest.fixture
def folder(toy, tmp_path):
    """Three notes, one of them in a folder of its own, one refused."""
    notes = tmp_path / "notes"
    (notes / "deep").mkdir(parents=True)
    for name, number in (("one", 1), ("two", 2), ("deep/unlucky", 13)):
        (notes / f"{name}.xml").write_text(NOTE.format(number), encoding="utf-8")
    (notes / ".hidden").write_text("x", encoding="utf-8")
    (notes / "read.me.txt").write_text("x", encoding="utf-8")
    return notes


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


def test_a_folder_without_expectations_tells_outcomes(folder, swb):
    code, out, _ = swb("replay", folder)
    assert code == 0
    assert "3 replayed: 2 accepted, 1 refused" in out
    assert "TOY-1" in out


def test_nothing_expected_then_accepted_then_the_same(folder, swb, tmp_path):
    expect = tmp_path / "expected"
    code, out, _ = swb("replay", folder, "--expect", expect)
    assert code == 1
    assert "nothing is expected of it yet" in out
    code, out, _ = swb("replay", folder, "--expect", expect, "--update")
    assert code == 0
    assert "3 updated" in out
    assert {str(f.relative_to(expect)) for f in expect.rglob("*.*")} == {
        "one.findings.json", "one.payload.xml", "two.findings.json", "two.payload.xml", "deep/unlucky.findings.json",
    }  # fmt: skip
    assert json.loads((expect / "deep/unlucky.findings.json").read_text(encoding="utf-8"))[0]["code"] == "TOY-1"
    code, out, _ = swb("replay", folder, "--expect", expect)
    assert (code, out) == (0, "3 replayed: 2 accepted, 1 refused\n")


def test_a_difference_is_shown_line_by_line(folder, swb, tmp_path):
    expect = tmp_path / "expected"
    swb("replay", folder, "--expect", expect, "--update")
    (folder / "one.xml").write_text(NOTE.format("111"), encoding="utf-8")
    (folder / "two.xml").write_text(NOTE.format("13"), encoding="utf-8")
    (folder / "deep/unlucky.xml").write_text(NOTE.format("14"), encoding="utf-8")
    report = tmp_path / "report.xml"
    code, out, _ = swb("replay", folder, "--expect", expect, "--junit", report)
    assert code == 1
    assert any(line.strip().startswith("-") and ">1<" in line for line in out.splitlines())
    assert any(line.strip().startswith("+") and ">111<" in line for line in out.splitlines())
    assert "was accepted, is now refused" in out
    assert "was refused, is now accepted" in out
    suite = etree.parse(report).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("3", "3")
    assert {case.get("name") for case in suite} == {"one", "two", "deep/unlucky"}
    assert all(len(case) == 1 for case in suite)
    code, out, _ = swb("replay", folder, "--expect", expect, "--update")
    assert (code, "3 updated" in out) == (0, True)
    assert not (expect / "two.payload.xml").exists()
    assert swb("replay", folder, "--expect", expect)[0] == 0


def test_another_way_of_writing_the_same_is_no_difference(folder, swb, tmp_path):
    expect = tmp_path / "expected"
    swb("replay", folder / "one.xml", "--expect", expect, "--update")
    stored = expect / "one.payload.xml"
    written = stored.read_text(encoding="utf-8")
    stored.write_text('<?xml version="1.0" encoding="UTF-8"?>\n' + written.replace('"', "'"), encoding="utf-8")
    assert swb("replay", folder / "one.xml", "--expect", expect)[0] == 0
    stored.write_text(written[:-5], encoding="utf-8")
    code, out, _ = swb("replay", folder / "one.xml", "--expect", expect)
    assert (code, "different" in out) == (1, True)


def test_an_export_keeps_its_ids(toy, swb, tmp_path):
    export = tmp_path / "export.ndjson"
    lines = [
        {"topic": "swb.pe-sunat.outbox", "headers": {"ce_id": "a"}, "content": NOTE.format(1)},
        {"participant": "co-ica", "ce_id": "b", "content_base64": base64.b64encode(NOTE.format(2).encode()).decode()},
        {"content": NOTE.format(3)},
    ]
    export.write_text("\n".join(map(json.dumps, lines)) + "\n\n", encoding="utf-8")
    code, out, _ = swb("replay", export, "-o", "json")
    first, second, third = objects(out)
    assert code == 0
    assert first["message"]["id"] == ids.message_id("pe-sunat", "a")
    assert (first["message"]["sender"], second["message"]["sender"]) == ("pe-sunat", "co-ica")
    assert second["message"]["id"] == ids.message_id("co-ica", "b")
    assert third["message"]["id"] == "0" * 32
    assert {o["outcome"] for o in (first, second, third)} == {"accepted"}
    assert first["difference"] is None


@pytest.mark.parametrize("line", ["no json", "[]", '{"content_base64": "%%"}', '{"topic": "t"}', '{"content": 1}'])
def test_an_export_that_cannot_be_read(toy, swb, tmp_path, line):
    export = tmp_path / "export.ndjson"
    export.write_text(f"{line}\n", encoding="utf-8")
    code, _, err = swb("replay", export)
    assert code == 2
    assert f"{export}:1: a line is a JSON object with content" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Say what to replay"),
        (["{folder}", "--topic", "t"], "Say what to replay"),
        (["{folder}", "--from-offset", "1"], "go with --topic"),
        (["{folder}", "--update"], "goes with --expect"),
        (["{folder}/deep/empty"], "nothing to replay"),
    ],
)
def test_what_makes_no_sense_is_told(folder, swb, arguments, says):
    (folder / "deep/empty").mkdir()
    code, _, err = swb("replay", *(a.format(folder=folder) for a in arguments))
    assert code == 2
    assert says in err
