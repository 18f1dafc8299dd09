"""Hostile messages end as a finding: no crash, no leak, little memory, little time. And harmless oddities are taken."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from broker import catalogue as catalogues
from broker.line.process import process
from broker.model.documents import Message
from broker.model.ids import NO_MESSAGE_ID

pytestmark = pytest.mark.proof

CORPUS = Path(__file__).parent / "hostile.py"
MAX_GROWN_MB = 600
"""What the worst case may add to the process: trees of 16 MB of markup are the largest that are built."""
MAX_CPU = 20


def _corpus():
    spec = importlib.util.spec_from_file_location("hostile", CORPUS)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["hostile"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hostile = _corpus()


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What became of every case, and the calls that reached a server whose address the documents name."""
    canary = tmp_path_factory.mktemp("hostile") / "canary.txt"
    canary.write_text(hostile.CANARY)
    calls: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        done = threading.Event()

        def listen() -> None:
            while not done.is_set():
                try:
                    connection, address = server.accept()
                except TimeoutError:
                    continue
                connection.close()
                calls.append(address)

        thread = threading.Thread(target=listen)
        thread.start()
        environment = {
            **os.environ,
            "HOSTILE_CANARY": str(canary),
            "HOSTILE_SERVER": f"http://127.0.0.1:{server.getsockname()[1]}",
            "PYTHONPATH": str(hostile.ROOT),
        }
        try:
            run = subprocess.run(
                [sys.executable, str(CORPUS)], env=environment, capture_output=True, text=True, check=False, timeout=900
            )
        finally:
            done.set()
            thread.join()
    assert run.returncode == 0, run.stderr[-2000:]
    found = {r["name"]: r for r in map(json.loads, run.stdout.splitlines())}
    return found, calls, run.stdout + run.stderr


def test_the_corpus_is_large_and_its_names_differ() -> None:
    names = [case.name for case in hostile.CASES]
    assert len(set(names)) == len(names)
    assert len(names) >= 190


@pytest.mark.parametrize("case", hostile.CASES, ids=lambda case: case.name)
def test_it_is_refused_with_a_finding(case, results) -> None:
    result = results[0][case.name]
    assert result["exit"] == 0, f"the process died: {result}"
    assert "raised" not in result, result["raised"]
    assert not result["accepted"]
    codes = result["codes"]
    assert any(c == w or (w.endswith(".") and c.startswith(w)) for c in codes for w in case.codes), result["findings"][
        :5
    ]
    for finding in result["findings"]:
        assert finding["code"]
        assert finding["message"]
        assert "\n" not in finding["message"]
    assert result["grown_mb"] <= MAX_GROWN_MB
    assert result["cpu"] <= MAX_CPU


def test_nothing_was_fetched_and_no_file_was_read(results) -> None:
    _, calls, output = results
    assert calls == []
    assert hostile.CANARY not in output


def test_what_the_real_world_sent_malformed_is_refused(catalogue) -> None:
    home = os.environ.get("SWB_REFERENCE")
    if not home:
        pytest.skip("SWB_REFERENCE is not set: the collected malformed files are not at hand")
    files = sorted(Path(home, "samples", "malformed").iterdir())
    assert len(files) == 7
    for file in files:
        outcome = process(Message(NO_MESSAGE_ID, file.read_bytes()), catalogue)
        assert not outcome.is_accepted, file.name
        assert outcome.findings, file.name
        assert all(f.code and f.message for f in outcome.findings), file.name


@pytest.fixture(scope="module")
def catalogue():
    return catalogues.load()


def _odd() -> dict[str, bytes]:
    good = hostile.good()
    schema = f'xmlns:i="{hostile.XSI}" i:schemaLocation="{hostile.SOAP} http://127.0.0.1:9/x.xsd"'
    return {
        "byte order mark": b"\xef\xbb\xbf" + good.encode(),
        "blank lines first": b"\r\n\n  " + b'<?xml version="1.0"?>' + good.encode(),
        "mark and blank lines": b"\xef\xbb\xbf\n" + b'<?xml version="1.0"?>' + good.encode(),
        "utf-16 little": good.encode("utf-16"),
        "utf-16 big": b"\xfe\xff" + good.encode("utf-16-be"),
        "latin 1 declared": ('<?xml version="1.0" encoding="ISO-8859-1"?>' + good).encode("iso-8859-1"),
        "carriage returns": good.replace("\n", "\r\n").encode(),
        "comments": good.replace("<GoodsItemName>Mangas", "<!-- a --><GoodsItemName>Man<!-- b -->gas").encode(),
        "instructions": ("<?xml-stylesheet href='http://127.0.0.1:9/x.xsl' type='text/xsl'?>" + good).encode(),
        "cdata": good.replace("Mangas frescas", "<![CDATA[Man]]><![CDATA[gas]]> frescas").encode(),
        "references to characters": good.replace("Mangas frescas", "&#77;&#x61;ngas frescas").encode(),
        "location of a schema": good.replace("<ns1:Envelope", f"<ns1:Envelope {schema}").encode(),
        "another prefix": good.replace("ns1:", "q:").replace("xmlns:ns1", "xmlns:q").encode(),
        "trailing white space": good.encode() + b"\n\n \t",
    }


@pytest.mark.parametrize("name", _odd())
def test_harmless_oddities_are_taken(name, catalogue) -> None:
    """The same document in another dress gives the same payload."""
    plain = process(Message(NO_MESSAGE_ID, hostile.good().encode()), catalogue)
    outcome = process(Message(NO_MESSAGE_ID, _odd()[name]), catalogue)
    assert outcome.is_accepted, outcome.findings
    assert outcome.payload.content == plain.payload.content
