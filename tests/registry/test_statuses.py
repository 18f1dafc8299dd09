"""The status dictionary: every pair is mapped or explained, both ways, and nothing invents a verdict."""

from __future__ import annotations

import tomllib

import pytest

from broker.model.answers import Answer, AnswerStatus
from broker.model.errors import Misconfigured
from broker.registry.participants import load_participants
from broker.registry.statuses import load
from tests.support.paths import ROOT

HOME = ROOT / "mappings"
STATUSES = load(HOME / "statuses")
LISTS = ("dms", "un-1225", "un-4405", "un-1373", "peppol-mls", "peppol-invoice-response", "ephyto-hub", "intercom")


def answer(function: str, *statuses: str, **more: str) -> Answer:
    return Answer("pe-vuce", "A1", function, statuses=tuple(AnswerStatus(s) for s in statuses), **more)


def test_the_lists_of_the_field_are_there():
    assert set(LISTS) <= set(STATUSES.lists)


@pytest.mark.parametrize("list_id", STATUSES.lists)
def test_every_pair_is_mapped_or_explained(list_id):
    one = STATUSES.lists[list_id]
    assert set(one.states) == set(STATUSES.states)
    assert all(w.code or w.why for w in one.states.values())
    assert all(m.state or m.why for m in one.codes.values())
    assert one.means("no such code").why


@pytest.mark.parametrize("list_id", STATUSES.lists)
def test_there_and_back_never_turns_a_verdict_into_its_contrary(list_id):
    one = STATUSES.lists[list_id]
    for state, wording in one.states.items():
        if not wording.code:
            continue
        back = one.means(wording.code).state
        if back:
            there_verdict, back_verdict = STATUSES.states[state].verdict, STATUSES.states[back].verdict
            assert {there_verdict, back_verdict} not in ({"accepted", "rejected"}, {"accepted", "cancelled"}), state


@pytest.mark.parametrize("list_id", STATUSES.lists)
def test_a_transport_state_never_comes_out_as_a_verdict_of_a_window(list_id):
    one = STATUSES.lists[list_id]
    for state in ("received", "waiting", "delivered", "failed", "no_answer", "overdue"):
        code = one.states[state].code
        meant = one.means(code).state if code else ""
        assert not meant or STATUSES.states[meant].verdict in ("", *_ALLOWED.get((list_id, state), ())), (
            list_id,
            state,
        )


_ALLOWED: dict[tuple[str, str], tuple[str, ...]] = {}


@pytest.mark.parametrize(
    ("code", "statuses", "state"),
    [
        ("01", (), "accepted"),
        ("01", ("39",), "accepted"),
        ("03", (), "rejected"),
        ("11", ("39",), "amendment_granted"),
        ("11", ("41",), "amendment_refused"),
        ("13", ("67",), "payment_due"),
        ("16", ("A1",), "exited"),
    ],
)
def test_dms_function_codes(code, statuses, state):
    assert STATUSES.means(answer(code, *statuses), "dms").state == state


def test_a_code_that_says_nothing_leaves_it_to_the_times_in_the_answer():
    assert STATUSES.means(answer("9", rejected="2026-01-01T00:00:00Z"), "dms").state == "rejected"
    assert STATUSES.means(answer("9", accepted="2026-01-01T00:00:00Z"), "dms").state == "accepted"
    silent = STATUSES.means(answer("9"), "dms")
    assert (silent.state, silent.is_mapped) == ("", False)
    assert "no 9" in silent.why


def test_the_window_s_own_table_goes_first():
    assert STATUSES.means(answer("01"), "dms", {"01": "control"}).state == "control"
    assert STATUSES.means(answer("01", "X"), "dms", {"01/X": "held"}).state == "held"


def test_every_step_of_every_window_means_what_it_should():
    windows = [p for p in load_participants(HOME / "participants").values() if p.kind == "window"]
    assert len(windows) >= 12
    for window in windows:
        for verdict in ("accepted", "rejected"):
            steps = getattr(window.answers, verdict)
            states = []
            for step in steps:
                said = answer(step.function, *([step.status] if step.status else []))
                meaning = STATUSES.means(said, window.answers.dialect, window.answers.states)
                assert meaning.is_mapped, (window.code, step, meaning.why)
                states.append(STATUSES.states[meaning.state])
            top = max(states, key=lambda state: state.rank)
            assert top.verdict == verdict, (window.code, verdict, [s.code for s in states])


def test_titles_in_three_languages():
    for state in STATUSES.states.values():
        assert set(state.title) == {"en", "es", "zh"}
        assert all(state.title.values())


def test_the_loader_refuses_a_gap(tmp_path):
    for file in (HOME / "statuses").rglob("*.toml"):
        target = tmp_path / file.relative_to(HOME / "statuses")
        target.parent.mkdir(exist_ok=True)
        target.write_text(file.read_text())
    dms = tmp_path / "lists" / "dms.toml"
    text = dms.read_text()
    dms.write_text(text.replace('held = {code = "52"}\n', ""))
    with pytest.raises(Misconfigured, match="held"):
        load(tmp_path)
    dms.write_text(text.replace('held = {code = "52"}', 'held = {code = "77"}'))
    with pytest.raises(Misconfigured, match="77"):
        load(tmp_path)
    dms.write_text(text.replace('state = "held"', 'state = "stuck"'))
    with pytest.raises(Misconfigured, match="stuck"):
        load(tmp_path)
    dms.write_text(text.replace('held = {code = "52"}', "held = {}"))
    with pytest.raises(Misconfigured, match=r"held.*why"):
        load(tmp_path)


def test_no_list_repeats_a_code():
    for file in (HOME / "statuses" / "lists").glob("*.toml"):
        assert tomllib.loads(file.read_text())["codes"]


@pytest.mark.parametrize("arguments", [(), ("--list", "dms"), ("--list", "un-4405")])
def test_the_dictionary_fits_a_terminal(swb, arguments):
    code, out, _ = swb("statuses", *arguments)
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
