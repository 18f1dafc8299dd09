"""What the verbs on the line share: names, ids, counts, and how findings are written."""

import click
import pytest

from broker.cli import _line
from broker.model.documents import Message
from broker.model.ids import NO_MESSAGE_ID, MessageId


def test_a_part_of_an_envelope_has_an_id_of_its_own():
    part = _line.SourceFile("two.xml#2", b"x", 2, 7)
    assert _line.as_message(part, MessageId("batch-7")).id == "batch-7.2"
    assert _line.as_message(part, NO_MESSAGE_ID).id == NO_MESSAGE_ID
    assert _line.as_message(part, NO_MESSAGE_ID).skipped == 7
    with pytest.raises(click.BadParameter, match="more than 35"):
        _line.as_message(part, MessageId("a" * 34))


def test_a_message_is_told_without_its_content():
    assert _line.message(Message(NO_MESSAGE_ID, b"abc")) == {
        "id": "0" * 32, "sender": None, "bytes": 3,
        "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",  # FIPS 180-2, appendix B.1
    }  # fmt: skip


def test_a_finding_is_two_lines_and_a_sum_counts_what_there_is(capsys):
    finding = {"severity": "error", "code": "A-1", "pointer": "/a/b", "line": 3, "value": "x", "message": "No."}
    _line.write_findings([finding])
    _line.write_summary({"accepted": 2, "refused": 0})
    _line.write_summary({"accepted": 1, "refused": 0})
    assert capsys.readouterr().out == "  error A-1  /a/b (line 3)\n    No. Found: x\n2 accepted\n"
