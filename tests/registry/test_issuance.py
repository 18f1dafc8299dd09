"""The table of states of a certificate, read from its file; a word has one meaning."""

import pytest

from broker.model.errors import Misconfigured
from broker.model.issuance import Mark, Period, StateMark
from broker.registry.issuance import REVOKED, issuance_of
from broker.toml_table import Table

STATE = {"at": "Status", "issued": ["ISSUED", "70"], "ended": ["40"], "refused": {"Draft": "a draft"}}


def read(**tables):
    return issuance_of(Table(tables, "issuance.toml"))


def test_words_are_read_in_small_letters():
    (found,) = read(states=[STATE]).states
    assert found == StateMark("Status", frozenset({"issued", "70"}), frozenset({"40"}), {"draft": "a draft"}, True)


def test_periods_and_marks_are_read():
    found = read(
        periods=[{"until": "Expiry"}],
        revoked=[{"at": "Revoked", "message": "It was revoked."}],
        unchecked=[{"at": "Proof", "code": "proof.unchecked", "message": "Nobody looked."}],
    )
    assert found.periods == (Period("", "Expiry"),)
    assert found.revoked == (Mark("Revoked", REVOKED, "It was revoked."),)
    assert found.unchecked == (Mark("Proof", "proof.unchecked", "Nobody looked."),)


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ({"states": [{**STATE, "issued": []}]}, "issued is missing"),
        ({"states": [{**STATE, "ended": ["Issued"]}]}, "issued cannot mean two things"),
        ({"periods": [{"why": "x"}]}, "give begins, until or both"),
        ({"unchecked": [{"at": "x", "message": "y"}]}, "code"),
    ],
)
def test_what_cannot_be_is_told_with_its_file(tables, sentence):
    with pytest.raises(Misconfigured, match=rf"issuance\.toml.*{sentence}"):
        read(**tables)
