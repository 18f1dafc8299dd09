"""All that happened to one message: each thing once, conflicts kept, and never more than a record may hold."""

from dataclasses import replace

import pytest

from broker.answers import history
from broker.answers.history import (
    TRIMMED,
    Answered,
    Delivered,
    DocumentReceived,
    History,
    Related,
    Routed,
    add,
    dump,
    load,
)
from broker.model.answers import Answer, AnswerError

AT = "2026-01-01T00:00:00Z"
EMPTY = History("c" * 32)


def answered(number="a1", digest="d1", at=AT, **said):
    answer = Answer("xx", number, "01", digest=digest, **said)
    return Answered(at=at, answer=answer, state="accepted")


def grown(*facts):
    known, novelties = EMPTY, []
    for fact in facts:
        known, novelty = add(known, fact)
        novelties.append(novelty)
    return known, novelties


def test_the_same_again_changes_nothing_and_other_content_is_kept_as_a_conflict():
    known, novelties = grown(
        answered(), answered(at="2026-01-02T00:00:00Z"), answered(digest="d2"), answered(digest="d2"), answered("a2"),
    )  # fmt: skip
    assert novelties == ["new", "repeat", "conflict", "repeat", "new"]
    assert [fact.answer.digest for fact in known.answers("xx")] == ["d1", "d2", "d1"]


def test_a_history_survives_its_form():
    facts = (
        DocumentReceived(
            at=AT, sender="aa", document_type="toy/one", topic="swb.aa.outbox", partition=0, offset=1,
            content_sha256="s", mapping="toy/one@1+0",
        ),
        Routed(at=AT, windows=("yy", "xx")), Delivered(at=AT, window="xx"), answered(),
        Related(at=AT, conversation="d" * 32, relation="amends"),
    )  # fmt: skip
    known, _ = grown(*facts)
    assert load(dump(known)) == known
    assert (known.windows(), known.has_delivery("xx"), known.has_delivery("yy")) == (("xx", "yy"), True, False)
    with pytest.raises(ValueError, match="validation error"):
        load(b"{}")


def test_a_window_that_answers_without_end_is_kept_out(monkeypatch):
    monkeypatch.setattr(history, "MOST_ANSWERS", 2)
    known, novelties = grown(*(answered(f"a{n}") for n in range(3)))
    assert (novelties, len(known.answers())) == (["new", "new", "full"], 2)


def test_of_a_huge_answer_is_kept_what_matters():
    huge = answered(errors=tuple(AnswerError("E", "x" * 1000) for _ in range(2000)))
    known, novelties = grown(huge)
    (kept,) = known.answers()
    assert novelties == ["new"]
    assert (len(kept.answer.errors), len(kept.answer.errors[0].text), kept.answer.tolerated) == (10, 512, (TRIMMED,))
    assert add(known, replace(huge, at="later"))[1] == "repeat"
