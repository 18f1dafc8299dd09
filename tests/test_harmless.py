"""What others wrote does nothing to a terminal."""

import os
import pty
import subprocess
import sys

import pytest

from broker import log
from broker.harmless import all_harmless, harmless

EVIL = "\x1b]0;owned\x07\x1b[2J \x9b31m \u202eDETPECCA \x1b[8mhidden\r\x00"


@pytest.mark.parametrize(
    "char",
    [*map(chr, range(9)), "\x0b", "\r", "\x1b", "\x7f", *map(chr, range(0x80, 0xA0)), *"\u202e\u2066\u2069\u200f"],
)
def test_no_control_character_is_left(char):
    shown = harmless(f"a{char}b")
    assert char not in shown
    assert shown.startswith("a\\")


def test_text_is_left_as_it_is():
    text = "Café, Müller & Søn\t日本\nnext line €"
    assert harmless(text) == text


def test_everything_within_is_made_harmless():
    assert all_harmless({"a\x1b": ["\x9b", 1, None, {"b": "\u202e"}]}) == {
        "a\\x1b": ["\\x9b", 1, None, {"b": "\\u202e"}]
    }


def test_a_log_line_has_no_control_characters(capfd):
    log.configure("console", "info", sys.stderr)
    log.get("t").info("record.failed", origin=EVIL, error=[EVIL])
    said = capfd.readouterr().err.replace("\x1b[", "")  # our own colours
    assert not {"\x9b", "\u202e", "\x07", "\x00", "\r"} & set(said)
    assert "\\x1b]0;owned" in said


PRINTS = f"""
import click
from broker.harmless import protect_terminal
protect_terminal()
click.echo({EVIL!r})
click.echo(click.style("ours", fg="red"))
click.echo({EVIL.encode()!r})
"""


def on_a_terminal(*command):
    leader, follower = pty.openpty()
    with subprocess.Popen(command, stdout=follower, stderr=follower, env=dict(os.environ)) as process:
        os.close(follower)
        out = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:
                break
            if not part:
                break
            out += part
        process.wait()
    os.close(leader)
    return out.decode("utf-8", "replace")


def test_on_a_terminal_only_our_own_colours_act():
    out = on_a_terminal(sys.executable, "-c", PRINTS).replace("\r\n", "\n")  # the terminal's own ends of lines
    assert "\x1b[31mours\x1b[0m" in out
    left = out.replace("\x1b[31mours\x1b[0m", "")
    assert not set("\x1b\x9b\u202e\x07\x00\r") & set(left)
    assert left.count("\\x1b]0;owned\\x07\\x1b[2J") == 2


def test_a_pipe_gets_what_there_is():
    out = subprocess.run([sys.executable, "-c", PRINTS], capture_output=True, check=True).stdout
    assert EVIL.encode() in out
