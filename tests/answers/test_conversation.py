"""State from the whole history: no order, repeat or delay of answers moves it back; three facts stay three."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.answers.conversation import state_of
from broker.answers.history import (
    MOST_ANSWERS,
    Answered,
    Delivered,
    DeliveryFailed,
    DocumentReceived,
    DocumentRefused,
    History,
    NoAnswer,
    Overdue,
    Related,
    Routed,
    add,
    dump,
    load,
)
from broker.answers.wco_response import holds_response, read
from broker.content.xml import parse
from broker.model.answers import Answer, AnswerError, AnswerStatus, PointerStep
from broker.registry.statuses import load as load_statuses
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

STATUSES = load_statuses(ROOT / "mappings" / "statuses")
WINDOWS = ("pe-vuce", "sg-tradenet")
AT = "2026-03-01T10:00:00.000Z"


def answer(function: str, window: str = "pe-vuce", issued: str = "", answer_id: str = "", **more) -> Answered:
    said = Answer(
        window=window,
        answer_id=answer_id or f"{window}-{function}-{issued}",
        function_code=function,
        issued=issued,
        digest=f"{function}{issued}{more}",
        **more,
    )
    return Answered(at=AT, answer=said, state=STATUSES.means(said, "dms").state)


def history(*facts, windows=("pe-vuce",)) -> History:
    known = History("c" * 32)
    start = [DocumentReceived(at=AT, sender="co-ica"), Routed(at=AT, windows=windows)]
    for fact in (*start, *(Delivered(at=AT, window=w) for w in windows), *facts):
        known, _ = add(known, fact)
    return known


def state(*facts, windows=("pe-vuce",)):
    return state_of(history(*facts, windows=windows), STATUSES)


# --- permutations -----------------------------------------------------------------------------------------------------


def sequences(reference: Path) -> dict[str, list[Answer]]:
    """The answers of the reference samples by the declaration they speak of."""
    found: dict[str, list[Answer]] = {}
    for file in sorted((reference / "samples" / "wco-dms").glob("*.xml")):
        content = file.read_bytes()
        if holds_response(parse(content)[0]):
            for one in read(content, "gb-cds", file.stem):
                found.setdefault(one.mrn, []).append(one)
    return found


def test_every_permutation_of_the_sequences_in_the_samples_ends_in_the_same_state(reference):
    walked, novelties, ends = 0, [], {}
    for mrn, answers in sequences(reference).items():
        facts = [Answered(at=AT, answer=a, state=STATUSES.means(a, "dms").state) for a in answers]
        states = set()
        for order in itertools.permutations(facts):
            known = history(windows=("gb-cds",))
            rank = -1
            for n, fact in enumerate(order):
                known, novelty = add(known, fact)
                novelties.append(novelty)
                known, novelty = add(known, order[n // 2])
                assert novelty == "repeat"
                now = state_of(known, STATUSES).windows[0].state
                assert STATUSES.states[now].rank >= rank, "moved back"
                rank = STATUSES.states[now].rank
            states.add(state_of(known, STATUSES))
            walked += 1
        assert len(states) == 1
        ends[mrn] = states.pop().state
    assert len(ends) == 23
    assert sum(len(a) for a in sequences(reference).values()) == 31
    assert walked == 51
    assert set(novelties) == {"new", "conflict"}
    assert novelties.count("conflict") == 2, "two samples share an id and say the contrary, seen in both orders"
    assert ends["Id1"] == "rejected"
    assert ends["19GBCKKCQSXV2FGVA8"] == "cleared"
    assert ends["20GB1Q3RTK463FGVR4"] == "payment_due"
    assert ends["24GBCLKSDLNTQNNAR8"] == "cleared"


def test_all_kinds_of_the_samples_together_in_every_order_of_five(reference):
    """One answer of each function code, as if one declaration had met them all; five at a time, in any order."""
    kinds = {a.function_code: a for answers in sequences(reference).values() for a in answers}
    facts = [Answered(at=AT, answer=a, state=STATUSES.means(a, "dms").state) for a in kinds.values()]
    assert len(facts) == 15
    for chosen in itertools.islice(itertools.combinations(facts, 5), 0, None, 1000):
        ends = {state(*order, windows=("gb-cds",)) for order in itertools.permutations(chosen)}
        assert len(ends) == 1


FUNCTIONS = sorted({code for code in STATUSES.lists["dms"].codes if "/" not in code} | {"99"})
MOMENTS = ["", *(f"2026-03-0{n}T10:00:00Z" for n in range(1, 5))]
ANSWERS = st.builds(answer, st.sampled_from(FUNCTIONS), st.sampled_from(WINDOWS), st.sampled_from(MOMENTS))
OTHERS = st.sampled_from(
    [
        DeliveryFailed(at=AT, window="pe-vuce", reason="inbox refuses"),
        NoAnswer(at=AT, window="sg-tradenet"),
        Overdue(at=AT, window="pe-vuce", step="decision", level=2),
        Delivered(at=AT, window="us-ace"),
        Related(at=AT, conversation="d" * 32, relation="amended_by"),
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ANSWERS | OTHERS, max_size=8), st.randoms())
def test_order_and_repeats_make_no_difference(facts, random):
    shuffled = [*facts, *facts[::2]]
    random.shuffle(shuffled)
    assert state(*facts, windows=WINDOWS) == state(*shuffled, windows=WINDOWS)


@settings(max_examples=60, deadline=None)
@given(st.lists(ANSWERS, min_size=1, max_size=8))
def test_an_answer_of_one_window_never_touches_another(facts):
    alone = state(*(f for f in facts if f.answer.window == "pe-vuce"), windows=WINDOWS)
    both = state(*facts, windows=WINDOWS)
    assert both.windows[0] == alone.windows[0]


@settings(max_examples=60, deadline=None)
@given(st.lists(ANSWERS | OTHERS, max_size=8))
def test_a_history_survives_json(facts):
    known = history(*facts, windows=WINDOWS)
    assert load(dump(known)) == known


# --- what the state says ----------------------------------------------------------------------------------------------


def test_received_delivered_decided_are_three_facts():
    known = History("c" * 32)
    known, _ = add(known, DocumentReceived(at="2026-03-01T10:00:00.000Z", sender="co-ica"))
    now = state_of(known, STATUSES)
    assert (now.state, now.received, now.delivered, now.decided) == ("received", "2026-03-01T10:00:00.000Z", "", "")
    known, _ = add(known, Routed(at="2026-03-01T10:00:00.100Z", windows=WINDOWS))
    assert state_of(known, STATUSES).state == "waiting"
    known, _ = add(known, Delivered(at="2026-03-01T10:00:00.200Z", window="pe-vuce"))
    now = state_of(known, STATUSES)
    assert (now.state, now.delivered) == ("partly_delivered", "")
    known, _ = add(known, Delivered(at="2026-03-01T10:00:00.300Z", window="sg-tradenet"))
    now = state_of(known, STATUSES)
    assert (now.state, now.delivered, now.decided) == ("delivered", "2026-03-01T10:00:00.300Z", "")
    known, _ = add(known, answer("02"))
    now = state_of(known, STATUSES)
    assert (now.state, now.verdict) == ("partly_decided", "")
    known, _ = add(known, answer("01", issued="2026-03-01T10:00:05Z"))
    known, _ = add(known, answer("01", "sg-tradenet", issued="2026-03-01T10:00:09Z"))
    now = state_of(known, STATUSES)
    assert (now.state, now.verdict, now.decided) == ("accepted", "accepted", "2026-03-01T10:00:09Z")


def test_a_rejection_never_hides_an_acceptance():
    now = state(answer("03"), answer("01", "sg-tradenet"), windows=WINDOWS)
    assert (now.state, now.verdict) == ("mixed", "mixed")
    assert [(w.window, w.verdict) for w in now.windows] == [("pe-vuce", "rejected"), ("sg-tradenet", "accepted")]


def test_a_transport_failure_is_no_verdict_and_a_late_delivery_heals_it():
    known = History("c" * 32)
    for fact in (Routed(at=AT, windows=("pe-vuce",)), DeliveryFailed(at=AT, window="pe-vuce", reason="inbox refuses")):
        known, _ = add(known, fact)
    now = state_of(known, STATUSES)
    assert (now.state, now.verdict, now.decided) == ("failed", "", "")
    known, _ = add(known, Delivered(at=AT, window="pe-vuce"))
    assert state_of(known, STATUSES).state == "delivered"


def test_refused_and_not_routed_and_a_lost_document():
    refused, _ = add(History("c" * 32), DocumentRefused(at=AT, codes=("schema.missing",)))
    assert state_of(refused, STATUSES).state == "refused"
    nowhere, _ = add(History("c" * 32), Routed(at=AT, windows=(), reasons=(("pe-vuce", "takes no invoices"),)))
    assert state_of(nowhere, STATUSES).state == "not_routed"
    lost, _ = add(History("c" * 32), DeliveryFailed(at=AT, reason="unforeseen"))
    assert state_of(lost, STATUSES).state == "failed"


def test_silence_ends_by_policy_and_a_late_verdict_still_counts():
    assert state(NoAnswer(at=AT, window="pe-vuce")).state == "no_answer"
    assert state(NoAnswer(at=AT, window="pe-vuce"), answer("02")).state == "no_answer"
    assert state(NoAnswer(at=AT, window="pe-vuce"), answer("09")).state == "cleared"


EARLY, LATE = "2026-03-01T10:00:00Z", "2026-03-02T10:00:00Z"


def came(function, at, **more):
    return replace(answer(function, **more), at=at)


def test_a_window_that_contradicts_itself_is_believed_in_what_came_last_by_the_broker_s_clock():
    turned = state(came("01", EARLY), came("03", LATE))
    assert (turned.verdict, turned.alarms) == ("rejected", ("contradiction:pe-vuce",))
    back = state(came("03", EARLY), came("01", LATE))
    assert (back.verdict, back.alarms) == ("accepted", ("contradiction:pe-vuce",))
    assert state(came("03", EARLY), came("01", EARLY)).verdict == "rejected", "nobody may move goods on a doubt"


def test_a_window_s_own_clock_never_makes_an_acceptance_stand():
    ahead = "2099-12-31T00:00:00Z"
    assert state(came("01", EARLY, issued=ahead), came("03", LATE, issued=LATE)).verdict == "rejected"
    reordered = state(came("03", EARLY, issued=LATE), came("01", LATE, issued=EARLY))
    assert reordered.verdict == "rejected", "what was issued before the rejection does not lift it"
    assert state(came("03", EARLY, issued=EARLY), came("01", LATE, issued=LATE)).verdict == "accepted"


def test_a_decision_of_the_future_or_from_before_its_delivery_is_alarmed_and_its_time_is_not_shown():
    ahead = state(came("01", LATE, issued="2026-03-04T10:00:00Z", answer_id="A1"))
    assert ahead.alarms == ("future:pe-vuce:A1",)
    assert ahead.windows[0].decided == LATE
    early = state(came("01", LATE, issued="2026-02-20T10:00:00Z", answer_id="A1"))
    assert early.alarms == ("before-delivery:pe-vuce:A1",)
    assert early.verdict == ahead.verdict == "accepted"
    assert state(came("01", LATE, issued=LATE)).alarms == ()


def test_an_amendment_refused_leaves_the_acceptance_alone():
    refused = answer("11", statuses=(AnswerStatus("41"),))
    assert state(refused, answer("01")).verdict == "accepted"
    assert state(refused).verdict == "rejected"


def test_the_same_answer_twice_counts_once_and_other_content_under_its_name_is_alarmed():
    known = history(answer("01", answer_id="A1"))
    same, novelty = add(known, answer("01", answer_id="A1"))
    assert (novelty, same) == ("repeat", known)
    other, novelty = add(known, answer("03", answer_id="A1", issued="2026-03-01T10:00:00Z"))
    assert novelty == "conflict"
    assert len(other.answers()) == 2
    assert "conflict:pe-vuce:A1" in state_of(other, STATUSES).alarms
    again, novelty = add(other, answer("01", answer_id="A1"))
    assert (novelty, again) == ("repeat", other)


@pytest.mark.proof
def test_a_window_that_answers_without_end_fills_its_own_part_of_the_history_and_no_more():
    known = history(windows=WINDOWS)
    for n in range(MOST_ANSWERS):
        known, novelty = add(known, answer("02", answer_id=f"A{n}"))
        assert novelty == "new"
    full, novelty = add(known, answer("03", answer_id="one more"))
    assert (novelty, full) == ("full", known)
    assert add(known, answer("02", answer_id="A0"))[1] == "repeat"
    assert add(known, answer("01", "sg-tradenet"))[1] == "new"


@pytest.mark.proof
def test_of_a_huge_answer_is_kept_what_matters_and_the_history_stays_a_record_a_topic_takes():
    known = history(windows=WINDOWS)
    for n in range(8):
        one = answer(
            "03",
            WINDOWS[n % 2],
            answer_id=f"A{n}",
            details=tuple((f"x[{i}]", "y" * 100) for i in range(20_000)),
            errors=(AnswerError("E1", "z" * 10**5, (PointerStep("42A"),) * 100),) * 20,
        )
        one = replace(one, answer=replace(one.answer, digest=f"{n:064}"))
        known, novelty = add(known, one)
        assert (novelty, add(known, one)[1]) == ("new", "repeat")
    assert len(dump(known)) < 500_000
    assert {f.answer.errors[0].code for f in known.answers()} == {"E1"}
    assert {f.answer.tolerated for f in known.answers()} == {("answer.trimmed",)}
    assert state_of(known, STATUSES).verdict == "rejected"


def test_an_answer_counts_only_after_a_delivery_to_that_window():
    stranger = answer("03", "us-ace")
    now = state(stranger)
    assert (now.verdict, now.alarms) == ("", ("not-delivered:us-ace",))
    brought = state(stranger, Delivered(at=AT, window="us-ace", cause="amendment"))
    assert [w.verdict for w in brought.windows] == ["", "rejected"]


def test_a_code_nobody_knows_is_kept_and_alarmed():
    now = state(answer("99"))
    assert (now.state, now.windows[0].answers, now.alarms) == ("delivered", 1, ("unknown-code:pe-vuce:99",))


def test_json_of_a_stranger_is_an_error():
    with pytest.raises(ValueError, match="facts"):
        load(b'{"conversation": "c", "facts": [{"kind": "rumour"}]}')


def test_pointers_survive_json():
    error = AnswerError("PE-07", "sin RUC", (PointerStep("42A"), PointerStep("68A", 2, "D005")))
    known = history(answer("03", errors=(error,)))
    assert load(dump(known)).answers()[0].answer.errors == (error,)
