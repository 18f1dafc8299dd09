"""Chains of class ids as an answer writes them (WCO DM 3.6, class 97A), read and written."""

import pytest

from broker.model.answers import PointerStep, chain_of, chain_text

CHAIN = (PointerStep("42A"), PointerStep("67A"), PointerStep("68A", 1), PointerStep("02A", 1, "D005"))


def test_a_chain_is_read_and_written_as_one_word():
    assert chain_text(CHAIN) == "42A/67A/68A#1/02A#1:D005"
    assert chain_of("42A/67A/68A#1/02A#1:D005") == CHAIN


def test_no_text_is_no_chain_and_nonsense_is_told():
    assert chain_of("") == ()
    for text in ("42A//67A", "42A/#1", "42A#x"):
        with pytest.raises(ValueError, match="not a pointer chain"):
            chain_of(text)
