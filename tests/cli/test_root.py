"""Every verb works on another data folder: ``--root``, or ``SWB_ROOT``."""

import os

import click
import pytest

from broker import catalogue, cli
from broker.paths import data_root

NOTE = "mappings/documents/toy/note-1/samples/first.xml"


def verbs(command=cli.command, name="swb"):
    """Every verb that does something, by its words."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for inner in command.list_commands(context):
            yield from verbs(command.get_command(context, inner), f"{name} {inner}")
    else:
        yield name, command


@pytest.fixture
def elsewhere(toy, monkeypatch):
    """A data folder that nothing but ``--root`` or ``SWB_ROOT`` leads to."""
    monkeypatch.setattr(catalogue, "data_root", data_root)
    return toy


def test_every_verb_takes_a_data_folder():
    assert [name for name, verb in verbs() if "--root" not in [o for p in verb.params for o in p.opts]] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["translate", "{note}"], ["validate", "{note}"], ["explain", "{note}"], ["route", "{note}"],
        ["report", "toy/note-1"], ["coverage", "toy/note-1"], ["replay", "{note}"],
        pytest.param(["check"], marks=pytest.mark.proof),
    ],
    ids=["translate", "validate", "explain", "route", "report", "coverage", "replay", "check"],
)  # fmt: skip
def test_a_verb_on_another_data_folder(elsewhere, swb, monkeypatch, arguments):
    given = [word.format(note=elsewhere / NOTE) for word in arguments]
    alone = swb(*given)
    chosen = swb(*given, "--root", elsewhere)
    assert chosen != alone
    assert "SWB_ROOT" not in os.environ
    monkeypatch.setenv("SWB_ROOT", str(elsewhere))
    assert swb(*given) == chosen


def test_a_folder_that_holds_no_data(swb, tmp_path, monkeypatch):
    code, _, err = swb("check", "--root", tmp_path)
    assert (code, "holds no mappings and no xsd, so it is no data folder" in err) == (2, True)
    monkeypatch.setenv("SWB_ROOT", str(tmp_path))
    code, _, err = swb("participants")
    assert (code, "holds no mappings and no xsd, so it is no data folder" in err) == (2, True)
